"""The lists of values that events may carry, in one place, extended by adding.

Each list is a `Literal`; `words(List)` gives its values in order.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

Status = Literal["verified", "inferred", "recalled", "unknown"]
Progress = Literal["not_started", "under_implementation", "implemented", "not_pursued", "unknown"]
DispositionOutcome = Literal[
    "endorsed", "endorsed_with_changes", "noted", "deferred", "returned", "not_endorsed", "unknown"
]
NO_DECISION: frozenset[DispositionOutcome] = frozenset({"returned", "deferred", "unknown"})
"""The outcomes that leave the decision open."""
SENT_BACK: frozenset[DispositionOutcome] = frozenset({"returned", "unknown"})
"""The outcomes after which a recommendation may be transmitted again, to the same session too."""
Modality = Literal["in_person", "online", "hybrid", "unknown"]
MeetingKind = Literal[
    "technical_expert_group", "preparatory", "expert_group", "forum", "working_group", "consultation", "other"
]
Presence = Literal["in_room", "remote"]
Confirmer = Literal["chair", "secretariat"]
OutcomeKind = Literal["decision", "action_point"]
ActionPointEnd = Literal["done", "dropped"]
Category = Literal["official", "academia", "civil_society", "other"]
Capacity = Literal["principal", "alternate"]
Channel = Literal["note_verbale", "letter", "email", "portal", "other"]
DeclineGround = Literal["not_eligible", "duplicate", "withdrawn_by_government"]
MembershipEnd = Literal["term_ended", "replaced", "withdrawn_by_government", "other"]
RecommendationKind = Literal["policy", "advocacy", "intergovernmental_action"]
SessionLevel = Literal["ministerial", "senior_officials", "unknown"]
PriorityEnd = Literal["achieved", "lapsed", "replaced", "other"]
CallerRole = Literal["secretariat", "focal_point", "chair", "expert", "operator", "auditor"]
Role = Literal[CallerRole, "system"]


def words(listed: Any) -> tuple[str, ...]:
    """Return the values of one of the lists above."""
    return get_args(listed)
