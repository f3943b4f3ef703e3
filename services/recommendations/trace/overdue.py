"""Facts past due on a day, in words: a trace does not hold them, since they depend on the day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from services.recommendations.domain.actions import ENDED, latest_by_action
from shared.domain.dates import in_words
from shared.events.values import latest_day


def past_due(trace: Mapping[str, Any], today: date) -> list[str]:
    """Return what of a trace is past due."""
    actions = latest_by_action(trace["follow_up"])
    return [*_priority(trace.get("priority", {}), actions, today), *_actions(actions, today), *_reports(trace, today)]


def _priority(priority: Mapping[str, Any], actions: list[dict[str, Any]], today: date) -> Iterator[str]:
    done = bool(actions) and all(item["progress"] in ENDED for item in actions)
    end = priority.get("timeline_to")
    if end and latest_day(end) < today and not done and "closed" not in priority:
        yield f"The priority {priority['priority']} was to be achieved by {in_words(end)}."


def _actions(actions: list[dict[str, Any]], today: date) -> Iterator[str]:
    for item in actions:
        due, named = item.get("due"), f" on {item['action']}" if "action" in item else ""
        if due and item["progress"] not in ENDED and latest_day(due) < today:
            yield f"A follow-up{named} was due by {in_words(due)} and is {item['progress'].replace('_', ' ')}."


def _reports(trace: Mapping[str, Any], today: date) -> Iterator[str]:
    for mandate in trace["mandates"]:
        duty = mandate.get("reporting_duty", {})
        due = duty.get("session_starts_on") or duty.get("due")
        if due and "reports" not in mandate and latest_day(due) < today:
            yield f"The report that {mandate['cite']} asks for was due by {in_words(due)}."
