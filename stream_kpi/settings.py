"""Settings: one TOML file and ``STREAM_KPI_*`` variables. Wrong ones are refused with key, value and what is allowed.

A variable's name is its key in capitals with ``__`` for the dot: ``broker.address`` is ``STREAM_KPI_BROKER__ADDRESS``.
The command line's options win over variables, variables over the file.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from stream_kpi.calendars.offsets import zone_info
from stream_kpi.errors import WRONG_USAGE, UserError
from stream_kpi.lifecycles.options import Options
from stream_kpi.settings_definitions import OF_FORMULAS, DefinitionSettings
from stream_kpi.settings_kpis import KpiTables, line_number, read_kpis
from stream_kpi.settings_schedules import LINES_OF_COMPLAINT, ScheduleSettings, ScheduleTables, complaints_as_they_are
from stream_kpi.settings_sections import (
    NAME_PATTERN,
    NO_COLON_PATTERN,
    BrokerSettings,
    MetricSettings,
    RedisSettings,
    RetentionSettings,
    TopicSettings,
    WebSettings,
)
from stream_kpi.settings_sla import SlaTables, check_policies, policies_among

ENVIRONMENT_PREFIX = "STREAM_KPI_"
CONFIG_VARIABLE = "STREAM_KPI_CONFIG"
"""Names the TOML file when --config does not."""

DAY_MS = 86_400_000

_TABLE, _NUMBER, _WHOLE, _TRUTH = (
    "must be a table",
    "must be a number",
    "must be a whole number",
    "must be true or false",
)
_IN_WORDS_OF_TOML: Final[Mapping[str, str]] = {
    "tuple_type": "must be tables, each headed [[{key}]]",
    "dict_type": _TABLE,
    "model_type": _TABLE,
    "string_type": "must be a text, in quotes",
    "string_too_short": "must be a text of at least one character",
    "frozen_set_type": "must be a list of texts, in brackets",
    "too_short": "must have at least one value",
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
}
"""What is allowed, by the type of pydantic's complaint, where its own words are Python's."""
_IN_WORDS: Final[Mapping[str, str]] = {
    NAME_PATTERN: "must be a name of letters a to z, digits, dots, _ and -",
    NO_COLON_PATTERN: "must be a text without a colon",
}
"""What is allowed, by the pattern that a text does not match."""


def _known_zone(name: str) -> str:
    return zone_info(name).key


Zone = Annotated[str, AfterValidator(_known_zone)]


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
    )

    app_id: str = Field("stream-kpi", pattern=NAME_PATTERN, max_length=100)
    """Names the consumer group, the internal topics and the producers. Two apps on one cluster need two."""
    zone: Zone = "UTC"
    """IANA time zone that days and months follow."""
    clock: Literal["wall", "event"] = "wall"
    """wall: live; event: a past log is replayed, and time is that of its events."""
    lateness_s: float = Field(600, ge=0, le=7 * 86_400)
    """A closed window is final so long after its end; what comes later corrects it."""
    future_skew_s: float = Field(300, ge=0, le=86_400)
    """An event further ahead of the clock is put aside (wall clock only)."""
    flush_interval_s: float = Field(0.4, ge=0.01, le=60)
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
    redis: RedisSettings = RedisSettings()

    @field_validator("sla")
    @classmethod
    def _clocks_are_known(cls, sla: SlaTables, info: ValidationInfo) -> SlaTables:
        if "schedule" in info.data:
            policies_among(sla, info.data["schedule"])
        else:  # a schedule is wrong; what else is has to be told with it
            check_policies(sla)
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

    def counted_with(self) -> dict[str, str]:
        """Return what the counts depend on and has not its default, as JSON, by its key: the state that they are in is
        no use with another. Schedules and service levels are not among these: docs/business-time.md and docs/sla.md say
        what may become of them."""
        definitions = self.definitions
        chosen: dict[str, object] = {
            f"definitions.{name}": getattr(definitions, name)
            for name, field in type(definitions).model_fields.items()
            if name not in OF_FORMULAS and getattr(definitions, name) != field.default
        }
        for section, name in ((self, "zone"), (self.broker, "partitioner")):
            if getattr(section, name) != type(section).model_fields[name].default:
                chosen["zone" if section is self else f"broker.{name}"] = getattr(section, name)
        return {key: _in_order(value) for key, value in chosen.items()}


def _in_order(value: object) -> str:
    """As JSON that is the same whenever the value is."""
    return json.dumps(sorted(value) if isinstance(value, frozenset) else value, sort_keys=True)


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
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 pydantic's signature
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 pydantic's signature
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, from_file)

    try:
        return Loaded(**dict(overrides or {}))
    except ValidationError as error:
        raise UserError("\n".join(_complaints(error, chosen)), WRONG_USAGE) from error
    except SettingsError as error:
        raise UserError("\n".join(_unreadable_variables(error)), WRONG_USAGE) from error


def _unreadable_variables(error: SettingsError) -> list[str]:
    """A line for each variable that has to be JSON and holds the text that was found to be none."""
    text = getattr(error.__cause__, "doc", None)
    lines = []
    for variable, value in sorted(os.environ.items()):
        if variable.upper().startswith(ENVIRONMENT_PREFIX) and value == text:
            field = Settings.model_fields.get(variable[len(ENVIRONMENT_PREFIX) :].lower())
            section = field is not None and isinstance(field.default, BaseModel)
            lines.append(f"{variable} = {value}: must be JSON{', or set its keys one by one with __' * section}")
    return lines or [f"{error}: must be JSON"]


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
        shown = "" if value is None or isinstance(value, BaseModel | dict) else f" = {value}"
        if detail["type"] == "extra_forbidden":
            allowed = f"there is no such setting{_hint(key, set(setting_keys()))}"
        elif detail["type"] == "string_pattern_mismatch":
            allowed = _IN_WORDS[detail["ctx"]["pattern"]]
        elif detail["type"] in _IN_WORDS_OF_TOML:
            allowed = _IN_WORDS_OF_TOML[detail["type"]].format(key=key)
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
