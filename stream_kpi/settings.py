"""Settings: one TOML file and ``STREAM_KPI_*`` variables. Wrong ones are refused with key, value and what is allowed.

A variable's name is its key in capitals with ``__`` for the dot: ``broker.address`` is ``STREAM_KPI_BROKER__ADDRESS``.
The command line's options win over variables, variables over the file.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from stream_kpi.calendars.offsets import zone_info
from stream_kpi.errors import WRONG_USAGE, UserError
from stream_kpi.lifecycles.options import AgentCreatedRule, FcrRule, FirstResponseStart, Options, ServiceLevelPreset
from stream_kpi.settings_kpis import KpiTables, line_number, read_kpis
from stream_kpi.settings_schedules import LINES_OF_COMPLAINT, ScheduleSettings, ScheduleTables, complaints_as_they_are
from stream_kpi.settings_sla import SlaTables, policies_among

ENVIRONMENT_PREFIX = "STREAM_KPI_"
CONFIG_VARIABLE = "STREAM_KPI_CONFIG"
"""Names the TOML file when --config does not."""

DAY_MS = 86_400_000
COHORT_DAYS = 7
"""The longest window of a cohort: rolling:30d of cohorts reads 30 days that ended so long ago, from panes of an hour,
which are kept 38 days (windows.tiers)."""


def _known_zone(name: str) -> str:
    return zone_info(name).key


def _known_address(address: str) -> str:
    for one in address.split(","):
        host, colon, port = one.strip().rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) <= 65_535):
            message = "must be HOST:PORT, or several with commas between them"
            raise ValueError(message)
    return address


Zone = Annotated[str, AfterValidator(_known_zone)]
Address = Annotated[str, AfterValidator(_known_address)]
TopicName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", min_length=1, max_length=200)]
Status = Literal["new", "open", "pending", "on_hold", "solved", "closed"]
RunningStatus = Literal["new", "open", "pending", "on_hold"]
TargetSeconds = Annotated[float, Field(gt=0, le=366 * 86_400)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True)


class BrokerSettings(_Section):
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

    @field_validator("heartbeat_interval_s")
    @classmethod
    def _heartbeats_fit(cls, heartbeat_interval_s: float, info: ValidationInfo) -> float:
        session_timeout_s = info.data.get("session_timeout_s")
        if session_timeout_s is not None and heartbeat_interval_s * 3 > session_timeout_s:
            message = f"must be at most a third of broker.session_timeout_s ({session_timeout_s:g})"
            raise ValueError(message)
        return heartbeat_interval_s


class TopicSettings(_Section):
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
    sla: TopicName = "support.sla.events.v1"
    """Where it is told what becomes of service levels (docs/sla.md)."""

    @property
    def sources(self) -> tuple[str, str, str, str]:
        """The input topics."""
        return (self.tickets, self.chats, self.subscriptions, self.signals)

    @model_validator(mode="after")
    def _all_differ(self) -> Self:
        names = (*self.sources, self.values, self.sla)
        if len(set(names)) < len(names):
            message = "the six topics must have six names"
            raise ValueError(message)
        return self


class WebSettings(_Section):
    """Where this worker serves /metrics and /health."""

    host: str = Field("127.0.0.1", min_length=1)
    """Address to listen on; 0.0.0.0 for every network of this machine."""
    port: int = Field(6066, ge=1, le=65_535)
    """TCP port."""


class RetentionSettings(_Section):
    """How long entities are remembered after their last event. What comes for one that has left is late."""

    closed_days: int = Field(8, ge=1, le=3_650)
    """Solved and closed ones."""
    open_days: int = Field(400, ge=1, le=3_650)
    """Open ones."""


class DefinitionSettings(_Section):
    """What of the KPIs' definitions an organisation can choose."""

    terminal_statuses: frozenset[Status] = Field(frozenset[Status]({"solved", "closed"}), min_length=1)
    """Statuses that leave the backlog (deleted and spam always do)."""
    include_agent_created: bool = True
    """Whether tickets that agents created count in ticket_volume."""
    auto_resolve_counts: bool = True
    """Whether a solve by automation or system counts in the resolution times."""
    first_response_start: FirstResponseStart = "first_customer_message"
    """From when first_response_time counts. creation: always from the creation. first_customer_message: from the
    creation if a customer created the ticket, else from the customer's first message, else from the creation.
    bot_handoff_or_reopen: from the last hand-off by a bot (`ticket.assigned` with the reason bot_handoff) or reopen,
    else from a bot's solve, else from the creation."""
    first_response_count_bot: bool = False
    """Whether a bot's message can be the first response."""
    first_response_count_notes: bool = False
    """Whether a private note can be the first response."""
    first_response_agent_created: AgentCreatedRule = "exclude"
    """Tickets that agents created. exclude: they have no first response. second_comment: agents' second public message
    is it, or their first if the customer has written before it. include: agents' first public message is it."""
    fcr_rule: FcrRule = "one_contact"
    """What makes a first solve by a human a first contact resolution (fcr_provisional). one_contact: one agent, and no
    customer message after the agent's first public one. one_agent: public messages and the solve are one agent's, and
    no transfer. one_reply: exactly one public message of agents, a session's being one. zero_customer_followups: no
    customer message since the creation."""
    response_targets_s: dict[str, TargetSeconds] = {"chat": 60, "voice": 20, "social": 3_600}
    """Target of the first response by channel (response_time_compliance). A table given here replaces the whole
    default."""
    response_target_other_s: TargetSeconds = 86_400
    """The same for every other channel."""
    requester_wait_statuses: frozenset[RunningStatus] = frozenset[RunningStatus]({"new", "open", "on_hold"})
    """Statuses in which requester_wait_time runs."""
    agent_work_statuses: frozenset[RunningStatus] = frozenset[RunningStatus]({"new", "open"})
    """The same for agent_work_time."""
    on_hold_statuses: frozenset[RunningStatus] = frozenset[RunningStatus]({"on_hold"})
    """The same for on_hold_time."""
    service_level_targets_s: dict[str, TargetSeconds] = {"voice": 20}
    """Target of the answer by channel (service_level). A table given here replaces the whole default."""
    service_level_target_other_s: TargetSeconds = 60
    """The same for every other channel."""
    short_abandon_s: float = Field(5, ge=0, le=600)
    """Who leaves a queue sooner is no abandon."""
    abandon_after_s: float = Field(120, gt=0, le=86_400)
    """An accepted chat in which nobody has written for so long since a customer's unanswered message counts as dropped,
    until someone writes or it ends."""
    service_level: ServiceLevelPreset = "default"
    """Whose definition service_level follows; docs/kpis.md says what each counts. It applies to the past as well."""
    staffing_target: float = Field(0.8, gt=0, le=0.999)
    """The service level, as a share, that agents_required is to reach."""
    staffing_patience_s: float = Field(0, ge=0, le=3_600)
    """How long customers wait on average before they abandon: agents_required then follows Erlang A. 0 is not known:
    Erlang C, in which nobody abandons."""
    reopen_window_days: int = Field(7, ge=1, json_schema_extra={"maximum": COHORT_DAYS})
    """A first solve counts as reopened (reopen_rate) when that happens within so many days: no more than 7, as what the
    trailing 30 days look back on is kept for 38."""
    fcr_window_days: int = Field(7, ge=1, le=7)
    """fcr_confirmed takes a first contact for enough when neither a reopen nor a new ticket of the customer follows
    within so many days."""
    fcr_same_category: bool = True
    """Whether that new ticket has to be of the same category."""
    gross_margin: float | None = Field(None, ge=0, le=1)
    """Share of the revenue that is left after the costs of the service, 0.8 for 80 %. Without it clv has no value."""
    activation_action: str | None = Field(None, min_length=1, max_length=256)
    """The `action` of `activity.performed` that a new user has to do to be activated; without it, activation_rate has
    no value."""
    activation_window_days: int = Field(7, ge=1, le=COHORT_DAYS)
    """A sign-up counts as activated when that happens within so many days."""

    @field_validator("reopen_window_days")
    @classmethod
    def _panes_are_kept(cls, days: int) -> int:
        if days > COHORT_DAYS:
            message = f"must be at most {COHORT_DAYS}: what the trailing 30 days look back on is not kept for longer"
            raise ValueError(message)
        return days


