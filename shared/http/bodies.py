"""Requests: texts of queries in form NFC; bodies read up to a limit, and parsed as strict JSON.

Values that no event can hold are refused here by the field's name: fractions, integers past 2^53-1, lone surrogates,
duplicate names, deep nesting. The commands validate the meaning of fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from email.message import Message
from itertools import islice
from typing import Any

from fastapi import Request
from starlette.datastructures import QueryParams

from shared.domain.spelling import normal, normalised
from shared.http.problems import FieldError, Refused, invalid

BODY_LIMIT = 1024 * 1024
DEPTH_LIMIT = 32
INTEGER_LIMIT = 2**53 - 1
FAULTS_COUNTED = 1_000


class JsonRequest(Request):
    """A request with a limited, strictly parsed body, its texts and those of its query in form NFC."""

    @property
    def query_params(self) -> QueryParams:
        """The query parameters."""
        if not hasattr(self, "_normal_query"):
            given = super().query_params.multi_items()
            self._normal_query = QueryParams([(name, normal(text)) for name, text in given])
        return self._normal_query

    async def body(self) -> bytes:
        """Return the whole body. Raises Refused (413) as soon as it exceeds the limit."""
        if not hasattr(self, "_body"):
            announced = self.headers.get("Content-Length", "")
            if announced.isdecimal() and int(announced[:20]) > BODY_LIMIT:
                raise _too_long()
            received = bytearray()
            async for chunk in self.stream():
                received += chunk
                if len(received) > BODY_LIMIT:
                    raise _too_long()
            self._body = bytes(received)
        return self._body

    async def json(self) -> Any:
        """Return the body's value; None where there is no body. Raises Refused (400, 415, 422)."""
        if not hasattr(self, "_json"):
            raw = await self.body()
            if raw and not _is_json(self.headers.get("Content-Type", "")):
                raise Refused(415, "BodyNotJson", "send the body as JSON in UTF-8, with Content-Type: application/json")
            self._json = parse(raw) if raw else None
        return self._json


def parse(raw: bytes) -> Any:
    """Return the value of a body, its texts in form NFC.

    Raises Refused: 400 for invalid JSON, 422 for a value that no event can hold.
    """
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_not_a_number)
    except UnicodeDecodeError as error:
        raise Refused(400, "BodyNotJson", f"the body is not UTF-8: see byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise Refused(
            400, "BodyNotJson", f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from None
    except RecursionError:
        raise invalid([_too_deep("body")]) from None
    except ValueError:
        raise invalid([_too_great("body")]) from None
    if faults := list(islice(_faults(value, "body", 0), FAULTS_COUNTED)):
        raise invalid(faults)
    return normalised(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, member in pairs:
        if name in members:
            raise invalid([FieldError.of(name, "given_twice", "is given twice in one object")])
        members[name] = member
    return members


def _not_a_number(word: str) -> Any:
    raise Refused(400, "BodyNotJson", f"the body is not JSON: {word} is no number")


def _faults(value: Any, path: str, depth: int) -> Iterator[FieldError]:
    match value:
        case str():
            if not _has_whole_characters(value):
                yield FieldError.of(path, "lone_surrogate", "holds half of a character (a lone surrogate)")
        case float():
            yield FieldError.of(path, "fraction", "is a number with a fraction or an exponent; give an integer or text")
        case int() if abs(value) > INTEGER_LIMIT:
            yield _too_great(path)
        case list() | dict() if depth == DEPTH_LIMIT:
            yield _too_deep(path)
        case list():
            for index, item in enumerate(value):
                yield from _faults(item, f"{path}.{index}", depth + 1)
        case dict():
            for name, member in value.items():
                if not _has_whole_characters(name):
                    yield FieldError.of(path, "lone_surrogate", "has a name with half of a character in it")
                else:
                    yield from _faults(member, f"{path}.{name}", depth + 1)
        case _:
            return


def _has_whole_characters(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _too_deep(path: str) -> FieldError:
    return FieldError.of(path, "too_deep", f"is nested more than {DEPTH_LIMIT} deep")


def _too_great(path: str) -> FieldError:
    return FieldError.of(path, "integer_too_great", "is an integer past 2^53-1, which not every reader can hold")


def _too_long() -> Refused:
    return Refused(413, "BodyTooLarge", f"a request body holds at most {BODY_LIMIT} bytes; shorten it")


def _is_json(content_type: str) -> bool:
    """Tell whether a content type is JSON, and states no other charset than the one that is read."""
    message = Message()
    message["Content-Type"] = content_type
    media_type, charset = message.get_content_type(), message.get_content_charset("utf-8")
    is_json = media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )
    return is_json and charset in {"utf-8", "utf8", "us-ascii"}
