"""The next step of a recommendation, by its stage, its citations and the outcomes of the Committee."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.events.words import SENT_BACK
from tools.console.navigation import N_


@dataclass(frozen=True)
class Next:
    """The likely next step: the word of its command, if it is one, and a sentence."""

    word: str | None
    sentence: str


_NEXT = {
    "uncited": Next("cite", N_("Cite a mandate: it rests on none that is live.")),
    "suspect": Next(
        "reconfirm", N_("Reconfirm a suspect citation, or cite a live mandate: none that it cites is live.")
    ),
    "drafted": Next("adopt", N_("Adopt it at a meeting that was held.")),
    "adopted": Next("transmit", N_("Transmit it to a session of the Committee.")),
    "transmitted": Next("dispose", N_("Record what the Committee did with it.")),
    "deferred": Next("dispose", N_("Record what a later session of the Committee did with it: it was deferred.")),
    "sent_back": Next("revise", N_("Revise and adopt it anew, or transmit it again.")),
    "disposed": Next("report-follow-up", N_("Report what was done with it, and what shows it.")),
    "withdrawn": Next(None, N_("Nothing: it was withdrawn.")),
    "superseded": Next(None, N_("Nothing: a later recommendation took its place.")),
    "merged": Next(None, N_("Nothing: it was merged into another.")),
    "split": Next(None, N_("Nothing: it was split into others.")),
    "void": Next(None, N_("Nothing: it is void.")),
}


def next_step(stage: str, outcomes: Sequence[str], live: int, cited: int) -> Next:
    """Return what comes next: by the stage, the outcomes of the Committee, and how many citations are live, of all."""
    outcome = outcomes[-1] if outcomes else ""
    if stage in ("drafted", "adopted") and not live:
        return _NEXT["suspect" if cited else "uncited"]
    if stage == "disposed" and outcome in SENT_BACK:
        return _NEXT["sent_back"]
    return _NEXT["deferred" if stage == "transmitted" and outcome == "deferred" else stage]


def of_trace(trace: Mapping[str, Any]) -> Next:
    """Return what comes next for the recommendation of a trace."""
    standings = [each["standing"] for each in trace["mandates"] if each["standing"] != "uncited"]
    outcomes = [each["outcome"] for each in trace["dispositions"]]
    return next_step(trace["recommendation"]["standing"], outcomes, standings.count("live"), len(standings))


def of_row(row: Mapping[str, Any]) -> Next:
    """Return what comes next for a row of the list of traces."""
    return next_step(row["stage"], row["dispositions"], row["mandates"]["live"], row["mandates"]["all"])
