"""Who may read what is served: a bearer token, or a user name and its password; probes of /health are open."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from stream_kpi.secrets import secret_of
from stream_kpi.settings_sections import WebSettings

_OPEN_PATHS: Final = frozenset({"/health/live", "/health/ready", "/health/started"})
"""What starts and stops workers has no password, and learns nothing of the KPIs there."""
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def access(settings: WebSettings) -> list[Middleware]:
    """Return the middlewares of an application that answers whoever shows what the settings ask for, and everyone else
    with 401 and how to show it; none where the settings ask for nothing. Raises UserError: a file cannot be read."""
    allowed: list[bytes] = []
    challenges: list[str] = []
    ways: list[str] = []
    if settings.token_file is not None:
        token = secret_of("web.token_file", settings.token_file)
        # A browser asks for a name and a password and cannot send a token: there it is the password of no name.
        allowed += [b"bearer " + token.encode(), _basic("", token)]
        challenges.append('Bearer realm="stream-kpi"')
        ways.append("the token, in a browser as the password with an empty user name")
    if settings.username is not None and settings.password_file is not None:
        allowed.append(_basic(settings.username, secret_of("web.password_file", settings.password_file)))
        ways.append("the user name and its password")
    if not allowed:
        return []
    challenges.append('Basic realm="stream-kpi", charset="UTF-8"')
    return [_gate(allowed, challenges, f"401: needs {', or '.join(ways)}.\n")]


def _basic(username: str, password: str) -> bytes:
    return b"basic " + b64encode(f"{username}:{password}".encode())


def _gate(allowed: Sequence[bytes], challenges: Sequence[str], refusal: str) -> Middleware:
    # Digests are of one length, so that not even the secret's can be timed.
    digests = [sha256(one).digest() for one in allowed]

    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in _OPEN_PATHS or _shown(request.headers.get("Authorization", ""), digests):
            return await handler(request)
        response = web.Response(status=401, text=refusal, headers=_HEADERS)
        for challenge in challenges:
            response.headers.add("WWW-Authenticate", challenge)
        return response

    return gate


def _shown(authorization: str, digests: Sequence[bytes]) -> bool:
    """Whether a header is one of those allowed; all are compared, whichever it is."""
    scheme, _, credentials = authorization.partition(" ")
    shown = f"{scheme.lower()} {credentials.strip()}".encode(errors="surrogateescape")
    digest = sha256(shown).digest()
    return sum(hmac.compare_digest(digest, one) for one in digests) > 0
