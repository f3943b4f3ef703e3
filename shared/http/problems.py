"""Refusals as RFC 9457 problems, which name the field or the rule, its kind and paragraph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from shared.domain.rejections import EventTooLarge, NotHeardYet, Rejection
from shared.domain.single_facts import FactRefused

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1
NAME_SHOWN = 200
DETAIL_FAULTS = 5


class FieldError(BaseModel):
    """The error of one field."""

    field: str = Field(examples=["body.member"])
    rule: str = Field(examples=["string_pattern_mismatch"])
    message: str

    @classmethod
    def of(cls, field: str, rule: str, message: str) -> Self:
        """Return the error of a field whose name may come from a caller: truncated, unprintable characters escaped."""
        shown = field if field.isprintable() else field.encode("unicode_escape").decode()
        return cls(field=shown[:NAME_SHOWN], rule=rule, message=message)


class ProblemDetails(BaseModel):
    """An RFC 9457 problem."""

    type: str = Field(examples=["urn:throughline:problem:MeetingNotHeld"])
    title: str
    status: int
    detail: str
    rule: str | None = None
    kind: str | None = Field(None, description="note, house rule, order or reference")
    paragraph: str | None = Field(None, description="the founding note's paragraph, for rules of kind note")
    errors: list[FieldError] | None = None


class Refused(Exception):
    """A request to answer with a problem. `recorded` is true if the refusal is stored already."""

    def __init__(
        self,
        status: int,
        rule: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        recorded: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.rule = rule
        self.detail = detail
        self.headers = dict(headers or {})
        self.recorded = recorded
        self.more = more

    def response(self) -> JSONResponse:
        """Return the problem as a response."""
        details = ProblemDetails(
            type=f"urn:throughline:problem:{self.rule}",
            title=_in_words(self.rule),
            status=self.status,
            detail=self.detail,
            rule=self.rule,
            **self.more,
        )
        content = details.model_dump(exclude_none=True)
        return JSONResponse(content, self.status, headers=self.headers, media_type=MEDIA_TYPE)


def refused(rejection: Rejection) -> Refused:
    """Return the problem for a rejection that its handler has recorded."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if isinstance(rejection, NotHeardYet) else {}
    more: dict[str, Any] = {}
    if isinstance(rejection, EventTooLarge):
        more["errors"] = [FieldError.of(f"body.{rejection.field}", "event_too_large", rejection.detail)]
    elif isinstance(rejection, FactRefused):
        more["errors"] = [FieldError.of(f"body.{rejection.field}", rejection.rule, rejection.sentence())]
    return Refused(
        rejection.http_status,
        rejection.rule,
        rejection.sentence(),
        headers=headers,
        recorded=True,
        kind=rejection.kind,
        paragraph=rejection.paragraph,
        **more,
    )


def invalid(faults: Iterable[FieldError]) -> Refused:
    """Return the refusal of fields that do not fit their schema."""
    errors = list(faults)
    detail = "; ".join(f"{fault.field}: {fault.message}" for fault in errors[:DETAIL_FAULTS])
    return Refused(422, "SchemaViolation", detail, errors=errors)


def _in_words(rule: str) -> str:
    words = "".join(f" {character.lower()}" if character.isupper() else character for character in rule).strip()
    return words[:1].upper() + words[1:]
