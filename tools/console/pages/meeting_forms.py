"""Forms of a meeting that are lists: the attendance of the group, and the order of the agenda."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from tools.console.forms.fields import Field
from tools.console.forms.sheet import Sheet
from tools.console.forms.values import body_of
from tools.console.kinds import filled
from tools.console.pages.commands import Page
from tools.console.pages.request import services
from tools.console.services import Missing

MOST = 1_000
PRESENCE, PLACE = "presence.", "place."
_LAST = 10**6


class Attendance(Page):
    """The form of several attendances: the members of the group on the meeting's day, each with a presence."""

    template = "attendance.html"

    def body(self, request: Request, sheet: Sheet) -> dict[str, Any]:
        """Return the body: those for whom a presence was chosen, or the rows as typed where there was no roster."""
        names = [name for name, texts in sheet.typed.items() if name.startswith(PRESENCE) and texts[0]]
        sheet.places = {f"attendance.{index}": name for index, name in enumerate(names)}
        chosen = [{"membership": name.removeprefix(PRESENCE), "presence": sheet.value(name)} for name in names]
        return body_of(sheet.fields, sheet.typed) | ({"attendance": chosen} if chosen else {})

    async def content(self, request: Request, sheet: Sheet) -> dict[str, Any]:
        """Return the roster on the meeting's day, and who is on record already."""
        state = await _meeting(request)
        day = str(state.get("particulars", {}).get("starts_at") or "")[:10]
        roster = await services(request).part(
            "nominations", "/roster", on=day if len(day) == len("2026-11-28") else None, limit=MOST
        )
        listed = _entries(state, "attendance")
        return {
            "roster": roster, "attendance": {each["membership"]: each["presence"] for each in listed},
            "presences": _words(sheet, "attendance", "presence"), "others": _without(sheet, "attendance"),
        }  # fmt: skip


class AgendaOrder(Page):
    """The form of the order of an agenda: its items, each with a number."""

    template = "agenda_order.html"

    def body(self, request: Request, sheet: Sheet) -> dict[str, Any]:
        """Return the body: the items by their numbers, those with the same in the order in which they stood."""
        places = {
            name.removeprefix(PLACE): _number(texts[0]) for name, texts in sheet.typed.items() if name.startswith(PLACE)
        }
        items = sorted(places, key=lambda item: places[item])
        sheet.places = {f"items.{index}": PLACE + item for index, item in enumerate(items)}
        return body_of(sheet.fields, sheet.typed) | ({"items": items} if items else {})

    async def content(self, request: Request, sheet: Sheet) -> dict[str, Any]:
        """Return the items of the agenda in their order."""
        return {"agenda": _entries(await _meeting(request), "agenda"), "others": _without(sheet, "items")}


async def _meeting(request: Request) -> Mapping[str, Any]:
    record = await services(request).part("meetings", filled("/meetings/{meeting}", request.path_params))
    state: Mapping[str, Any] = {} if isinstance(record, Missing) else record["state"]
    return state


def _entries(state: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the facts of one list of a meeting's proceedings."""
    return [each["fact"] for each in state.get("proceedings", {}).get(name, ())]


def _words(sheet: Sheet, name: str, inner: str) -> tuple[str, ...]:
    """Return the words of a field within the rows of a list."""
    field = next(each for each in sheet.fields if each.name == name)
    assert field.of.item is not None
    return next(tuple(each.words) for each in field.of.item.fields if each.name == inner)


def _without(sheet: Sheet, name: str) -> list[Field]:
    return [field for field in sheet.main if field.name != name]


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < len(str(_LAST)) else _LAST
