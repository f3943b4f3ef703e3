"""G1 to G9 at once: every fault of the rig under load; nothing lost, nothing doubled, nothing stuck."""

from __future__ import annotations

import pytest

from tests.faults.rig.run import run
from tests.faults.rig.schedule import each_once

pytestmark = pytest.mark.servers


def test_nothing_is_lost_nothing_doubled_and_nothing_stuck_whatever_breaks():
    said: list[str] = []
    found = run(each_once, 1, said.append, long=False)
    assert found.none, "\n".join(said)
