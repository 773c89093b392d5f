"""The documents of the wire contract are served as they are shipped."""

from __future__ import annotations

from aiohttp import ClientSession, web

from stream_kpi.brokers.process import free_port
from stream_kpi.contracts.documents import FOLDER, documents
from stream_kpi.publish.contracts import contract_routes


async def test_every_document_is_served_as_it_is_shipped_and_no_other_file_is() -> None:
    application = web.Application()
    application.add_routes(contract_routes())
    runner, port = web.AppRunner(application), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with ClientSession(f"http://127.0.0.1:{port}") as session:
            async with session.get("/contracts/") as answer:
                listed = await answer.json()
            assert listed == sorted(path.name for path in documents())
            for name in listed:
                async with session.get(f"/contracts/{name}") as answer:
                    folder = FOLDER if name == "asyncapi.json" else FOLDER / "schemas"
                    assert await answer.text() == (folder / name).read_text()
            for path in ("/contracts/outputs.py", "/contracts/..%2Foutputs.py", "/contracts/%2Fetc%2Fpasswd"):
                async with session.get(path) as answer:
                    assert answer.status == 404
    finally:
        await runner.cleanup()
