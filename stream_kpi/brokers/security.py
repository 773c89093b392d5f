"""How the cluster is spoken to: TLS, and who we are. Every Kafka client of the program takes its arguments from here.

The settings name files; what is in them is read once, when a command or worker starts, and is in no repr and no log.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from stream_kpi.secrets import refused, secret_of
from stream_kpi.settings_sections import BrokerSettings, SecurityProtocol


@dataclass(frozen=True, slots=True)
class Security:
    """What a client needs besides the address; without arguments, nothing."""

    protocol: SecurityProtocol = "PLAINTEXT"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    """Of SASL; None without it."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    """None: not encrypted."""

    def client_options(self) -> dict[str, Any]:
        """Return the keyword arguments of an aiokafka or a kafka-python client, but for its address."""
        options: dict[str, Any] = {"security_protocol": self.protocol}
        if self.tls is not None:
            options["ssl_context"] = self.tls
        if self.mechanism is not None:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return options


OPEN = Security()
"""Of the brokers that this program starts itself: no encryption, nobody is asked who he is."""


def security_of(broker: BrokerSettings) -> Security:
    """Return what the settings say, the files read. Raises UserError: a file that is not there, or not what it should
    be, ``key = value: what is allowed``."""
    return Security(
        protocol=broker.security_protocol,
        mechanism=broker.sasl_mechanism,
        username=broker.username,
        password=None if broker.password_file is None else secret_of("broker.password_file", broker.password_file),
        tls=_tls(broker) if broker.security_protocol.endswith("SSL") else None,
    )


def _tls(broker: BrokerSettings) -> ssl.SSLContext:
    """A context that checks the broker's certificate and name, and shows ours if there is one."""
    with _readable("broker.ca_file", broker.ca_file, "must be a PEM file of certificates"):
        context = ssl.create_default_context(cafile=broker.ca_file)
    if broker.cert_file is not None:
        allowed = "must be a PEM file of the certificate to broker.key_file, a private key without a pass phrase"
        with _readable("broker.cert_file", broker.cert_file, allowed):
            context.load_cert_chain(broker.cert_file, broker.key_file, password=_no_pass_phrase)
    return context


def _no_pass_phrase() -> str:
    """OpenSSL would ask for it at the terminal."""
    return ""


@contextmanager
def _readable(key: str, path: Path | None, allowed: str) -> Iterator[None]:
    try:
        yield
    except ssl.SSLError as error:
        raise refused(key, path, f"{allowed} ({error.reason or 'it is none'})") from error
    except OSError as error:
        raise refused(key, path, f"{allowed}; a file cannot be read ({error.strerror})") from error
