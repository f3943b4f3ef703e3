"""The forms of all commands: most are made from the command's fields, some have a page of their own."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from tools.client import api
from tools.console.pages.commands import Page
from tools.console.pages.corrections import RightingPage
from tools.console.pages.meeting_forms import AgendaOrder, Attendance

_OWN: Mapping[tuple[str, str], type[Page]] = {
    ("meeting", "record-attendance-list"): Attendance,
    ("meeting", "order-agenda"): AgendaOrder,
}
_OF_ALL: Mapping[str, type[Page]] = {"correct": RightingPage, "void": RightingPage}


def page_of(command: api.Command) -> Page:
    """Return the page of a command's form."""
    return _OWN.get((command.noun, command.word), _OF_ALL.get(command.word, Page))(command)


def _router() -> APIRouter:
    router = APIRouter()
    for command in api.commands():
        page = page_of(command)
        router.add_api_route(page.address, page.show, methods=["GET"], name=command.name)
        router.add_api_route(page.address, page.send, methods=["POST"])
    return router


router = _router()