class MetricSettings(_Section):
    """What is exposed on /metrics."""

    max_label_values: int = Field(100, ge=1, le=10_000)
    """Label values of one dimension; what exceeds them is shown as `other` and counted."""
    agent_series: bool = False
    """Whether there are series by agent (many)."""


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
    )

    app_id: str = Field("stream-kpi", pattern=r"^[A-Za-z0-9._-]+$", max_length=100)
    """Names the consumer group, the internal topics and the producers. Two apps on one cluster need two."""
    zone: Zone = "UTC"
    """IANA time zone that days and months follow."""
    clock: Literal["wall", "event"] = "wall"
    """wall: live; event: a past log is replayed, and time is that of its events."""
    lateness_s: float = Field(600, ge=0, le=7 * 86_400)
    """A closed window is final so long after its end; what comes later corrects it."""
    future_skew_s: float = Field(300, ge=0, le=86_400)
    """An event further ahead of the clock is put aside (wall clock only)."""
    flush_interval_s: float = Field(0.5, ge=0.01, le=60)
    """How often state and panes are written to Kafka."""
    publish_interval_s: float = Field(1, ge=0.05, le=60)
    """How often KPI values are computed and published."""
    schedule: ScheduleTables = ()
    """Opening hours, a table each (docs/business-time.md)."""
    sla: SlaTables = ()
    """Service levels that are promised, a policy a table (docs/sla.md)."""
    kpi: KpiTables = ()
    """KPIs of your own, a table each (docs/custom-kpis.md)."""
    broker: BrokerSettings = BrokerSettings()
    topics: TopicSettings = TopicSettings()
    web: WebSettings = WebSettings()
    retention: RetentionSettings = RetentionSettings()
    definitions: DefinitionSettings = DefinitionSettings()
    schedules: ScheduleSettings = ScheduleSettings()
    metrics: MetricSettings = MetricSettings()

    @field_validator("sla")
    @classmethod
    def _clocks_are_known(cls, sla: SlaTables, info: ValidationInfo) -> SlaTables:
        if "schedule" in info.data:
            policies_among(sla, info.data["schedule"])
        return sla

    @field_validator("schedules")
    @classmethod
    def _are_known(cls, schedules: ScheduleSettings, info: ValidationInfo) -> ScheduleSettings:
        if "schedule" in info.data:
            with complaints_as_they_are():
                schedules.among(info.data["schedule"])
        return schedules

    def options(self) -> Options:
        """Return the part that the lifecycles read."""
        chosen = self.definitions
        return Options(
            zone=self.zone,
            terminal_statuses=frozenset(chosen.terminal_statuses),
            include_agent_created=chosen.include_agent_created,
            auto_resolve_counts=chosen.auto_resolve_counts,
            first_response_start=chosen.first_response_start,
            first_response_count_bot=chosen.first_response_count_bot,
            first_response_count_notes=chosen.first_response_count_notes,
            first_response_agent_created=chosen.first_response_agent_created,
            fcr_rule=chosen.fcr_rule,
            response_targets_ms={channel: _ms(target) for channel, target in chosen.response_targets_s.items()},
            response_target_other_ms=_ms(chosen.response_target_other_s),
            requester_wait_statuses=frozenset(chosen.requester_wait_statuses),
            agent_work_statuses=frozenset(chosen.agent_work_statuses),
            on_hold_statuses=frozenset(chosen.on_hold_statuses),
            service_level_targets_ms={
                channel: _ms(target) for channel, target in chosen.service_level_targets_s.items()
            },
            service_level_target_other_ms=_ms(chosen.service_level_target_other_s),
            short_abandon_ms=_ms(chosen.short_abandon_s),
            abandon_after_ms=_ms(chosen.abandon_after_s),
            service_level=chosen.service_level,
            staffing_target=chosen.staffing_target,
            staffing_patience_ms=_ms(chosen.staffing_patience_s) or None,
            reopen_window_ms=chosen.reopen_window_days * DAY_MS,
            fcr_window_ms=chosen.fcr_window_days * DAY_MS,
            fcr_same_category=chosen.fcr_same_category,
            gross_margin=chosen.gross_margin,
            activation_action=chosen.activation_action,
            activation_window_ms=chosen.activation_window_days * DAY_MS,
            custom_kpis=read_kpis(self.kpi),
            schedules=self.schedules.among(self.schedule),
            sla=policies_among(self.sla, self.schedule),
        )


