"""The worker's event loop: uvloop, which does not wait long for the end of a TLS connection."""

from __future__ import annotations

from typing import Any

import uvloop

TLS_END_TIMEOUT_S = 0.5
"""By default it is 30 s. A broker need not answer our farewell, and aiokafka waits for each connection that it closes:
every shard that is opened closes several."""


class Loop(uvloop.Loop):
    """uvloop's, but for how long a TLS connection takes to end."""

    async def create_connection(self, *args: Any, ssl: Any = None, **options: Any) -> Any:  # noqa: ANN401 - asyncio's signature
        """As asyncio's."""
        if ssl is not None:
            options.setdefault("ssl_shutdown_timeout", TLS_END_TIMEOUT_S)
        return await super().create_connection(*args, ssl=ssl, **options)
