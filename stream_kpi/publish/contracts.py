"""HTTP handlers of the wire contract: the AsyncAPI document and the JSON Schemas, as they are in the package."""

from __future__ import annotations

from aiohttp import web

from stream_kpi.contracts.documents import FOLDER

_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}


def contract_routes() -> list[web.RouteDef]:
    """``/contracts/asyncapi.json``, ``/contracts/`` with the names of the schemas, and each under its name."""
    texts = {path.name: path.read_text() for path in (FOLDER / "schemas").glob("*.schema.json")}
    texts["asyncapi.json"] = (FOLDER / "asyncapi.json").read_text()

    async def listed(_: web.Request) -> web.Response:
        return web.json_response(sorted(texts), headers=_HEADERS)

    async def document(request: web.Request) -> web.Response:
        text = texts.get(request.match_info["name"])
        if text is None:
            raise web.HTTPNotFound(headers=_HEADERS)
        return web.Response(text=text, content_type="application/json", headers=_HEADERS)

    return [web.get("/contracts/", listed), web.get("/contracts/{name}", document)]
