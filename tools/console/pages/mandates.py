"""Mandates: the page of an instrument with its provisions, duties, relations, and what rests on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from shared.events.values import latest_day
from tools.console.kinds import filled
from tools.console.pages.records import record_content
from tools.console.pages.request import renderer, services
from tools.console.services import Missing
from tools.console.times import today

router = APIRouter()
SERVICE = "recommendations"
MOST = 100
_RELATIONS = ("superseded", "reaffirmed", "carried", "endorsed")


@dataclass(frozen=True)
class Duty:
    """A report that a provision asks for: its standing is not yet due, overdue or discharged."""

    provision: str
    body: str
    session: int | None
    due: str | None
    standing: str
    discharged: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Resting:
    """The traces that rest on a provision; `more` where there are more than a page of them."""

    rows: list[dict[str, Any]]
    more: bool


@router.get("/instruments/{instrument}")
async def instrument(request: Request) -> Response:
    """Show one instrument: whether it is live, what it asks of whom, and what rests on it."""
    stream = f"instrument/{request.path_params['instrument']}"
    content, resting = await asyncio.gather(
        record_content(request, "instrument"),
        services(request).part(SERVICE, "/dependants", stream=stream, limit=MOST),
    )
    state = content["record"]["state"]
    by_provision, names = await asyncio.gather(_by_provision(request, state, resting), _related(request, state))
    return renderer(request).page(
        request, "instrument.html", resting=resting, duties=duties_of(state, today()), by_provision=by_provision,
        names=names, **content,
    )  # fmt: skip


def duties_of(state: Mapping[str, Any], day: date) -> list[Duty]:
    """Return the reports that the provisions of an instrument ask for, each with its standing on a day."""
    given = {each["data"]["provision"]: each["data"] for each in state.get("discharged", ())}
    return list(_duties(state, given, day))


def _duties(state: Mapping[str, Any], given: Mapping[str, Any], day: date) -> Iterator[Duty]:
    for each in state.get("provisions", ()):
        data = each["data"]
        if duty := data.get("reporting_duty"):
            discharged = given.get(data["provision"])
            due = duty.get("due")
            late = due is not None and latest_day(due) < day
            standing = "discharged" if discharged else "overdue" if late else "not_yet_due"
            yield Duty(data["provision"], duty["body"], duty.get("session"), due, standing, discharged)


async def _by_provision(request: Request, state: Mapping[str, Any], resting: Any) -> dict[str, Resting | Missing]:
    """Return the traces that cite each provision, up to a number of provisions, or what is missing of them.

    Nothing is looked up where nothing rests on the instrument.
    """
    if isinstance(resting, Missing) or not resting["count"]:
        return {}
    provisions = [each["data"]["provision"] for each in state.get("provisions", ())][:MOST]
    query = {"view": "row", "limit": MOST}
    answers = await services(request).parts(
        *((SERVICE, "/traces", {**query, "provision": provision}) for provision in provisions)
    )
    return {
        provision: answer if isinstance(answer, Missing) else Resting(answer["items"], "next" in answer)
        for provision, answer in zip(provisions, answers, strict=True)
    }


async def _related(request: Request, state: Mapping[str, Any]) -> dict[str, str]:
    """Return how the instruments that it is related to are cited, by id."""
    named = sorted({each["data"]["by"] for name in _RELATIONS for each in state.get(name, ())})
    records = await services(request).parts(
        *((SERVICE, filled("/instruments/{instrument}", {"instrument": each}), {}) for each in named)
    )
    return {
        each: record["state"]["registered"]["data"]["cite"]
        for each, record in zip(named, records, strict=True)
        if not isinstance(record, Missing) and "registered" in record["state"]
    }
