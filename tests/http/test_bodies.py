"""Bodies that cannot be taken: refused by their fault, never a fault of ours, and nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from tests.http.asking import Caller, problem
from tests.http.conftest import Nothing
from tests.patience import AT_MOST_SECONDS

pytestmark = pytest.mark.servers
Call = Callable[..., Caller]
MIB = 1024 * 1024


def chunks(size: int) -> Iterator[bytes]:
    yield from (b"x" * 65_536 for _ in range(size // 65_536 + 1))


WHOLE = b'{"reference":"SYN/2031/R1","title":"Synthetic"%b}'
NOT_JSON: dict[str, tuple[int, str, Any]] = {
    "broken": (400, "BodyNotJson", b"{"),
    "two values": (400, "BodyNotJson", b"{}{}"),
    "single quotes": (400, "BodyNotJson", b"{'a':1}"),
    "a trailing comma": (400, "BodyNotJson", b'{"a":1,}'),
    "a bare control character": (400, "BodyNotJson", WHOLE % b',"note":"a\x00b"'),
    "not a number": (400, "BodyNotJson", WHOLE % b',"note":NaN'),
    "infinity": (400, "BodyNotJson", WHOLE % b',"note":-Infinity'),
    "invalid UTF-8": (400, "BodyNotJson", WHOLE % b',"note":"\xff\xfe"'),
    "an encoded surrogate": (400, "BodyNotJson", WHOLE % b',"note":"\xed\xa0\x80"'),
    "UTF-16": (400, "BodyNotJson", "{}".encode("utf-16")),
    "a byte order mark": (400, "BodyNotJson", b"\xef\xbb\xbf{}"),
    "empty": (422, "SchemaViolation", b""),
    "null": (422, "SchemaViolation", b"null"),
    "a list": (422, "SchemaViolation", b"[]"),
    "a text": (422, "SchemaViolation", b'"Synthetic"'),
    "a lone surrogate": (422, "SchemaViolation", WHOLE % b',"note":"a\\ud800b"'),
    "a name with a lone surrogate": (422, "SchemaViolation", WHOLE % b',"\\udfff":1'),
    "a field twice": (422, "SchemaViolation", WHOLE % b',"title":"Synthetic"'),
    "a field twice, deep inside": (422, "SchemaViolation", WHOLE % b',"note":{"a":1,"a":1}'),
    "a fraction": (422, "SchemaViolation", WHOLE % b',"note":1e400'),
    "an integer of 100,000 digits": (422, "SchemaViolation", WHOLE % b',"note":%b' % (b"9" * 100_000)),
    "40 levels": (422, "SchemaViolation", b'{"a":' * 40 + b"1" + b"}" * 40),
    "10,000 levels": (422, "SchemaViolation", b"[" * 10_000 + b"]" * 10_000),
    "10,000 levels without an end": (422, "SchemaViolation", b'{"a":' * 10_000),
    "over the limit": (413, "BodyTooLarge", b"x" * (MIB + 1)),
    "far over the limit": (413, "BodyTooLarge", b"x" * (8 * MIB)),
    "over the limit in chunks": (413, "BodyTooLarge", lambda: chunks(MIB + 1)),
    "far over the limit in chunks": (413, "BodyTooLarge", lambda: chunks(8 * MIB)),
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_a_body_that_cannot_be_taken_is_refused(name: str, caller: Call, nothing_stored: Nothing) -> None:
    status, rule, content = NOT_JSON[name]
    asking = caller()
    answer = asking.raw("recommendations", "/recommendations", content() if callable(content) else content)
    document = problem(answer, status, rule)
    assert all(fault["field"].startswith(("body", "title", "a")) for fault in document.get("errors", []))
    assert len(answer.content) < 2_000
    nothing_stored(asking, "recommendations")


def test_a_body_just_within_the_limit_is_read(caller: Call) -> None:
    content = WHOLE % b',"note":"%b"' % (b"x" * (MIB - len(WHOLE) - 8))
    assert len(content) == MIB
    document = problem(caller().raw("recommendations", "/recommendations", content), 422, "SchemaViolation")
    assert [fault["rule"] for fault in document["errors"]] == ["string_too_long"]


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/xml",
        "multipart/form-data; boundary=x",
        "json",
        "/",
        "application/json; charset=windows-1252",
        "application/json; charset=utf-16",
    ],
)
def test_a_body_of_another_type_is_refused(content_type: str, caller: Call, nothing_stored: Nothing) -> None:
    asking = caller()
    answer = asking.raw("meetings", "/meetings", b'{"meeting":"m"}', Content_Type=content_type)
    problem(answer, 415, "BodyNotJson")
    nothing_stored(asking, "meetings")


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", 'application/json; charset="UTF-8"', "Application/JSON", "application/x+json"],
)
def test_json_by_any_of_its_names_is_read(content_type: str, caller: Call) -> None:
    answer = caller().raw("meetings", "/meetings", b'{"meeting":"m"}', Content_Type=content_type)
    assert "body.title" in problem(answer, 422, "SchemaViolation")["detail"]


def test_a_connection_serves_on_after_a_body_that_was_too_long(caller: Call) -> None:
    asking = caller()
    with httpx2.Client(trust_env=False, limits=httpx2.Limits(max_connections=1), timeout=AT_MOST_SECONDS) as one:
        asking.client = one
        for _ in range(3):
            problem(asking.raw("meetings", "/meetings", b"x" * (2 * MIB)), 413, "BodyTooLarge")
            assert asking.get("meetings", "/meetings").status_code == 200


def test_a_problem_shortens_a_long_field_name(caller: Call) -> None:
    document = problem(caller().post("meetings", "/meetings", {"x" * 100_000: 1}), 422, "SchemaViolation")
    assert max(len(fault["field"]) for fault in document["errors"]) == 200
