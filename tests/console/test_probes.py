"""The console's probes: they say that it answers, to anybody, whatever the services do."""

from __future__ import annotations

import subprocess
import sys

import httpx2
import pytest

from tests.console.test_exports import settings
from tools.console.app import make_app

BLOCKS = """
import asyncio, sys, time
from shared.runtime import hang_watch

async def main():
    async with hang_watch.event_loop_watched(after=0.5):
        await asyncio.sleep(2)
        print("watched", flush=True)
        time.sleep(1_000)

hang_watch.BLOCKED_SECONDS = 0.5
asyncio.run(main())
"""


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/servez"])
async def test_a_probe_is_answered_without_a_person_and_without_services(path: str) -> None:
    app = make_app(settings())
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://probe") as web,
    ):
        answer = await web.get(path)
        assert (answer.status_code, answer.text) == (200, "alive")


def test_a_process_whose_event_loop_is_blocked_ends_and_shows_where() -> None:
    ended = subprocess.run([sys.executable, "-c", BLOCKS], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stdout.startswith("watched")
    assert 'File "<string>", line 9 in main' in ended.stderr
