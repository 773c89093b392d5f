"""The parts of the settings that say where things are and how they run: broker, topics, web, retention, metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)


def _known_address(address: str) -> str:
    for one in address.split(","):
        host, colon, port = one.strip().rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) <= 65_535):
            message = "must be HOST:PORT, or several with commas between them"
            raise ValueError(message)
    return address


Address = Annotated[str, AfterValidator(_known_address)]
NAME_PATTERN = "^[A-Za-z0-9._-]+$"
"""What Kafka takes as a topic's name or a part of it."""
NO_COLON_PATTERN = "^[^:]+$"
"""Basic auth ends the user name with a colon."""
TopicName = Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=200)]


_Given = TypeVar("_Given")
SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]


class Section(BaseModel):
    """Base of the sections: no other keys, and every setting says what it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True)


class BrokerSettings(Section):
    """The Kafka cluster and how this worker is a member of it."""

    address: Address = "127.0.0.1:9092"
    """Where the cluster answers: HOST:PORT, several with commas."""
    session_timeout_s: float = Field(10, ge=1, le=300)
    """A worker that has not been heard of for so long loses its partitions."""
    heartbeat_interval_s: float = Field(3, ge=0.1, le=100)
    """How often a worker is heard of; at most a third of the session time-out."""
    rebalance_timeout_s: float = Field(30, ge=1, le=600)
    """How long the others wait for a worker when partitions are dealt out again."""
    partitioner: Literal["murmur2", "crc32"] = "murmur2"
    """How the producers of the source topics choose a key's partition: murmur2 (Java clients, kafka-python, aiokafka)
    or crc32 (librdkafka's default)."""
    security_protocol: SecurityProtocol = "PLAINTEXT"
    """SSL: encrypted; SASL: with a user name and password."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    """How the password is proved; for the two SASL protocols."""
    username: str | None = Field(None, min_length=1)
    """For the two SASL protocols."""
    password_file: Path | None = None
    """File that holds the password alone; for the two SASL protocols."""
    ca_file: Path | None = None
    """PEM file of who may have signed the brokers' certificates; not set: those whom this machine trusts."""
    cert_file: Path | None = None
    """PEM file of the certificate that says to the brokers who we are, with those between it and its root."""
    key_file: Path | None = None
    """PEM file of its private key, without a pass phrase."""

    @field_validator("heartbeat_interval_s")
    @classmethod
    def _heartbeats_fit(cls, heartbeat_interval_s: float, info: ValidationInfo) -> float:
        session_timeout_s = info.data.get("session_timeout_s")
        if session_timeout_s is not None and heartbeat_interval_s * 3 > session_timeout_s:
            message = f"must be at most a third of broker.session_timeout_s ({session_timeout_s:g})"
            raise ValueError(message)
        return heartbeat_interval_s

    @field_validator("sasl_mechanism", "username", "password_file")
    @classmethod
    def _names_a_user_to_sasl_alone(cls, value: _Given, info: ValidationInfo) -> _Given:
        protocol = info.data.get("security_protocol", "")
        if value is None and protocol.startswith("SASL"):
            message = f"must be set when broker.security_protocol is {protocol}"
            raise ValueError(message)
        if value is not None and protocol in ("PLAINTEXT", "SSL"):
            message = f"is used when broker.security_protocol is SASL_PLAINTEXT or SASL_SSL; it is {protocol}"
            raise ValueError(message)
        return value

    @field_validator("ca_file", "cert_file", "key_file")
    @classmethod
    def _has_certificates_for_tls_alone(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        protocol = info.data.get("security_protocol", "")
        if value is not None and protocol in ("PLAINTEXT", "SASL_PLAINTEXT"):
            message = f"is used when broker.security_protocol is SSL or SASL_SSL; it is {protocol}"
            raise ValueError(message)
        return value

    @field_validator("key_file")
    @classmethod
    def _comes_with_its_certificate(cls, key_file: Path | None, info: ValidationInfo) -> Path | None:
        if "cert_file" in info.data and (key_file is None) != (info.data["cert_file"] is None):
            message = "must be set when broker.cert_file is, and only then"
            raise ValueError(message)
        return key_file


class TopicSettings(Section):
    """Names of the topics. Dead letters and late records go to `<source>.dlq` and `<source>.late`."""

    tickets: TopicName = "support.tickets.v1"
    """Ticket events."""
    chats: TopicName = "support.chats.v1"
    """Chat, call and agent presence events."""
    subscriptions: TopicName = "billing.subscriptions.v1"
    """Subscription and invoice events."""
    signals: TopicName = "business.signals.v1"
    """Visits, sign-ups, activity, mentions, costs."""
    values: TopicName = "support.kpi.values.v1"
    """Where KPI records are published."""
    history: TopicName = "support.kpi.history.v1"
    """Where what windows with fixed bounds said is kept: once they are final, and each correction since."""
    sla: TopicName = "support.sla.events.v1"
    """Where it is told what becomes of service levels (docs/sla.md)."""

    @property
    def sources(self) -> tuple[str, str, str, str]:
        """The input topics."""
        return (self.tickets, self.chats, self.subscriptions, self.signals)

    @model_validator(mode="after")
    def _all_differ(self) -> Self:
        names = (*self.sources, self.values, self.history, self.sla)
        if len(set(names)) < len(names):
            message = "the seven topics must have seven names"
            raise ValueError(message)
        return self


class WebSettings(Section):
    """Where this worker serves /metrics and /health, and to whom. Without a token and a user name, to everyone who
    reaches it; /health always."""

    host: str = Field("127.0.0.1", min_length=1)
    """Address to listen on; 0.0.0.0 for every network of this machine."""
    port: int = Field(6066, ge=1, le=65_535)
    """TCP port."""
    token_file: Path | None = None
    """File that holds a token alone: who sends it (`Authorization: Bearer`) is answered, and who types it into a
    browser as the password, with an empty user name."""
    username: str | None = Field(None, pattern=NO_COLON_PATTERN)
    """Who sends this name and the password (`Authorization: Basic`, as browsers do) is answered."""
    password_file: Path | None = None
    """File that holds the password alone."""

    @field_validator("password_file")
    @classmethod
    def _comes_with_its_user(cls, password_file: Path | None, info: ValidationInfo) -> Path | None:
        if "username" in info.data and (password_file is None) != (info.data["username"] is None):
            message = "must be set when web.username is, and only then"
            raise ValueError(message)
        return password_file


class RetentionSettings(Section):
    """How long entities are remembered after their last event. What comes for one that has left is late."""

    closed_days: int = Field(8, ge=1, le=3_650)
    """Solved and closed ones."""
    open_days: int = Field(400, ge=1, le=3_650)
    """Open ones."""


class MetricSettings(Section):
    """What is exposed on /metrics."""

    max_label_values: int = Field(100, ge=1, le=10_000)
    """Label values of one dimension; what exceeds them is shown as `other` and counted."""
    agent_series: bool = False
    """Whether there are series by agent (many)."""


class RedisSettings(Section):
    """The Redis through which `stream-kpi exporter` sees what the workers publish."""

    address: Address | None = None
    """Where it answers: HOST:PORT. Not set: workers write to none."""
    username: str | None = Field(None, min_length=1)
    """ACL user; not set: Redis's default one."""
    password_file: Path | None = None
    """File that holds the password alone."""
    tls: bool = False
    """Whether to connect by TLS."""
    ca_file: Path | None = None
    """PEM file of the authorities that may vouch for Redis; not set: the system's."""
    ttl_s: float = Field(30, ge=5, le=3_600)
    """Values that no worker has confirmed for so long disappear."""

    @field_validator("address")
    @classmethod
    def _is_one(cls, address: str | None) -> str | None:
        if address is not None and "," in address:
            message = "must be one HOST:PORT"
            raise ValueError(message)
        return address
