"""Unit tests of the start of an administrator's client."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tools.deployment import kafka_administrator


class Beginning:
    """A client of a broker that names itself after some requests."""

    def __init__(self, empty: int) -> None:
        self.lists = iter([()] * empty + [("broker",)] * 100)
        self.updates = 0
        self._client: Any = SimpleNamespace(
            cluster=SimpleNamespace(brokers=lambda: next(self.lists)), force_metadata_update=self.update
        )

    async def start(self) -> None: ...

    async def update(self) -> None:
        self.updates += 1


@pytest.mark.parametrize("empty", [0, 3])
async def test_a_client_waits_until_a_broker_is_named(empty: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_administrator, "PAUSE_SECONDS", 0)
    client: Any = Beginning(empty)
    await kafka_administrator.start(client)
    assert client.updates == empty
