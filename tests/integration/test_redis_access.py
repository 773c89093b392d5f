"""Redis as it is in production: TLS, an ACL user, its password in a file."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.exceptions import AuthenticationError, NoPermissionError
from redis.exceptions import ConnectionError as RedisConnectionError

from stream_kpi.errors import UserError
from stream_kpi.kpis.record import record_key
from stream_kpi.publish.redis_format import connect
from stream_kpi.publish.redis_reader import RedisReader
from stream_kpi.publish.redis_writer import RedisWriter
from stream_kpi.settings_sections import RedisSettings
from tests.contracts.test_publish_live_store import record
from tests.redis_kit import APP, RedisServer, following, until

PASSWORD = "not-in-a-log"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Signed by itself, for 127.0.0.1; its key is beside it."""
    folder = tmp_path_factory.mktemp("tls")
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "cert.pem"


@pytest.fixture(scope="module")
def server(certificate: Path) -> Iterator[RedisServer]:
    tls = ["--tls-cert-file", str(certificate), "--tls-key-file", str(certificate.with_name("key.pem"))]
    user = f"kpi on >{PASSWORD} ~{APP}:* &{APP}:* +@read +@write +@transaction +@pubsub +@connection"
    users = ["--user", "default", "off", "--user", *user.split()]
    server = RedisServer("--tls-auth-clients", "no", *tls, *users, tls=True)
    yield server
    server.stop()


@pytest.fixture
def settings(server: RedisServer, certificate: Path, tmp_path: Path) -> RedisSettings:
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n")
    return server.settings(tls=True, ca_file=certificate, username="kpi", password_file=password)


async def test_worker_and_exporter_need_no_more_than_an_acl_user_of_their_own_keys_over_tls(
    server: RedisServer, settings: RedisSettings
) -> None:
    await server.ready(settings)
    failed: list[None] = []
    writer = RedisWriter(connect(settings), APP, 30, 1, lambda: failed.append(None))
    async with following(RedisReader(connect(settings), APP)) as reader:
        first, second = record("csat"), record("arpu")
        writer.take(1, {record_key(first): first}, [], (), 1)
        assert await writer.write()
        writer.take(1, {record_key(second): second}, [(record_key(first), None)], (), 2)
        assert await writer.write()
        await until(lambda: reader.snapshot().values_ms == 2)
    assert not failed


async def test_a_password_that_is_wrong_is_refused_and_not_repeated(
    server: RedisServer, settings: RedisSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await server.ready(settings)
    wrong = tmp_path / "wrong"
    wrong.write_text("never-repeated")
    client = connect(settings.model_copy(update={"password_file": wrong}))
    with pytest.raises(AuthenticationError) as refused:
        await client.ping()
    writer = RedisWriter(client, APP, 30, 1, lambda: None)
    writer.take(1, {}, [], (), 1)
    assert not await writer.write()
    assert "takes no values" in caplog.text
    assert "never-repeated" not in str(refused.value) + caplog.text


async def test_a_certificate_that_nobody_vouches_for_is_refused(server: RedisServer, settings: RedisSettings) -> None:
    await server.ready(settings)
    with pytest.raises(RedisConnectionError, match="certificate verify failed"):
        await connect(settings.model_copy(update={"ca_file": None})).ping()


async def test_the_user_cannot_touch_another_apps_keys(server: RedisServer, settings: RedisSettings) -> None:
    await server.ready(settings)
    async with connect(settings) as client:
        with pytest.raises(NoPermissionError):
            await client.get("another:v1:meta")


@pytest.mark.parametrize("key", ["password_file", "ca_file"])
def test_a_file_that_is_not_there_is_named_with_its_setting(key: str, tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    settings = RedisSettings.model_validate({"address": "127.0.0.1:1", "tls": True, key: absent})
    with pytest.raises(UserError, match=rf"^redis\.{key} = {absent}: "):
        connect(settings)


def test_an_exporter_without_a_redis_says_which_setting_is_missing() -> None:
    with pytest.raises(UserError, match=r"^redis\.address is not set"):
        connect(RedisSettings())