def load_settings(config: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of the file, the variables and the command line (``overrides``, nested by section).

    Without ``config`` the file is the one that STREAM_KPI_CONFIG names, if any. Raises UserError: one line for each
    wrong setting, ``key = value: what is allowed``, of a `[[kpi]]` table after the file and the number of its line.
    """
    chosen = config or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    from_file = _read(chosen) if chosen else {}
    _refuse_unknown_variables()

    class Loaded(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, from_file)

    try:
        return Loaded(**dict(overrides or {}))
    except ValidationError as error:
        raise UserError("\n".join(_complaints(error, chosen)), WRONG_USAGE) from error
    except SettingsError as error:
        raise UserError(f"{error}: must be JSON, or set its keys one by one with __", WRONG_USAGE) from error


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _read(config: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{config}: cannot be read ({error.strerror})", WRONG_USAGE) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{config}: is not TOML ({error})", WRONG_USAGE) from error


def _refuse_unknown_variables() -> None:
    """A misspelt variable would otherwise be passed over in silence (below a section, pydantic refuses it itself)."""
    names = {f"{ENVIRONMENT_PREFIX}{name}".upper() for name in Settings.model_fields}
    for variable in sorted(os.environ):
        known = variable == CONFIG_VARIABLE or variable.upper().split("__")[0] in names
        if variable.upper().startswith(ENVIRONMENT_PREFIX) and not known:
            hint = _hint(variable, {CONFIG_VARIABLE, *names})
            raise UserError(f"{variable} = {os.environ[variable]}: there is no such setting{hint}", WRONG_USAGE)


def _complaints(error: ValidationError, config: Path | None) -> list[str]:
    lines = []
    for detail in error.errors():
        complaints = detail.get("ctx", {}).get("complaints")
        if complaints is not None and config is not None and not _is_variable("kpi"):
            toml = config.read_text(encoding="utf-8")
            for table, key, line in complaints:
                number = line_number(toml, table, key)
                lines.append(line if number is None else f"{config} line {number}: {line}")
            continue
        if detail["type"] == LINES_OF_COMPLAINT:
            lines += detail["msg"].splitlines()
            continue
        key = ".".join(str(part) for part in detail["loc"]) or "settings"
        value = detail["input"]
        shown = "" if isinstance(value, BaseModel | dict) else f" = {value}"
        if detail["type"] == "extra_forbidden":
            allowed = f"there is no such setting{_hint(key, set(setting_keys()))}"
        else:
            allowed = detail["msg"].removeprefix("Value error, ").replace("Input should", "must")
        lines.append(f"{key}{shown}: {allowed}")
    return lines


def _is_variable(key: str) -> bool:
    """Whether a variable sets it, so that the file's has no effect."""
    return f"{ENVIRONMENT_PREFIX}{key}".upper() in map(str.upper, os.environ)


def setting_keys() -> list[str]:
    """Return the key of every setting, dotted, in the order of their sections."""
    keys = []
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            keys += [f"{name}.{key}" for key in section.model_fields]
        else:
            keys.append(name)
    return keys


def _hint(key: str, known: set[str]) -> str:
    close = get_close_matches(key, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
