"""docs/settings.md, made from the settings themselves: ``python -m stream_kpi.settings_page [--check]``."""

from __future__ import annotations

import argparse
import sys
from inspect import cleandoc
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stream_kpi.settings import CONFIG_VARIABLE, ENVIRONMENT_PREFIX, Settings

PAGE = Path("docs/settings.md")

_INTRODUCTION = f"""\
# Settings

Every setting has a default. They are read from one TOML file (`--config FILE`, or `{CONFIG_VARIABLE}`) and from
variables; a variable wins over the file, an option of the command line over both. Keys that are not on this page are
refused, and so are values that are not allowed: one line each, `key = value: what is allowed`, exit status 2.

    zone = "Europe/Berlin"

    [broker]
    address = "kafka-1:9092,kafka-2:9092"

    [definitions.response_targets_s]
    email = 14400

A variable's value for a list or a table is JSON. This page is generated (`make generated`).
"""


def page() -> str:
    """Return the page's text."""
    plain: dict[str, FieldInfo] = {}
    sections: dict[str, type[BaseModel]] = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            sections[name] = field.annotation
        else:
            plain[name] = field
    parts = [_INTRODUCTION, _table(Settings, plain, "")]
    for name, section in sections.items():
        meaning = cleandoc(section.__doc__ or "")
        parts += [f"## [{name}]\n\n{meaning}\n", _table(section, section.model_fields, f"{name}.")]
    return "\n".join(parts)


def _table(model: type[BaseModel], fields: dict[str, FieldInfo], prefix: str) -> str:
    properties = model.model_json_schema()["properties"]
    rows = ["| key | default | allowed | what it is |", "|---|---|---|---|"]
    for name, field in fields.items():
        variable = f"{ENVIRONMENT_PREFIX}{(prefix + name).replace('.', '__').upper()}"
        meaning = " ".join((field.description or "").split())
        allowed = _allowed(properties[name])
        default = "not set" if field.default is None else f"`{_toml(field.default)}`"
        rows.append(f"| `{prefix}{name}`<br>`{variable}` | {default} | {allowed} | {meaning} |")
    return "\n".join(rows) + "\n"


def _allowed(schema: dict[str, Any]) -> str:
    """Return in words what a JSON schema allows."""
    if "anyOf" in schema:  # a setting that need not be set: the other one is null
        return _allowed(schema["anyOf"][0])
    kind = schema.get("type")
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if kind == "array":
        return f"a list of {_allowed(schema['items'])}"
    if kind == "object" and schema["additionalProperties"] is True:
        return "tables"
    if kind == "object":
        return f"a table of name = {_allowed(schema['additionalProperties'])}"
    if kind == "boolean":
        return "`true`, `false`"
    if kind in ("number", "integer"):
        least = f"{schema['minimum']:g} to" if "minimum" in schema else f"above {schema['exclusiveMinimum']:g}, to"
        return f"{'a whole number, ' if kind == 'integer' else ''}{least} {schema['maximum']:g}"
    pattern = schema.get("pattern")
    return f"text matching `{pattern}`" if pattern else "text"


def _toml(value: object) -> str:
    """Return a default as it would stand in the file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, frozenset):
        return f"[{', '.join(_toml(one) for one in sorted(value, reverse=True))}]"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(one)}' for key, one in value.items())} }}"
    return str(value)


def main() -> int:
    """Write the page, or compare it with the file: exit status 1 when it differs."""
    parser = argparse.ArgumentParser(prog="python -m stream_kpi.settings_page", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if the page is stale")
    if parser.parse_args().check:
        stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page()
        if stale:
            sys.stderr.write(f"{PAGE} is not up to date: make generated\n")
        return int(stale)
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
