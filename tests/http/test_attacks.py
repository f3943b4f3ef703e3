"""Attacks without a token on a real process: memory and descriptors stay bounded, and the next request is answered."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from shared.runtime import connections
from tests.http.attacked import CONNECTIONS, NORMAL, Attacked, attacked, received, until
from tests.patience import AT_MOST_SECONDS

pytestmark = pytest.mark.slow
MEGABYTE = 1024 * 1024
GROWTH = 64 * MEGABYTE
POST = b"POST /open HTTP/1.1\r\nHost: synthetic\r\nContent-Length: 1000\r\n\r\n"
GUARDED = b"GET /guarded HTTP/1.1\r\nHost: synthetic\r\nContent-Length: 1000\r\n\r\n"


@pytest.fixture(scope="module")
def process() -> Iterator[Attacked]:
    with attacked() as running:
        yield running


@pytest.fixture
def service(process: Attacked) -> Iterator[Attacked]:
    """The process, which answers after each attack and has grown by little."""
    process.answers()
    before = process.memory()
    yield process
    process.answers()
    assert process.memory() - before < GROWTH
    until(lambda: process.descriptors() < CONNECTIONS)


def flooded(opened: socket.socket, part: bytes, times: int) -> bytes:
    """Send a part again and again, until the server closes; return what it answered."""
    try:
        for _ in range(times):
            opened.sendall(part)
    except ConnectionError:
        pass
    return received(opened)


@pytest.mark.parametrize(
    ("begun", "part"),
    [
        (b"GET /", b"x" * 65_536),
        (b"GET /healthz HTTP/1.1\r\nX-Synthetic: ", b"x" * 65_536),
        pytest.param(b"GET /healthz HTTP/1.1\r\n", b"x" * 65_536, marks=pytest.mark.drill),
        (b"GET /healthz HTTP/1.1\r\n", b"X-Synthetic: x\r\n" * 4_096),
        pytest.param(b"", b"\r\n" * 32_768, marks=pytest.mark.drill),
        pytest.param(
            b"POST /open HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: ",
            b"x" * 65_536,
            marks=pytest.mark.drill,
        ),
        pytest.param(
            b"POST /open HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            b"X-Trailer: x\r\n" * 4_096,
            marks=pytest.mark.drill,
        ),
        (b"POST /open HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x" * 65_536),
    ],
    ids=["address", "value", "name", "headers", "blank lines", "trailer", "trailers", "chunk extension"],
)
def test_a_head_without_end_is_cut_off(begun: bytes, part: bytes, service: Attacked) -> None:
    before = service.closed("HeadersTooLarge")
    attackers = [service.connection(begun) for _ in range(3)]
    for each in attackers:
        flooded(each, part, 3_000)
    assert service.closed("HeadersTooLarge") == before + 3


def test_a_refused_head_is_answered_with_its_limit(service: Attacked) -> None:
    fields = b"X-Synthetic: x\r\n" * (connections.HEAD_FIELDS + 1)
    answer = received(service.connection(b"GET /healthz HTTP/1.1\r\n" + fields + b"\r\n"))
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"application/problem+json" in answer
    assert b"at most 32768 bytes in 100 fields" in answer


def test_a_head_within_the_limits_is_answered(service: Attacked) -> None:
    fields = b"X-Synthetic: %b\r\n" % (b"x" * 200) * (connections.HEAD_FIELDS - 3)
    head = b"GET /healthz HTTP/1.1\r\nHost: synthetic\r\nConnection: close\r\n" + fields + b"\r\n"
    assert received(service.connection(head)).endswith(b'{"status":"alive"}')


def test_requests_without_end_in_one_go_are_cut_off(service: Attacked) -> None:
    before = service.closed("TooManyPipelined")
    attackers = [service.connection() for _ in range(5)]
    for each in attackers:
        flooded(each, NORMAL * 5_000, 20)
    assert service.closed("TooManyPipelined") == before + 5


def test_a_few_pipelined_requests_are_answered_in_order(service: Attacked) -> None:
    last = NORMAL.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert received(service.connection(NORMAL * 4 + last)).count(b'{"status":"alive"}') == 5


def test_what_is_not_http_is_refused(service: Attacked) -> None:
    assert received(service.connection(b"\x16\x03\x01 synthetic\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


@pytest.mark.drill
def test_slow_connections_end_by_themselves(service: Attacked) -> None:
    """Nothing sent, half a head, one header after another, half a body, one byte of a body after another."""
    begun = time.monotonic()
    silent = [service.connection() for _ in range(5)]
    half = [service.connection(NORMAL[:-2]) for _ in range(5)]
    dribbled = [service.connection(NORMAL[:-2]) for _ in range(5)]
    bodies = [service.connection(POST, b"x" * 500) for _ in range(5)]
    slow_bodies = [service.connection(POST) for _ in range(5)]
    unasked = [service.connection(GUARDED) for _ in range(5)]
    idle = [service.connection(NORMAL) for _ in range(5)]
    every = silent + half + dribbled + bodies + slow_bodies + unasked + idle
    _dribble(dict.fromkeys(dribbled, b"X-Synthetic: x\r\n") | dict.fromkeys(slow_bodies + unasked, b"x"))
    answers = {each: received(each) for each in every}
    lasted = time.monotonic() - begun
    assert lasted < 5 * (connections.BODY_SECONDS + 2 * connections.CHECK_SECONDS)
    assert {answers[each] for each in silent} == {b""}
    for each in half + bodies:
        assert answers[each].startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    for each in unasked:
        assert answers[each].startswith(b"HTTP/1.1 401 ")
    for each in idle:
        assert answers[each].endswith(b'{"status":"alive"}')


def _dribble(parts: dict[socket.socket, bytes]) -> None:
    """Send one part a second on each socket, until all are closed."""
    end = time.monotonic() + AT_MOST_SECONDS
    while parts:
        assert time.monotonic() < end
        time.sleep(1)
        for each in list(parts):
            try:
                each.sendall(parts[each])
            except ConnectionError:
                del parts[each]


@pytest.mark.parametrize("begun", [b"", NORMAL[:-2], NORMAL, GUARDED], ids=["silent", "half", "idle", "unasked"])
def test_more_connections_than_there_is_room_for_make_way_for_a_newcomer(begun: bytes, service: Attacked) -> None:
    attackers = []
    for _ in range(3 * CONNECTIONS):
        attackers.append(service.connection(begun))
        if len(attackers) % 50 == 0:
            service.answers()
            assert service.descriptors() < CONNECTIONS + 50
    assert service.closed("TooManyConnections") > 0
    for each in attackers:
        each.close()


def test_answers_that_nobody_reads_make_way_for_a_newcomer(service: Attacked) -> None:
    attackers = []
    for _ in range(2 * CONNECTIONS):
        opened = socket.socket()
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        opened.connect(("127.0.0.1", service.port))
        opened.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: synthetic\r\n\r\n" * 10)
        attackers.append(opened)
    service.answers()
    for each in attackers:
        each.close()


def test_a_request_in_progress_is_not_given_up_for_another(service: Attacked) -> None:
    writer = service.connection(POST, b"x" * 500)
    attackers = [service.connection() for _ in range(2 * CONNECTIONS)]
    writer.sendall(b"x" * 500)
    assert b"HTTP/1.1 200 OK" in writer.recv(65_536)
    for each in [*attackers, writer]:
        each.close()
