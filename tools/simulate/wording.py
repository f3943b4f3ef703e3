"""Meaningless sentences in the style of such records. Every title says that it is synthetic."""

from __future__ import annotations

from tools.simulate.chance import Chance

THEMES = (
    "Synthetic theme: air",
    "Synthetic theme: coasts",
    "Synthetic theme: forests",
    "Synthetic theme: cities",
    "Synthetic theme: freshwater",
    "Synthetic theme: soils",
    "Synthetic theme: oceans",
    "Synthetic theme: mountains",
)
_ADDRESSEES = ("member States", "the secretariat", "the working parties", "subregional offices", "partner bodies")
_VERBS = ("strengthen", "review", "share experience on", "monitor", "harmonize", "report on", "assess", "support")
_OBJECTS = (
    "the exchange of measurements", "early warning arrangements", "methods of accounting", "regional indicators",
    "the training of practitioners", "joint programmes of work", "baseline studies", "voluntary reporting",
    "pilot projects", "data of open access", "the use of guidelines", "cooperation across borders",
)  # fmt: skip
_MANNERS = (
    "taking national circumstances into account", "within existing resources", "with due regard to vulnerable groups",
    "in consultation with those concerned", "on a voluntary basis", "before the next session", "step by step",
    "building on what was learned in earlier rounds",
)  # fmt: skip
BODIES = ("Synthetic Commission", "Synthetic Assembly", "Synthetic Committee")


def clause(chance: Chance) -> str:
    """Return a verb with its object."""
    return f"{chance.pick(_VERBS)} {chance.pick(_OBJECTS)}"


def title(chance: Chance, kind: str) -> str:
    """Return a title with its kind."""
    return f"Synthetic {kind}: {clause(chance)}"


def text(chance: Chance, sentences: int) -> str:
    """Return a text of `sentences` sentences."""
    return " ".join(
        f"It invites {chance.pick(_ADDRESSEES)} to {clause(chance)}, {chance.pick(_MANNERS)}." for _ in range(sentences)
    )


def box(chance: Chance) -> str:
    """Return random text in place of a sealed box."""
    return "SYNTHETIC" + chance.hexadecimal(chance.between(70, 110))
