"""A service as a process: prepared, then its loops beside HTTP, until it is asked to end or one of the loops dies.

A loop runs until cancelled. One that ends by itself ends the process with exit code 1, so that a supervisor starts it
afresh: a service that answers but no longer relays or reads would be worse than none.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pydantic import ValidationError
from pymongo.errors import ConnectionFailure

from shared.runtime.settings import CannotStart, Settings
from shared.runtime.telemetry import Pulse, configure_logging
from shared.store.connection_monitor import ConnectionMonitor

log = structlog.get_logger()

RETRY_SECONDS = 1.0
REQUESTS_GRACE_SECONDS = 10
LOOPS_GRACE_SECONDS = 20.0
SERVER_SELECTION_MS = 5_000
M_ARENA_MAX = -8  # malloc.h
COLLECT_SELDOM = (500_000, 20, 50)  # events make many objects and no cycles

Prepare = Callable[[], Awaitable[object]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
Loop = tuple[Pulse, Callable[[], Awaitable[None]]]
S = TypeVar("S", bound=Settings)


@dataclass
class Ending:
    """How a process comes to its end: asked to, or because a loop died."""

    asked: Callable[[], bool] = field(default=lambda: False)
    ask: Callable[[], None] = field(default=lambda: None)
    died: list[str] = field(default_factory=list)
    begun: bool = False


def connect(settings: Settings, service: str) -> AsyncIOMotorDatabase[Any]:
    """Return a service's own database; nothing is asked of the server yet."""
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(
        settings.mongodb.get_secret_value(),
        appname=f"throughline-{service}",
        serverSelectionTimeoutMS=SERVER_SELECTION_MS,
        event_listeners=[ConnectionMonitor()],
    )
    return client[settings.database]


def lifespan_of(database: AsyncIOMotorDatabase[Any], prepare: Sequence[Prepare], loops: Sequence[Loop]) -> Lifespan:
    """Return a lifespan that prepares in order, then runs the loops, and closes the database's client at the end.

    No request is taken before everything is prepared. At the end each loop is cancelled, and may finish what it has in
    hand. The steps of preparation may be taken more than once.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        ending: Ending = getattr(app.state, "ending", None) or Ending()
        try:
            prepared = await _prepared(prepare, ending)
            tasks = [_begun(pulse, run, ending) for pulse, run in loops if prepared]
            try:
                yield
            finally:
                ending.begun = True
                await _ended(tasks)
        finally:
            database.client.close()

    return lifespan


async def _prepared(prepare: Sequence[Prepare], ending: Ending) -> bool:
    """Take every step, waiting for a database that is not there yet; False if the process is to end before."""
    while not ending.asked():
        try:
            for step in prepare:
                await step()
        except ConnectionFailure as error:
            log.warning("database_not_there_yet", error=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return True
    return False


def _begun(pulse: Pulse, run: Callable[[], Awaitable[None]], ending: Ending) -> asyncio.Task[None]:
    async def loop() -> None:
        await run()

    def look(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if ending.begun:
            return
        pulse.fault(f"died: {type(error).__name__}" if error else "ended by itself")
        log.error("loop_died", loop=pulse.name, exc_info=error)
        ending.died.append(pulse.name)
        ending.ask()

    task = asyncio.create_task(loop(), name=pulse.name)
    task.add_done_callback(look)
    return task


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=LOOPS_GRACE_SECONDS)
        for task in late:
            log.error("loop_did_not_end", loop=task.get_name())


def run(service: str, make: Callable[[S], FastAPI], settings: type[S]) -> NoReturn:
    """Run a service on its host and port until a signal (exit code 0) or the death of a loop (1)."""
    told = _read(settings)
    configure_logging(service, told.log_level)
    signal.signal(signal.SIGTERM, _leave)
    tune_gc()
    try:
        sys.exit(uvloop.run(_serve(make, told)))
    except CannotStart as fault:
        print(fault, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(0)


def tune_gc() -> None:
    """Let the garbage collector leave alone what a process is made of, and look seldom at what it reads.

    All threads share one arena of the C library's, where it is glibc: Python lets only one run at a time.
    """
    gc.freeze()
    gc.set_threshold(*COLLECT_SELDOM)
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(M_ARENA_MAX, 1)


async def _serve(make: Callable[[S], FastAPI], told: S) -> int:
    app = make(told)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=told.host,
            port=told.port,
            lifespan="on",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=REQUESTS_GRACE_SECONDS,
        )
    )
    ending = Ending(asked=lambda: server.should_exit, ask=lambda: setattr(server, "should_exit", True))
    app.state.ending = ending
    await server.serve()
    return 0 if server.started and not ending.died else 1


def _read(settings: type[S]) -> S:
    """Read the environment; say which variables are wrong, without their values."""
    try:
        return settings()
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            name = "THROUGHLINE_" + "_".join(map(str, fault["loc"])).upper()
            print(f"{name}: {fault['msg']}", file=sys.stderr)
        sys.exit(2)


def _leave(_sign: int, _frame: object) -> NoReturn:
    raise SystemExit(0)
