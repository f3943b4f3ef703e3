"""Servers that tests share, the distribution of tests over processes, and one Hypothesis profile."""

from __future__ import annotations

import json
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2
import hypothesis
import pytest

from tests.cli.terminal import PUBLIC_RECORD, throughline
from tests.patience import AT_MOST_SECONDS
from tests.servers import attached, await_end
from tools.local.stack import Stack, temporary

FOLDER = pytest.StashKey[Path]()
RUNNING = pytest.StashKey[ExitStack]()
STACK, STACK_OF_REQUESTS, STACK_OF_PAGES = "stack", "stack of requests", "stack of pages"
STACK_OF_FOLDER = {"http": STACK_OF_REQUESTS, "browser": STACK_OF_PAGES, "console": STACK_OF_PAGES}
LONG = ("servers", "slow", "browser", "drill")
LIMITS = httpx2.Limits(max_connections=64, keepalive_expiry=1)  # well before the server closes an idle connection

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background processes, and theirs, would never see it
    signal.signal(signal.SIGINT, signal.default_int_handler)

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
def at_end(pytestconfig: pytest.Config) -> ExitStack:
    """Contexts that end after the last test on the stack, the stack last."""
    return pytestconfig.stash[RUNNING]


@pytest.fixture(scope="session")
def stack(at_end: ExitStack) -> Stack:
    """The whole platform on servers of its own; a test that stops a part of it starts it again.

    The tests of requests that use it run in one process, those of pages in another, all others in a third, one after
    another; each process has a stack, which stops after the last of them.
    """
    return at_end.enter_context(temporary(say=lambda _: None))


@pytest.fixture(scope="session")
def loaded(stack: Stack) -> Stack:
    """The same stack, with the public record loaded as an officer would load it."""
    done = throughline(stack, "import", "record", str(PUBLIC_RECORD))
    assert done.exit_code == 0, done.output
    return stack


@pytest.fixture(scope="session")
def web() -> Iterator[httpx2.Client]:
    """One client for all requests."""
    with httpx2.Client(timeout=AT_MOST_SECONDS, trust_env=False, limits=LIMITS) as client:
        yield client


def pytest_configure(config: pytest.Config) -> None:
    """Agree with the other test processes on a folder for the servers."""
    given = getattr(config, "workerinput", None)
    config.stash[RUNNING] = ExitStack()
    config.stash[FOLDER] = Path(given["servers"] if given else tempfile.mkdtemp(prefix="throughline-tests-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a test process of xdist the folder of the servers."""
    node.workerinput["servers"] = str(node.config.stash[FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind: wait until the servers have stopped, and remove their folder."""
    config.stash[RUNNING].close()
    if not hasattr(config, "workerinput") and (folder := config.stash.get(FOLDER, None)):
        await_end(folder)
        shutil.rmtree(folder, ignore_errors=True)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no file whose tests are all deselected: some build whole histories when they are imported."""
    deselected = [name for name in LONG if f"not {name}" in config.option.markexpr]
    if not deselected or collection_path.suffix != ".py":
        return None
    if "browser" in deselected and collection_path.parent == Path(__file__).with_name("browser"):
        return True
    pattern = rf"^pytestmark = .*\bpytest\.mark\.({'|'.join(deselected)})\b"
    return re.search(pattern, collection_path.read_text(encoding="utf-8"), re.MULTILINE) is not None or None


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests on a stack in one process, and begin with the longest, those on the stacks."""
    for item in items:
        if uses_stack(item):
            folder = item.path.relative_to(Path(__file__).parent).parts[0]
            item.add_marker(pytest.mark.xdist_group(STACK_OF_FOLDER.get(folder, STACK)))
    items.sort(key=_place)
    if hasattr(config, "workerinput"):  # pytest-xdist 3.8 tells groups by a name that pytest 9 does not read
        groups = {item.nodeid: group for item in items if (group := group_of(item))}
        file = config.stash[FOLDER] / f"{config.workerinput['workerid']}.json"
        file.write_text(json.dumps(groups), encoding="utf-8")


def _place(item: pytest.Item) -> int:
    """Return where a test stands in the order."""
    order = {STACK: 0, STACK_OF_REQUESTS: 1, STACK_OF_PAGES: 2, None: 4}
    return order.get(group_of(item), 3)


def group_of(item: pytest.Item) -> str | None:
    """Return the group of a test, whose tests run in one process."""
    marker = item.get_closest_marker("xdist_group")
    return str(marker.args[0]) if marker else None


def uses_stack(item: pytest.Item | None) -> bool:
    """Tell whether a test runs on the stack."""
    return STACK in getattr(item, "fixturenames", ())


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop the stack after its last test."""
    if uses_stack(item) and not uses_stack(nextitem):
        item.config.stash[RUNNING].close()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Distribute tests by their group, and by file where they have none."""
    from xdist.scheduler import LoadGroupScheduling

    class ByGroupOrFile(LoadGroupScheduling):
        @cached_property
        def _groups(self) -> dict[str, str]:
            return json.loads((config.stash[FOLDER] / "gw0.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]

        def _split_scope(self, nodeid: str) -> str:
            return self._groups.get(nodeid) or nodeid.partition("::")[0]

    return ByGroupOrFile(config, log) if config.getvalue("dist") == "loadgroup" else None
