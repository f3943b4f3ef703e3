"""Process of a service: prepare, then run loops beside HTTP, until a signal arrives or a loop dies.

A loop runs until cancelled. One that ends by itself, or hangs, ends the process with exit code 1, so that a supervisor
restarts it: a service that answers but no longer relays or consumes would be worse than none.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import ConnectionFailure, OperationFailure

from shared.runtime.connections import IDLE_SECONDS, limited_connections
from shared.runtime.database import raise_if_refused
from shared.runtime.hang_watch import Answers, HangWatch, WatchedLoop
from shared.runtime.settings import HUNG_AFTER_SECONDS, CannotStart, Settings, read
from shared.runtime.telemetry import Pulse, configure_logging
from shared.runtime.tracing import traced

log = structlog.get_logger()

RETRY_SECONDS = 1.0
REQUESTS_GRACE_SECONDS = 10
LOOPS_GRACE_SECONDS = 20.0
M_ARENA_MAX = -8  # malloc.h
COLLECT_SELDOM = (500_000, 20, 50)  # events make many objects and no cycles

Prepare = Callable[[], Awaitable[object]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
Loop = tuple[Pulse, Callable[[], Awaitable[None]]]
S = TypeVar("S", bound=Settings)


@dataclass
class Ending:
    """The end of a process: requested by a signal, or caused by the death of a loop.

    `is_of_process` tells whether it ends the whole process, rather than an application within one.
    """

    requested: Callable[[], bool] = field(default=lambda: False)
    request: Callable[[], None] = field(default=lambda: None)
    is_of_process: bool = False
    died: list[str] = field(default_factory=list)
    begun: bool = False
    fault: CannotStart | None = None

    def on_fault(self, fault: CannotStart) -> None:
        """End the process, which cannot run as it is set up."""
        self.fault = self.fault or fault
        self.request()


def lifespan_of(
    database: AsyncIOMotorDatabase[Any],
    prepare: Sequence[Prepare],
    loops: Sequence[Loop],
    answers: Answers | None = None,
    hung_after: float = HUNG_AFTER_SECONDS,
) -> Lifespan:
    """Return a lifespan that prepares in order, then runs the loops, and closes the database's client at the end.

    No request is served before all steps succeed. At the end each loop is cancelled, and may finish its current work.
    A step of preparation may run more than once; one that raises CannotStart ends the process. So does a loop that
    hangs, while the servers on which loops wait answer.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        ending: Ending = getattr(app.state, "ending", None) or Ending()
        try:
            prepared = await _prepared(prepare, ending, database)
            tasks = [_begun(pulse, run, ending) for pulse, run in loops if prepared]
            watch = _watched(loops, tasks, ending, answers, hung_after)
            try:
                yield
            finally:
                ending.begun = True
                await _ended(tasks)
                watch.stop()
        finally:
            database.client.close()

    return lifespan


async def _prepared(prepare: Sequence[Prepare], ending: Ending, database: AsyncIOMotorDatabase[Any]) -> bool:
    """Run every step, and retry until the database is reachable; False if the process is to end first."""
    while not ending.requested():
        try:
            return await _tried(prepare, database)
        except ConnectionFailure as error:
            log.warning("database_not_reachable", error=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)
        except CannotStart as fault:
            log.error("cannot_start", reason=str(fault))
            ending.on_fault(fault)
            return False
    return False


async def _tried(prepare: Sequence[Prepare], database: AsyncIOMotorDatabase[Any]) -> bool:
    try:
        for step in prepare:
            await step()
    except (ConnectionFailure, OperationFailure) as error:
        await raise_if_refused(error, database)
        raise
    return True


def _begun(pulse: Pulse, run: Callable[[], Awaitable[None]], ending: Ending) -> asyncio.Task[None]:
    async def loop() -> None:
        await run()

    def on_done(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if ending.begun:
            return
        pulse.fault(f"died: {type(error).__name__}" if error else "ended by itself")
        log.error("loop_died", loop=pulse.name, exc_info=error)
        ending.died.append(pulse.name)
        if isinstance(error, CannotStart):
            ending.on_fault(error)
        ending.request()

    task = asyncio.create_task(loop(), name=pulse.name)
    task.add_done_callback(on_done)
    return task


def _watched(
    loops: Sequence[Loop],
    tasks: Sequence[asyncio.Task[None]],
    ending: Ending,
    answers: Answers | None,
    hung_after: float,
) -> HangWatch:
    """Watch the loops of a process that may end itself."""

    def end(hung: list[str]) -> None:
        ending.died += hung
        ending.request()

    watched = [WatchedLoop(pulse, task) for (pulse, _), task in zip(loops, tasks, strict=False)]
    watch = HangWatch(watched, hung_after, end, REQUESTS_GRACE_SECONDS + 1.5 * LOOPS_GRACE_SECONDS, answers)
    if ending.is_of_process:
        watch.start()
    return watch


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=LOOPS_GRACE_SECONDS)
        for task in late:
            log.error("loop_did_not_end", loop=task.get_name())


def run(service: str, make: Callable[[S], FastAPI], settings: type[S]) -> NoReturn:
    """Run a service on its host and port until a signal (exit code 0) or the death of a loop (1).

    A service that cannot run as it is set up prints the reason (2).
    """
    values = _read(settings)
    try:
        with traced(service, values.instance or f"{socket.gethostname()}-{values.port}", values.deployment):
            configure_logging(service, values.log_level)
            signal.signal(signal.SIGTERM, _leave)
            tune_gc()
            sys.exit(uvloop.run(_serve(service, make, values)))
    except CannotStart as fault:
        print(fault, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(0)


def tune_gc() -> None:
    """Tune the garbage collector: freeze the loaded code, and collect seldom.

    All threads share one arena of the C library's, where it is glibc: Python lets only one run at a time.
    """
    gc.freeze()
    gc.set_threshold(*COLLECT_SELDOM)
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(M_ARENA_MAX, 1)


async def _serve(service: str, make: Callable[[S], FastAPI], settings: S) -> int:
    _check_host(settings.host)
    http = limited_connections(service, settings.connections)
    app = make(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            http=http,
            ws="none",
            timeout_keep_alive=IDLE_SECONDS,
            root_path=settings.root_path,
            proxy_headers=bool(settings.fronts),
            forwarded_allow_ips=settings.fronts,
            lifespan="on",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=REQUESTS_GRACE_SECONDS,
        )
    )
    ending = Ending(lambda: server.should_exit, lambda: setattr(server, "should_exit", True), is_of_process=True)
    app.state.ending = ending
    try:
        await server.serve()
    except SystemExit:  # also of uvicorn, whose lifespan failed
        if ending.fault is None:
            raise
        raise ending.fault from None
    if ending.fault is not None:
        raise ending.fault
    return 0 if server.started and not ending.died else 1


def _check_host(host: str) -> None:
    """Refuse an address that this machine cannot have. Raises CannotStart."""
    try:
        socket.getaddrinfo(host or None, 0, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise CannotStart(
            f"THROUGHLINE_HOST: {host[:100]!r} is no address to listen on; left empty, it is all of this machine's"
        ) from None


def _read(settings: type[S]) -> S:
    """Read the environment; print the names of wrong variables, without their values."""
    try:
        return read(settings)
    except CannotStart as fault:
        print(fault, file=sys.stderr)
        sys.exit(2)


def _leave(_sign: int, _frame: object) -> NoReturn:
    raise SystemExit(0)
