"""Ends a process whose loop hangs, so that its supervisor restarts it.

A loop hangs that reports neither progress nor a trouble, while the servers on which it waits answer. It is watched from
a thread, which a blocked event loop does not block, and by that thread's own turns: a process that was stopped, and
goes on, has not hung.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import copy_context
from dataclasses import dataclass

import structlog

from shared.runtime.settings import HUNG_AFTER_SECONDS
from shared.runtime.telemetry import NOT_STARTED, Pulse

TURNS = 12
LONG_WORK = 5
ANSWER_SECONDS = 10.0
BLOCKED_SECONDS = 2 * ANSWER_SECONDS

log = structlog.get_logger()

Answers = Callable[[], Awaitable[bool]]
"""Tells whether the servers on which loops wait answer."""


@dataclass
class WatchedLoop:
    """A loop's pulse and its task, with the number of turns without a sign."""

    pulse: Pulse
    task: asyncio.Task[None]
    signs: int = -1
    turns: int = 0

    def is_silent(self) -> bool:
        """Count one turn; tell whether it had no sign for too many of them."""
        has_trouble = self.pulse.trouble not in ("", NOT_STARTED)
        quiet = self.pulse.signs == self.signs and not has_trouble and not self.task.done()
        self.signs, self.turns = self.pulse.signs, self.turns + 1 if quiet else 0
        allowed = TURNS * LONG_WORK if self.pulse.is_busy or self.pulse.trouble == NOT_STARTED else TURNS
        return self.turns >= allowed

    def place(self) -> str:
        """Return the innermost line of code in which the loop waits, as far as coroutines tell."""
        coroutine, frame = self.task.get_coro(), None
        while (inner := getattr(coroutine, "cr_frame", None)) is not None:
            coroutine, frame = coroutine.cr_await, inner  # type: ignore[union-attr]
        return f"{frame.f_code.co_qualname}:{frame.f_lineno}" if frame is not None else "unknown"


class HangWatch:
    """The watch on the loops of a process: `end` is called with the names of those that hang.

    A process that does not end within `grace` seconds then, or whose event loop is blocked, is ended with exit code 1.
    """

    def __init__(
        self,
        loops: Sequence[WatchedLoop],
        after: float,
        end: Callable[[list[str]], None],
        grace: float,
        answers: Answers | None = None,
    ) -> None:
        self._loops, self._end, self._grace = loops, end, grace
        self._turn_seconds = after / TURNS
        self._answers = answers or _nothing_to_wait_for
        self._servers_are_away = False
        self._stopped = threading.Event()

    def start(self) -> None:
        """Watch from a daemon thread."""
        self._event_loop = asyncio.get_running_loop()
        threading.Thread(target=copy_context().run, args=[self._watch], name="hang-watch", daemon=True).start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(self._turn_seconds):
            if hung := self.hung():
                self._end_gently(hung)
                return

    def hung(self) -> list[WatchedLoop]:
        """Count one turn; return the loops that hang. After an outage of the servers each gets its whole time again."""
        silent = [loop for loop in self._loops if loop.is_silent()]
        if not (silent or self._servers_are_away):
            return []
        self._servers_are_away = not self._servers_answer()
        if self._servers_are_away:
            for loop in self._loops:
                loop.turns = 0
            return []
        return silent

    def _servers_answer(self) -> bool:
        """Tell whether the servers answer, by a question from the event loop; end the process where that is blocked."""
        question = asyncio.run_coroutine_threadsafe(self._question(), self._event_loop)
        try:
            return question.result(BLOCKED_SECONDS)
        except TimeoutError:
            log.error("event_loop_blocked")
            self._exit()
            return True

    async def _question(self) -> bool:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._answers()
        except TimeoutError:
            return False

    def _end_gently(self, hung: Sequence[WatchedLoop]) -> None:
        for loop in hung:
            loop.pulse.is_hung = True
            log.error("loop_hung", loop=loop.pulse.name, place=loop.place())
        self._end([loop.pulse.name for loop in hung])
        if not self._stopped.wait(self._grace):
            self._exit()

    def _exit(self) -> None:
        """End the process at once, after the stack of each thread is written to standard error."""
        faulthandler.dump_traceback(sys.stderr)
        os._exit(1)


@asynccontextmanager
async def event_loop_watched(after: float = HUNG_AFTER_SECONDS) -> AsyncIterator[None]:
    """Watch the event loop of a process that has no other loops."""
    pulse = Pulse("event loop")

    async def beat() -> None:
        while True:
            pulse.beat()
            await asyncio.sleep(after / TURNS / 2)

    task = asyncio.create_task(beat())
    watch = HangWatch([WatchedLoop(pulse, task)], after, lambda _: None, 0.0)
    watch.start()
    try:
        yield
    finally:
        watch.stop()
        task.cancel()


async def _nothing_to_wait_for() -> bool:
    return True
