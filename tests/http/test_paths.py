"""Odd paths and queries: refused, or not on record; never a fault of ours."""

from __future__ import annotations

import socket
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.http.asking import Caller, Records, problem
from tests.patience import AT_MOST_SECONDS
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
Call = Callable[..., Caller]
ODD = {
    "NUL": "%00",
    "a way out": "..%2f..%2fsecret",
    "dots": "%2e%2e",
    "a line feed": "a%0a",
    "a carriage return": "%0d%0aSet-Cookie:%20a=b",
    "no UTF-8": "%ff%fe",
    "half an escape": "%zz",
    "other letters": quote("заседание"),
    "full-width letters": quote("ｍ１"),
    "an emoji": quote("🙂"),
    "very long": "x" * 5_000,
    "one too long": "x" * 101,
    "a blank": "%20",
    "an operator": "$ne",
    "braces": "%7B%22$gt%22:%22%22%7D",
    "a quote": "'%20or%201=1",
    "a hyphen first": "-a",
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_id_in_a_path_is_refused(name: str, caller: Call, records: Records) -> None:
    asking, odd = caller(), ODD[name]
    for service, path in (
        ("meetings", f"/meetings/{odd}"),
        ("nominations", f"/memberships/{odd}"),
        ("notifications", f"/notifications/{odd}"),
        ("recommendations", f"/sessions/{odd}"),
        ("recommendations", f"/recommendations/SYN/2031/{odd}"),
        ("recommendations", f"/recommendations/{odd}/2031/R1"),
        ("recommendations", f"/traces/SYN/{odd}/R1"),
        ("meetings", f"/streams/{odd}"),
        ("meetings", f"/streams/meeting/{odd}"),
        ("meetings", f"/dead-letters/{odd}/0/0"),
        ("meetings", f"/dead-letters/throughline.meetings/{odd}/0"),
    ):
        answer = asking.get(service, path)
        rule = {404: "NotOnRecord", 422: "SchemaViolation"}
        document = answer.json()
        assert document["status"] == answer.status_code in rule, (path, answer.text)
        assert document["rule"] in {rule[answer.status_code], "NotServed"}
    answer = asking.post("meetings", f"/meetings/{odd}/cancel", {"reason": "Synthetic reason"})
    assert answer.status_code in {404, 422}
    assert records.stored_by(asking, "meetings") == 0


@pytest.mark.parametrize("odd", ["0", "1000", "-1", "7.0", "seven", "9" * 5_000, "%D9%A7", "1e2", "0x7", "+7", "7_0"])
def test_a_session_that_is_none_is_refused(odd: str, caller: Call) -> None:
    assert caller().get("recommendations", f"/sessions/{odd}").status_code == 422


TRACE = "/traces/SYN/2031/R1"
QUERIES: dict[tuple[str, str], tuple[str, ...]] = {
    (TRACE, "as_of"): ("20230901", "2023-13-01", "2023-02-30", "soon", "1", "２０２３-０９-０１", "", "0000-01-01"),
    (TRACE, "known_at"): (
        *("1693526400", "soon", "2023-02-30T00:00:00Z", "2023-01-01T25:00:00Z", ""),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
    ),
    (TRACE, "wait"): ("nan", "inf", "31", "-1"),
    ("/traces", "limit"): ("0", "1001", "x", "1.5", "9" * 5_000),
    ("/traces", "theme"): ("x" * 501,),
    ("/instruments", "limit"): ("0", "1001"),
    ("/instruments", "cite"): ("x" * 501,),
}


@pytest.mark.parametrize(
    ("path", "name", "odd"), [(path, name, odd) for (path, name), odds in QUERIES.items() for odd in odds]
)
def test_a_query_that_does_not_fit_is_refused(path: str, name: str, odd: str, caller: Call) -> None:
    document = problem(caller().get("recommendations", path, **{name: odd}), 422, "SchemaViolation")
    assert [fault["field"] for fault in document["errors"]] == [f"query.{name}"]


@pytest.mark.parametrize(
    "odd", ["\x00", "$where", '{"$gt": ""}', "-", '"', "\\", "ป" * 400, "a\ud7ffb", "🙂", ".*", " "]
)
def test_an_odd_filter_finds_nothing_and_breaks_nothing(odd: str, caller: Call) -> None:
    asking = caller()
    for service, path, open_filters, closed_lists in (
        (
            "recommendations",
            "/traces",
            ("theme", "provision", "text"),
            ("standing", "stage", "coverage", "disposition"),
        ),
        ("recommendations", "/recommendations", ("priority", "theme"), ("stage",)),
        ("nominations", "/nominations", ("person",), ("stage", "member")),
        ("meetings", "/meetings", ("instrument",), ("stage",)),
        ("notifications", "/notifications", ("stream",), ("standing",)),
        ("meetings", "/dead-letters", (), ("standing",)),
    ):
        for name in open_filters:
            answer = asking.get(service, path, **{name: odd})
            assert answer.status_code == 200, (path, name, answer.text)
            assert answer.json()["items"] == []
        for name in closed_lists:
            document = problem(asking.get(service, path, **{name: odd}), 422, "SchemaViolation")
            assert [fault["field"] for fault in document["errors"]] == [f"query.{name}"]
        if open_filters:
            problem(asking.get(service, path, after=odd), 422, "SchemaViolation")


def test_an_unknown_route_gets_a_problem_document(caller: Call) -> None:
    asking = caller()
    problem(asking.get("meetings", "/nothing-here"), 404, "NotServed")
    answer = asking.request("DELETE", "meetings", "/meetings/m1")
    problem(answer, 405, "NotServed")
    assert answer.headers["Allow"] == "GET, HEAD"
    head = asking.request("HEAD", "meetings", "/meetings")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) > 0
    assert asking.request("HEAD", "meetings", "/journal").status_code == 200


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /meetings HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /meetings HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\n",
        b"POST /meetings HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /meetings HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01 synthetic",
    ],
)
def test_invalid_http_is_refused_and_the_service_continues(request_: bytes, stack: Stack, caller: Call) -> None:
    port = int(stack.urls["meetings"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=AT_MOST_SECONDS) as raw:
        raw.sendall(request_)
        status = raw.recv(4_096).split(b" ")[1]
        assert status.startswith(b"4"), status
    assert caller().get("meetings", "/meetings").status_code == 200


def test_a_client_that_goes_away_in_its_body_leaves_nothing(stack: Stack, caller: Call, records: Records) -> None:
    asking = caller()
    port = int(stack.urls["meetings"].rpartition(":")[2])
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port), timeout=AT_MOST_SECONDS) as raw:
            head = (
                f"POST /meetings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {asking.token}\r\nContent-Length: 500\r\n"
            )
            raw.sendall(
                head.encode() + b'Content-Type: application/json\r\nIdempotency-Key: synthetic-key\r\n\r\n{"meeting":'
            )
    assert asking.get("meetings", "/meetings").status_code == 200
    assert records.stored_by(asking, "meetings") == 0
    assert "Traceback" not in (stack.home / "logs/meetings.log").read_text()
