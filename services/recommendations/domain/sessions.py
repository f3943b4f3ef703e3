"""Sessions by body and number: the Committee's own streams, and those of other bodies."""

from __future__ import annotations

from shared.domain.slugs import slug

_COMMITTEE = (frozenset({"ced"}), frozenset({"committee"}), frozenset({"committee", "environment", "development"}))
_LEFT_OUT = frozenset({"the", "escap", "on", "and"})


def is_the_committee(body: str) -> bool:
    """Tell whether a body's name is one of those of the Committee."""
    return frozenset(slug(body).split("-")) - _LEFT_OUT in _COMMITTEE


def session_stream(body: str, session: int) -> str:
    """Return the stream of a body's session."""
    return f"session/{session}" if is_the_committee(body) else f"body_session/{slug(body)}-{session}"
