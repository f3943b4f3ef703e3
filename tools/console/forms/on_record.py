"""Values with which a form starts: those on record that its command gives anew as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tools.client import api
from tools.console.forms.fields import Field, leaves
from tools.console.forms.values import typed_from


def filled_in(command: api.Command, fields: Sequence[Field], state: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what a person would have typed for what is on record; for a command that adds to it, the zone of times."""
    whole = _WHOLE.get((command.noun, command.word))
    return typed_from(fields, whole(state)) if whole else _zone(fields, state)


def _zone(fields: Sequence[Field], state: Mapping[str, Any]) -> dict[str, list[str]]:
    zone = state.get("particulars", {}).get("time_zone")
    return {"time_zone": [zone]} if zone and any(field.kind == "time" for field in leaves(fields)) else {}


def _of_nomination(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a nomination as it stands, with the details that the reader sees; its person stays the same."""
    particulars = state.get("particulars", {})
    return {name: value for name, value in particulars.items() if name != "person"} | {
        "details": state.get("details", {})
    }


def _of_meeting(state: Mapping[str, Any]) -> Mapping[str, Any]:
    own: Mapping[str, Any] = state.get("particulars", {})
    return own


_WHOLE: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    ("nomination", "amend"): _of_nomination,
    ("nomination", "resubmit"): _of_nomination,
    ("meeting", "reschedule"): _of_meeting,
}
