"""The settings of TLS and SASL: what is refused, what is never shown, and that no client is made without them."""

from __future__ import annotations

import ast
import logging
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream_kpi.brokers.security import OPEN, Security, security_of
from stream_kpi.errors import WRONG_USAGE, UserError
from stream_kpi.settings import load_settings
from stream_kpi.settings_sections import BrokerSettings
from stream_kpi.shell.app import shell_options

PASSWORD = "open-sesame-42"
CLIENTS = {
    "AIOKafkaConsumer", "AIOKafkaProducer", "KafkaAdminClient", "KafkaConsumer", "KafkaProducer",
}  # fmt: skip
ASKERS = {"admin_client": 2, "check_reachable": 2, "probe": 2, "reader": 2}
"""How many arguments without a name each takes before that of the security, which may go without a name to reader."""
OWN_BROKERS = ("brokers/apache_kafka.py", "brokers/embedded.py", "bench/")
"""They talk to what they have started, on 127.0.0.1."""


@pytest.mark.parametrize(
    ("broker", "complaint"),
    [
        ('security_protocol = "TLS"', "broker.security_protocol = TLS: must be 'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT'"),
        ('security_protocol = "SASL_SSL"', "broker.sasl_mechanism: must be set when broker.security_protocol is SASL_"),
        ('security_protocol = "SASL_SSL"', "broker.username: must be set when broker.security_protocol is SASL_SSL"),
        ('security_protocol = "SASL_SSL"', "broker.password_file: must be set when broker.security_protocol is SASL_"),
        ('sasl_mechanism = "GSSAPI"', "broker.sasl_mechanism = GSSAPI: must be 'PLAIN', 'SCRAM-SHA-256' or 'SCRAM"),
        ('username = "kpi"', "broker.username = kpi: is used when broker.security_protocol is SASL_PLAINTEXT or SASL_"),
        ('security_protocol = "SSL"\nusername = "kpi"', "broker.username = kpi: is used when"),
        ('ca_file = "ca.pem"', "broker.ca_file = ca.pem: is used when broker.security_protocol is SSL or SASL_SSL; it"),
        ('security_protocol = "SSL"\ncert_file = "c.pem"', "broker.key_file: must be set when broker.cert_file is"),
        ('security_protocol = "SSL"\nkey_file = "k.pem"', "broker.key_file = k.pem: must be set when broker.cert_file"),
    ],
)
def test_what_does_not_go_together_is_refused_by_its_key_with_what_is_allowed(
    tmp_path: Path, broker: str, complaint: str
) -> None:
    config = tmp_path / "stream-kpi.toml"
    config.write_text(f"[broker]\n{broker}\n")
    with pytest.raises(UserError) as caught:
        load_settings(config)
    assert caught.value.exit_status == WRONG_USAGE
    assert any(line.startswith(complaint) for line in str(caught.value).splitlines()), str(caught.value)


def test_a_password_without_its_user_on_the_web_side_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "stream-kpi.toml"
    config.write_text('[web]\npassword_file = "p"\n')
    with pytest.raises(UserError, match=r"web\.password_file = p: must be set when web\.username is, and only then"):
        load_settings(config)


@pytest.mark.parametrize("key", ["ca_file", "cert_file", "password_file"])
@pytest.mark.parametrize("content", [None, "no certificate\nand no password\n"])
def test_a_file_that_is_absent_or_not_what_it_should_be_is_named_with_its_key(
    tmp_path: Path, key: str, content: str | None
) -> None:
    file = tmp_path / key
    if content is not None:
        file.write_text(content)
    chosen: dict[str, object] = {"security_protocol": "SSL", key: file}
    if key == "cert_file":
        chosen["key_file"] = file
    if key == "password_file":
        chosen |= {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "username": "kpi"}
    with pytest.raises(UserError, match=rf"^broker\.{key} = {file}: ") as caught:
        security_of(BrokerSettings.model_validate(chosen))
    assert caught.value.exit_status == WRONG_USAGE


def test_a_password_is_in_no_repr_and_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    broker = {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "username": "kpi",
        "password_file": str(file),
    }
    with caplog.at_level(logging.DEBUG):
        settings = load_settings(None, {"broker": broker})
        options = shell_options(settings)
    assert options.security.client_options()["sasl_plain_password"] == PASSWORD
    for shown in (repr(options), repr(settings), settings.model_dump_json(), caplog.text):
        assert PASSWORD not in shown


def test_tls_checks_the_brokers_certificate_and_its_name() -> None:
    tls = security_of(BrokerSettings(security_protocol="SSL")).tls
    assert tls is not None
    assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert tls.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_without_settings_nothing_is_asked_for() -> None:
    assert security_of(BrokerSettings()) == OPEN == Security()
    assert OPEN.client_options() == {"security_protocol": "PLAINTEXT"}


def calls(repository: Path) -> Iterator[tuple[str, str, ast.Call]]:
    """Each call of a name, with the file it is in."""
    for path in sorted((repository / "stream_kpi").rglob("*.py")):
        name = path.relative_to(repository / "stream_kpi").as_posix()
        if name.startswith(OWN_BROKERS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield name, node.func.id, node


def test_no_kafka_client_is_made_without_what_the_settings_say_of_security(repository: Path) -> None:
    seen = set()
    for file, called, call in calls(repository):
        if called in CLIENTS:
            seen.add(called)
            spread = [ast.unparse(one.value) for one in call.keywords if one.arg is None]
            assert any(text.endswith("client_options()") for text in spread), f"{file}: {called}"
    assert seen == CLIENTS


def test_nobody_asks_a_broker_without_what_the_settings_say_of_security(repository: Path) -> None:
    seen = set()
    for file, called, call in calls(repository):
        if called in ASKERS and file != "brokers/probe.py":
            seen.add(called)
            named = {one.arg for one in call.keywords}
            assert "security" in named or len(call.args) > ASKERS[called], f"{file}:{call.lineno}: {called}"
    assert seen == set(ASKERS)
