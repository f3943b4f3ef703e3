"""The SMTP server down, slow, refusing, or losing answers; the sender killed; all records consumed again."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.faults.rig.injecting.fault import fault
from tests.faults.rig.platform import run_concurrently
from tests.faults.rig.rig import Rig
from tests.faults.rig.work import recommending

SERVICE = "notifications"
_MESSAGE_ACCEPTED, _START_OF_MESSAGE = b"250 kept", b"354"


def record_news(rig: Rig, count: int = 3) -> None:
    """Record a few events with subscribers."""
    desks = rig.desks()
    for _ in range(count):
        recommending.a_closed_priority(desks, rig.load.world)


@fault("14", "SMTP down", SERVICE)
def smtp_down(rig: Rig, _service: str) -> None:
    with rig.platform.smtp.shut():
        record_news(rig)
        time.sleep(20 if rig.long else 3)


@fault("14", "SMTP slow, within the sender's timeout and beyond it", SERVICE)
def smtp_slow(rig: Rig, _service: str) -> None:
    for delay, seconds in ((0.4, 3.0), (4.0, 6.0)):
        with rig.platform.smtp.slow(delay):
            record_news(rig)
            time.sleep(seconds)


@fault("14", "SMTP refusing for now", SERVICE)
def smtp_refusing(rig: Rig, _service: str) -> None:
    proxy = rig.platform.smtp
    with refusing() as server:
        usual_target, proxy.target = proxy.target, server
        record_news(rig)
        time.sleep(3)
        proxy.target = usual_target


@fault("14", "SMTP takes the message, and its answer is lost", SERVICE)
def smtp_answer_lost(rig: Rig, _service: str) -> None:
    _lose_answers(rig, _MESSAGE_ACCEPTED)


@fault("14", "SMTP drops the connection before it has the message", SERVICE)
def smtp_dropped_before_message(rig: Rig, _service: str) -> None:
    _lose_answers(rig, _START_OF_MESSAGE)


def _lose_answers(rig: Rig, answer: bytes) -> None:
    proxy = rig.platform.smtp
    with proxy.swallowing(lambda chunk: chunk.startswith(answer)):
        record_news(rig, 2)
        rig.await_that(lambda: proxy.lost_answers >= 2, "no mail was sent, so no answer was lost")


@fault("14", "the sender killed between its claim and the message", SERVICE)
def killed_before_sending(rig: Rig, _service: str) -> None:
    rig.broken_at(SERVICE, "killed before sending", meanwhile=partial(record_news, rig))


@fault("14", "the sender killed between the message and its record", SERVICE)
def killed_after_sending(rig: Rig, _service: str) -> None:
    rig.broken_at(SERVICE, "killed after sending", meanwhile=partial(record_news, rig))


@fault("14", "everything consumed again from the first record: no command twice, no mail")
def heard_again(rig: Rig, service: str) -> None:
    instances = rig.platform.instances[service]
    delete_consumed(rig, service)
    rig.restart(*instances)


def delete_consumed(rig: Rig, service: str) -> None:
    """End a service and delete everything that it has consumed, so that it has a backlog when it starts again."""
    run_concurrently([instance.end for instance in rig.platform.instances[service]])
    with rig.database(service) as database:
        for collection in ("journal", "states", "traces", "progress"):
            database[collection].delete_many({})


class _Refusal(socketserver.StreamRequestHandler):
    """An SMTP session that refuses each recipient with 451."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            self.wfile.write(
                b"451 later\r\n" if verb == b"RCPT" else b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n"
            )


@contextmanager
def refusing() -> Iterator[int]:
    """Run an SMTP server that refuses each recipient with 451; yield its port."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Refusal) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
