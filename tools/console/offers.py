"""Offers of commands on a record by its stage, the likely one first; a stage that is not here offers all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.client import api

_RIGHT = ("correct", "void")
_AGENDA = ("add-agenda-item", "order-agenda", "disseminate-document")
_AFTER = ("record-outcome", "close-action-point", "record-attendance", "record-attendance-list", "disseminate-document")
_TEXT = ("revise", "record-origin", "discuss")
_CITATIONS = ("cite", "reconfirm", "uncite")
_CARRIED = ("report-follow-up", "carry")
_ENDS = ("supersede", "merge", "split", "withdraw", *_RIGHT)
ALLOWED: Mapping[str, Mapping[str, Sequence[str]]] = {
    "call": {"open": ("close", *_RIGHT), "closed": _RIGHT, "void": ("void",)},
    "nomination": {
        "submitted": ("accept", "return", "decline", "amend", "withdraw", *_RIGHT),
        "returned": ("resubmit", "withdraw", *_RIGHT),
        "accepted": ("withdraw", *_RIGHT),
        "declined": _RIGHT,
        "withdrawn": _RIGHT,
        "void": ("void",),
    },
    "membership": {"active": ("change", "end", *_RIGHT), "ended": _RIGHT, "void": ("void",)},
    "meeting": {
        "proposed": ("confirm", *_AGENDA, "reschedule", "cancel", *_RIGHT),
        "convened": ("hold", *_AGENDA, "record-attendance", "record-attendance-list", "reschedule", "cancel", *_RIGHT),
        "held": (*_AFTER, "add-agenda-item", *_RIGHT),
        "recorded": (*_AFTER, "add-agenda-item", "order-agenda", *_RIGHT),
        "cancelled": _RIGHT,
        "void": ("void",),
    },
    "instrument": {"void": ("void",)},
    "recommendation": {
        "drafted": ("adopt", *_TEXT, *_CITATIONS, *_CARRIED, *_ENDS),
        "adopted": ("transmit", "adopt", *_TEXT, *_CITATIONS, *_CARRIED, *_ENDS),
        "transmitted": ("dispose", "transmit", "adopt", *_TEXT, *_CITATIONS, *_CARRIED, *_ENDS),
        "disposed": (*_CARRIED, "dispose", "transmit", "adopt", *_TEXT, *_CITATIONS, *_ENDS),
        **dict.fromkeys(("withdrawn", "superseded", "merged", "split"), _RIGHT),
        "void": ("void",),
    },
    "notification": {"failed": ("resend", *_RIGHT), "uncertain": ("resend", *_RIGHT)},
}


def offered(
    commands: Sequence[api.Command], noun: str, stage: str | None, first: str | None = None
) -> list[api.Command]:
    """Return those of some commands that a record offers at its stage, in order; `first` before the others."""
    if stage is None or stage not in ALLOWED.get(noun, {}):
        return list(commands)
    words = ALLOWED[noun][stage]
    allowed = (each for each in commands if each.word in words)
    return sorted(allowed, key=lambda each: (each.word != first, words.index(each.word)))
