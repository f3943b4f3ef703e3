"""Local times as a person types them, made into times with the offset of their zone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from tools.console import times
from tools.console.forms.fields import Field, leaves

_LOCAL = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?")


def with_offsets(fields: Sequence[Field], typed: Mapping[str, list[str]], zone: str) -> dict[str, list[str]]:
    """Return what was typed, its local times with the offset that the zone of the form, or else `zone`, has then."""
    chosen = (typed.get("time_zone") or [""])[0].strip() or zone
    times_typed = [field.name for field in leaves(fields) if field.kind == "time" and typed.get(field.name)]
    return dict(typed) | {name: [_with_offset(typed[name][0].strip(), chosen)] for name in times_typed}


def _with_offset(text: str, zone: str) -> str:
    """Return a local time with its offset; any other text, and a time that a clock shows twice or never, as it is."""
    if _LOCAL.fullmatch(text) is None or zone not in times.zones():
        return text
    try:
        local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        return text
    is_certain = local.utcoffset() == local.replace(fold=1).utcoffset()
    return local.isoformat() if is_certain else text
