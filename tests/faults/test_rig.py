"""G1 to G9: every fault of the rig under load; nothing is lost, doubled or stuck."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.faults.rig.injecting.fault import FAULTS
from tests.faults.rig.schedule import SHORT
from tools.files import CHECKOUT


def test_the_short_run_has_every_fault_once():
    assert sorted(name for lanes in SHORT for _, *names in lanes for name in names) == sorted(FAULTS)


@pytest.mark.servers
def test_nothing_is_lost_doubled_or_stuck_under_any_fault():
    command = [sys.executable, "-m", "tests.faults.rig", "--once", "--seed", "1"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
