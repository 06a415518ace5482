"""A configuration as its file is now, for reading: no secret is in it."""

from __future__ import annotations

from typing import Any

from collective.maildrophost.engine.config import (
    OPTIONS,
    Configuration,
    Kind,
    Option,
    Secret,
)

NOT_SHOWN = {"PYTHON", "SUPERVISED_DAEMON", "SMTP_PORT"}
"""Options without a meaning today, or shown in the value of another one."""
MASK = "••••••••"

_RELAYS = "SMTP_HOST"


def options(configuration: Configuration) -> list[dict[str, str]]:
    """Name and value of every option, in the order of the documentation."""
    return [
        {
            "name": option.name,
            "value": _text(_value(configuration, option)),
        }
        for option in OPTIONS
        if option.name not in NOT_SHOWN
    ]


def _value(configuration: Configuration, option: Option) -> Any:
    if option.name == _RELAYS:
        return configuration.relays
    value = getattr(configuration, option.attribute)
    return value.redacted() if option.kind is Kind.QUEUE else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Secret):
        return MASK if value else ""
    if isinstance(value, tuple):
        return "; ".join(str(each) for each in value)
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)
