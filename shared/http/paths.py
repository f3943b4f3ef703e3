"""Path parameters of records, the forms of ids, and the endpoint signatures that FastAPI reads."""

from __future__ import annotations

import inspect
import re
from typing import Annotated, Any

from fastapi import Path

from shared.events.values import ACRONYM, ID, ID_IN_WORDS
from shared.events.wording import form
from shared.http.auth import Principal, allow

_YEAR, _NUMBER, _SESSION, _TOPIC = r"[12][0-9]{3}", r"R[1-9][0-9]{0,4}", r"[1-9][0-9]{0,2}", r"[a-z.]{1,100}"
_ACRONYM = form(f"^{ACRONYM}$", "the Committee's acronym: 2 to 10 capitals and digits, a capital first, as in CED")
Committee = Annotated[str, Path(pattern=_ACRONYM, examples=["CED"])]
Year = Annotated[str, Path(pattern=form(f"^{_YEAR}$", "a year, as in 2022"), examples=["2022"])]
Number = Annotated[str, Path(pattern=form(f"^{_NUMBER}$", "R and a number, as in R1"), examples=["R1"])]
Session = Annotated[str, Path(pattern=form(f"^{_SESSION}$", "the number of a session, from 1 to 999"), examples=["7"])]
Topic = Annotated[str, Path(pattern=form(f"^{_TOPIC}$", "a topic, as in throughline.meetings"))]
_PARTS: dict[str, Any] = {"committee": Committee, "year": Year, "number": Number, "session": Session}
_FORMS = {
    "committee": ACRONYM, "year": _YEAR, "number": _NUMBER, "session": _SESSION,
    "topic": _TOPIC, "partition": "[0-9]+", "offset": "[0-9]+(@[0-9T:.+-]+)?",
    "day": "[0-9]{4}-[0-9]{2}-[0-9]{2}", "member": "[A-Z]{3}", "rank": "[0-3]", "match": "[0-9]{1,5}", "rest": ".+",
    "submitted": "([0-9]{4}(-[0-9]{2}){0,2})?",
}  # fmt: skip
_ID = Annotated[str, Path(pattern=form(ID, ID_IN_WORDS))]
Meeting = _ID


def parts_of(path: str) -> tuple[str, ...]:
    """Return the names in a path's braces."""
    return tuple(part.split("}")[0] for part in path.split("{")[1:])


def has_form(text: str, template: str) -> bool:
    """Tell whether a text is an id or a key by its template, whose parts stand in braces."""
    pattern = re.sub(r"\{(\w+)\}", lambda part: _FORMS.get(part[1], ID[1:-1]), template)
    return re.fullmatch(pattern, text, re.DOTALL) is not None


def set_signature(endpoint: Any, path: str, roles: frozenset[str], **arguments: Any) -> None:
    """Set an endpoint's signature: the path's parts, `arguments` (type, or (type, default)), and the caller."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    signature = [inspect.Parameter(part, keyword, annotation=_PARTS.get(part, _ID)) for part in parts_of(path)]
    for name, argument in arguments.items():
        annotation, default = argument if isinstance(argument, tuple) else (argument, inspect.Parameter.empty)
        signature.append(inspect.Parameter(name, keyword, annotation=annotation, default=default))
    signature.append(inspect.Parameter("caller", keyword, annotation=Principal, default=allow(roles)))
    endpoint.__signature__ = inspect.Signature(signature)
