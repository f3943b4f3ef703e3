"""The servers that tests share: one stack a session, on real Kafka, MongoDB and SMTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.local.stack import Stack, temporary


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole platform, running; whoever stops a part of it starts it again."""
    with temporary(say=lambda _: None) as running:
        yield running
