"""A process with one loop, named by the first argument, on a database that need not be there."""

from __future__ import annotations

import asyncio
import sys
import time

from fastapi import FastAPI

from shared.runtime.database import connect
from shared.runtime.process import lifespan_of, run
from shared.runtime.settings import CannotStart, Settings
from shared.runtime.telemetry import Pulse

PULSE = Pulse("synthetic")


async def for_ever() -> None:
    print("the loop runs", flush=True)
    await asyncio.Event().wait()


async def finishes_what_it_has_in_hand() -> None:
    try:
        await for_ever()
    finally:
        await asyncio.sleep(0.3)
        print("what was in hand is finished", flush=True)


async def raises() -> None:
    raise RuntimeError("synthetic")


async def cannot_go_on() -> None:
    raise CannotStart("THROUGHLINE_SYNTHETIC: cannot be used")


async def hangs() -> None:
    PULSE.beat()
    await for_ever()


async def blocks() -> None:
    print("the loop runs", flush=True)
    PULSE.beat()
    time.sleep(1_000)  # noqa: ASYNC251


async def makes_progress() -> None:
    print("the loop runs", flush=True)
    while True:
        PULSE.beat()
        await asyncio.sleep(0.05)


async def returns() -> None:
    print("the loop ends by itself", flush=True)


async def is_cancelled_from_within() -> None:
    raise asyncio.CancelledError


def make(settings: Settings) -> FastAPI:
    database = connect(settings, "synthetic")
    name = sys.argv[1]
    waits_for_database, cannot_start = name == "waits_for_its_database", name == "cannot_be_prepared"

    async def prepare() -> None:
        if cannot_start:
            await cannot_go_on()
        if waits_for_database:
            await database.command("ping")

    async def answers() -> bool:
        print("servers are looked at", flush=True)
        return sys.argv[2:] != ["servers-away"]

    loop = globals()["for_ever" if waits_for_database or cannot_start else name]
    loops = [(PULSE, loop), (Pulse("other"), for_ever)]
    app = FastAPI(lifespan=lifespan_of(database, [prepare], loops, answers, settings.hung_after))

    @app.get("/")
    async def here() -> str:
        return "here"

    return app


if __name__ == "__main__":
    run("synthetic", make, Settings)
