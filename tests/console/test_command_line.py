"""The command line run for a reader: with their token alone, ended in time, in a folder that is removed."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import orjson
import pytest
from starlette.requests import Request
from starlette.types import Message

from tests.patience import AT_MOST_SECONDS, until
from tools.console.command_line import CONCURRENT, CommandFailed, CommandLine
from tools.console.person import Person

SHOW = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]))"
SLEEP = "import os, time; open('pid', 'w').write(str(os.getpid())); os.rename('pid', 'begun'); time.sleep(600)"


def a_command_line(code: str, seconds: float = AT_MOST_SECONDS) -> CommandLine:
    return CommandLine({"meetings": "http://synthetic"}, (sys.executable, "-c", code), seconds)


def a_request(leaving: asyncio.Event) -> Request:
    """Return the request of a reader who stays until the event."""

    async def receive() -> Message:
        await leaving.wait()
        return {"type": "http.disconnect"}

    request = Request({"type": "http", "state": {}}, receive)
    request.state.person = Person("synthetic-token", "Synthetic Auditor", "synthetic", "auditor")
    return request


def has_ended(folder: Path) -> bool:
    try:
        os.kill(int((folder / "begun").read_text()), 0)
    except ProcessLookupError:
        return True
    return False


async def test_a_command_gets_the_readers_token_and_no_secret_of_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THROUGHLINE_CONSOLE_KEYS", "synthetic-secret")
    commands = a_command_line(SHOW)
    with commands.folder() as folder:
        words, environment, place = orjson.loads(await commands.run(a_request(asyncio.Event()), folder, "audit", "x"))
        assert (words, place) == (["audit", "x"], str(folder))
    own = {name: value for name, value in environment.items() if name.startswith("THROUGHLINE_")}
    assert own == {
        "THROUGHLINE_TOKEN": "synthetic-token",
        "THROUGHLINE_URL_MEETINGS": "http://synthetic",
        "THROUGHLINE_HOME": str(folder),
    }
    assert not folder.exists()


@pytest.mark.parametrize(("code", "why", "status"), [(1, "failed", 409), (2, "failed", 409), (3, "away", 503)])
async def test_a_command_that_fails_says_why(code: int, why: str, status: int) -> None:
    commands = a_command_line(
        f"import sys; print('half'); print('Not exported: x.', file=sys.stderr); sys.exit({code})"
    )
    with commands.folder() as folder, pytest.raises(CommandFailed) as failed:
        await commands.run(a_request(asyncio.Event()), folder)
    assert (failed.value.why, failed.value.status, failed.value.says) == (why, status, "Not exported: x.")


@pytest.mark.slow
async def test_a_command_that_takes_too_long_is_ended() -> None:
    commands = a_command_line(SLEEP, seconds=1)
    with commands.folder() as folder:
        with pytest.raises(CommandFailed, match="late"):
            await commands.run(a_request(asyncio.Event()), folder)
        assert has_ended(folder)
    assert not folder.exists()


async def test_a_command_ends_with_its_reader() -> None:
    commands, leaving = a_command_line(SLEEP), asyncio.Event()
    with commands.folder() as folder:
        running = asyncio.create_task(commands.run(a_request(leaving), folder))
        await asyncio.to_thread(until, (folder / "begun").exists)
        leaving.set()
        with pytest.raises(CommandFailed):
            await running
        assert has_ended(folder)


def test_a_few_folders_are_in_use_and_no_more() -> None:
    commands = a_command_line(SHOW)
    folders = [commands.folder() for _ in range(CONCURRENT)]
    places = [each.__enter__() for each in folders]
    with pytest.raises(CommandFailed, match="busy"), commands.folder():
        pass
    for each in folders:
        each.__exit__(None, None, None)
    assert not any(place.exists() for place in places)
    with commands.folder() as folder:
        assert folder.exists()
