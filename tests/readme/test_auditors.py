"""The auditors' page does what it says: its shell blocks, one after the other, on a real stack."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.local.fetch import go
from tools.local.stack import Stack

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs/auditors.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
MARK = "---- next block"


@pytest.mark.servers
@pytest.mark.drill
def test_the_page_takes_an_auditor_from_nothing_to_a_verified_answer(loaded: Stack, tmp_path: Path) -> None:
    programs = [str(Path(sys.executable).parent), str(Path(go()).parent)]
    own = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
    environment = own | {
        "PATH": os.pathsep.join([*programs, os.environ["PATH"]]),
        "THROUGHLINE_HOME": str(loaded.home),
        "COLUMNS": "200",
    }
    script = f"\necho '{MARK}' | tee /dev/stderr\n".join(BLOCKS)
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    outputs, errors = done.stdout.split(MARK), done.stderr.split(MARK)
    assert "now: throughline audit verify export-1" in outputs[0]
    assert "only the bundle vouches for" in outputs[1]
    assert "verified: " in outputs[1]
    assert "only the bundle vouches for" not in outputs[2]
    assert "verified: " in outputs[2]
    assert "Successfully fsck'd log with size" in errors[3]
    assert "verified: " in outputs[4]
    assert outputs[5].count("cosigned") == 4
    assert outputs[5].count("the witness audit-office.example/2026 vouches for its first") == 4
    assert "beside the export's digests" in outputs[6]
    assert "CED/2022/R1" in outputs[7]
    assert "proven: CED/2022/R1, " in outputs[8]
    assert "recommendations, position 0" in outputs[9]
    assert outputs[9].rstrip().endswith("found")


def test_each_step_of_the_page_has_its_commands() -> None:
    assert len(BLOCKS) == 10
    verbs = ("export", "verify", "witness", "keygen", "replay", "compare", "diff", "prove", "verify-proof")
    assert all(f"audit {verb}" in PAGE for verb in verbs)
