"""Two versions at once: an older one's data and instances beside this one's, a new shape, and rebuilds under load.

The older version is that of a fixed commit, with the numbers of its shapes lowered, so that this version folds and
composes everything again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.cli.terminal import PUBLIC_RECORD
from tests.faults import losing
from tests.faults.losing import run
from tests.journey.office import Desk
from tools.client.stack_home import database
from tools.files import CHECKOUT
from tools.local import ports
from tools.local.service import Service
from tools.local.stack import ALL_FOUR, Stack, temporary

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.drill]
OLDER = "1a98947392d8476c887db119c952f217f607c451"
SHAPES = (
    ("services/recommendations/trace/compose.py", "\nSHAPE = 3\n", "\nSHAPE = 2\n"),
    ("services/recommendations/projection.py", "STATES_SHAPE = 3", "STATES_SHAPE = 2"),
    ("services/meetings/projection.py", "SHAPE = 4", "SHAPE = 3"),
)


class Instance(Service):
    """An instance of a service under a name of its own, from the code in a folder."""

    def __init__(self, service: str, name: str, port: int, environment: Mapping[str, str], code: Path) -> None:
        super().__init__(name, port, environment)
        self._service, self._code = service, code

    def command(self) -> Sequence[str]:
        return ["/usr/bin/env", "-C", str(self._code), sys.executable, "-m", f"services.{self._service}.app"]


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The older version's code."""
    folder = tmp_path_factory.mktemp("older")
    archive = subprocess.run(["git", "archive", OLDER], cwd=CHECKOUT, capture_output=True, check=False)
    assert archive.returncode == 0, f"the history lacks {OLDER}: git fetch --unshallow"
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    for name, text, lowered in SHAPES:
        file = folder / name
        content = file.read_text()
        assert text in content, name
        file.write_text(content.replace(text, lowered))
    return folder


def older_cli(code: Path, stack: Stack, *arguments: str) -> None:
    """Run a command of the older version."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
    environment = own | {"THROUGHLINE_HOME": str(stack.home)}
    command = [sys.executable, "-m", "tools.cli.app", *arguments]
    done = subprocess.run(command, cwd=code, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def platform(code: Path) -> Iterator[Stack]:
    """Servers with the older version's collections, indexes, services and data."""
    with temporary(services=(), say=lambda _: None) as stack:
        with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
            for name in ALL_FOUR:
                client.drop_database(database(name))
        older_cli(code, stack, "indexes", "ensure", "--mongodb", stack.mongodb_admin_uri)
        stack.services = ALL_FOUR
        stack.memory.note_owner(ALL_FOUR)
        for name in ALL_FOUR:
            begin(stack, Instance(name, name, stack.memory.ports()[name], stack.environment(name), code))
        losing.subscribe(Desk(stack), "s-lost")
        older_cli(code, stack, "import", "record", str(PUBLIC_RECORD))
        losing.wait_until_idle(stack)
        yield stack


def rebuild(stack: Stack, service: str) -> int:
    """Rebuild a service's read models, in a process of its own; return its exit code."""
    command = [sys.executable, "-m", "tools.cli.app", "rebuild", "--service", service, "--home", str(stack.home)]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=False).returncode


def begin(stack: Stack, service: Service) -> None:
    stack._begin(service)
    stack._await_ready(service)


def begin_second(stack: Stack, name: str) -> None:
    """Start another instance of a service, of this version, on a port of its own."""
    port = ports.choose(stack.memory.ports().values())
    environment = stack.environment(name) | {"THROUGHLINE_PORT": str(port)}
    begin(stack, Instance(name, f"{name}-2", port, environment, CHECKOUT))


def assert_recorded(stack: Stack, streams: list[str]) -> None:
    losing.wait_until_idle(stack)
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        assert {(stream, 1) for stream in streams} <= losing.ledgered(client, "recommendations")
    assert "identical" in run(stack, "replay", "--from", "kafka", "--compare")


def shapes(stack: Stack) -> set[int]:
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        return set(client[database("recommendations")].traces.distinct("shape"))


def test_this_version_takes_over_beside_the_older_one_under_load(platform: Stack):
    assert shapes(platform) == {2}
    run(platform, "indexes", "ensure")
    with losing.load(platform) as accepted:
        for name in ("notifications", "recommendations", "meetings", "nominations"):
            begin_second(platform, name)
        before = len(accepted)
        losing.wait_for(lambda: len(accepted) > before + 20)
        for name in reversed(ALL_FOUR):
            platform.stop_one(name)
            begin(platform, Service(name, platform.memory.ports()[name], platform.environment(name)))
    assert_recorded(platform, accepted)
    assert shapes(platform) == {3}
    mailed = losing.mails(platform)
    losing.assert_consumed_again(platform, 986)
    assert losing.mails(platform) == mailed


def test_two_instances_rebuild_under_live_writes(platform: Stack):
    with losing.load(platform) as accepted, ThreadPoolExecutor(2) as pool:
        for code in pool.map(lambda service: rebuild(platform, service), ("recommendations", "meetings")):
            assert code == 0
        platform.kill("recommendations-2")
        run(platform, "rebuild")
    platform.start_one("recommendations-2")
    assert_recorded(platform, accepted)
