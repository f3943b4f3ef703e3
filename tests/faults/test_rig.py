"""G1 to G10: faults of the rig under load and a hostile writer; nothing is lost, doubled, stuck or wrongly believed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.faults.rig.injecting.fault import FAULTS
from tests.faults.rig.schedule import BRIEF, SHORT
from tools.files import CHECKOUT


def test_the_short_run_has_every_fault_once():
    assert sorted(name for lanes in SHORT for _, *names in lanes for name in names) == sorted(FAULTS)


def test_the_brief_run_has_a_fault_of_each_row_but_of_those_with_two_instances_or_another_history():
    rows = {fault.number for fault in FAULTS.values()}
    assert {FAULTS[name].number for name in BRIEF} == rows - {"4", "5", "9", "11", "13", "also"}


@pytest.mark.servers
@pytest.mark.drill
def test_nothing_is_lost_doubled_stuck_or_believed_under_any_fault():
    command = [sys.executable, "-m", "tests.faults.rig", "--once", "--seed", "1"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
