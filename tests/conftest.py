"""The servers that tests share: one stack a session, on real Kafka, MongoDB and SMTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.terminal import PUBLIC_RECORD, throughline
from tools.local.stack import Stack, temporary


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole platform, running; whoever stops a part of it starts it again."""
    with temporary(say=lambda _: None) as running:
        yield running


@pytest.fixture(scope="session")
def loaded(stack: Stack) -> Stack:
    """The same stack, with the public record loaded as an officer would load it."""
    done = throughline(stack, "import", "record", str(PUBLIC_RECORD))
    assert done.exit_code == 0, done.output
    return stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest test, beside which the other process goes through all others."""
    items.sort(key=lambda item: item.path.name != "test_rig.py")
