"""A worker process with the counting core: shell_counting_worker.py '{"broker": ..., "app_id": ...}' [no-fence]."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from stream_kpi.shell.faust_app import App
from stream_kpi.shell.options import ShellOptions
from stream_kpi.shell.worker import quiet_libraries, serve
from tests.integration.shell_counting_core import CORE


async def main() -> int:
    settings = json.loads(sys.argv[1])
    options = ShellOptions(**{**settings, "source_topics": tuple(settings["source_topics"])})
    app = App(options, CORE, fence="no-fence" not in sys.argv)
    status = await serve(app)
    if app.failure is not None:
        logging.getLogger(__name__).error("%s", app.failure)
    return status


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(name)s %(levelname)s %(message)s")
    quiet_libraries()
    sys.exit(asyncio.run(main()))
