"""Servers that tests share, the distribution of tests over processes, and one Hypothesis profile."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.cli.terminal import PUBLIC_RECORD, throughline
from tests.servers import attached, await_end
from tools.local.stack import Stack, temporary

FOLDER = pytest.StashKey[Path]()
STACK = "stack"

hypothesis.settings.register_profile("throughline", deadline=None)
hypothesis.settings.load_profile("throughline")


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Iterator[Stack]:
    """Kafka, MongoDB and SMTP without services, one of each for all test processes.

    A test uses databases and topics of its own here. The test that needs `throughline_*` databases or topics, but no
    services, joins the group `throughline names`.
    """
    with attached(pytestconfig.stash[FOLDER]) as running:
        yield running


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole platform on servers of its own; a test that stops a part of it starts it again.

    All tests that use it run in one process, one after another.
    """
    with temporary(say=lambda _: None) as running:
        yield running


@pytest.fixture(scope="session")
def loaded(stack: Stack) -> Stack:
    """The same stack, with the public record loaded as an officer would load it."""
    done = throughline(stack, "import", "record", str(PUBLIC_RECORD))
    assert done.exit_code == 0, done.output
    return stack


def pytest_configure(config: pytest.Config) -> None:
    """Agree with the other test processes on a folder for the servers."""
    given = getattr(config, "workerinput", None)
    config.stash[FOLDER] = Path(given["servers"] if given else tempfile.mkdtemp(prefix="throughline-tests-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a test process of xdist the folder of the servers."""
    node.workerinput["servers"] = str(node.config.stash[FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind: wait until the servers have stopped, and remove their folder."""
    if not hasattr(config, "workerinput") and (folder := config.stash.get(FOLDER, None)):
        await_end(folder)
        shutil.rmtree(folder, ignore_errors=True)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no slow file where slow tests are deselected: some build whole histories when they are imported."""
    if "not slow" in config.option.markexpr and collection_path.suffix == ".py":
        return "\npytestmark = pytest.mark.slow\n" in collection_path.read_text(encoding="utf-8") or None
    return None


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests on the stack in one process, and begin with the longest: the rig, then those on the stack."""
    for item in items:
        if STACK in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(STACK))
    items.sort(key=lambda item: (item.path.name != "test_rig.py", item.get_closest_marker("xdist_group") is None))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Distribute tests by their group, and by file where they have none."""
    from xdist.scheduler import LoadGroupScheduling

    class ByGroupOrFile(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return str(super()._split_scope(nodeid).partition("::")[0])

    return ByGroupOrFile(config, log) if config.getvalue("dist") == "loadgroup" else None
