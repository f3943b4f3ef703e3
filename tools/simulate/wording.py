"""Sentences that mean nothing and read as such records do. Every title says that it is synthetic."""

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
_WHO = ("member States", "the secretariat", "the working parties", "subregional offices", "partner bodies")
_VERBS = ("strengthen", "review", "share experience on", "monitor", "harmonize", "report on", "assess", "support")
_WHAT = (
    "the exchange of measurements", "early warning arrangements", "methods of accounting", "regional indicators",
    "the training of practitioners", "joint programmes of work", "baseline studies", "voluntary reporting",
    "pilot projects", "data of open access", "the use of guidelines", "cooperation across borders",
)  # fmt: skip
_HOW = (
    "taking national circumstances into account", "within existing resources", "with due regard to vulnerable groups",
    "in consultation with those concerned", "on a voluntary basis", "before the next session", "step by step",
    "building on what was learned in earlier rounds",
)  # fmt: skip
BODIES = ("Synthetic Commission", "Synthetic Assembly", "Synthetic Committee")


def clause(chance: Chance) -> str:
    """Return a few words."""
    return f"{chance.pick(_VERBS)} {chance.pick(_WHAT)}"


def title(chance: Chance, kind: str) -> str:
    """Return the title of something of a kind."""
    return f"Synthetic {kind}: {clause(chance)}"


def text(chance: Chance, sentences: int) -> str:
    """Return so many sentences."""
    return " ".join(
        f"It invites {chance.pick(_WHO)} to {clause(chance)}, {chance.pick(_HOW)}." for _ in range(sentences)
    )


def box(chance: Chance) -> str:
    """Return what looks like a sealed box; it holds nothing."""
    return "SYNTHETIC" + chance.hexadecimal(chance.between(70, 110))
