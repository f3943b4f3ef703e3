"""The rules and their unit tests, by promtool: built from Prometheus's own module, and never passed over."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.deploy.observability import PROMETHEUS
from tools.local import fetch

pytestmark = pytest.mark.drill


@pytest.fixture(scope="module")
def promtool() -> Path:
    """Promtool; where it cannot be built, the reason is an error of the test."""
    return fetch.promtool()


def run(promtool: Path, *arguments: str) -> str:
    """Run promtool where the files of Prometheus are, and return what it says."""
    process = subprocess.run([promtool, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def test_prometheus_takes_the_configuration_and_its_rules(promtool: Path) -> None:
    output = run(promtool, "check", "config", "prometheus.yml")
    assert "valid prometheus config file" in output
    assert "27 rules found" in output


def test_every_alert_fires_when_it_should_and_only_then(promtool: Path) -> None:
    output = run(promtool, "test", "rules", *(str(file) for file in sorted((PROMETHEUS / "tests").glob("*.yml"))))
    assert output.count("SUCCESS") == len(list((PROMETHEUS / "tests").glob("*.yml")))


def test_a_rule_that_never_fires_is_noticed(promtool: Path, tmp_path: Path) -> None:
    for folder in ("rules", "tests"):
        (tmp_path / folder).mkdir()
        for file in (PROMETHEUS / folder).glob("*.yml"):
            text = file.read_text().replace("throughline_dead_letters_open) > 0", "throughline_dead_letters_open) > 9")
            (tmp_path / folder / file.name).write_text(text)
    command = [promtool, "test", "rules", *map(str, (tmp_path / "tests").glob("*.yml"))]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert "ThroughlineDeadLetters" in process.stdout + process.stderr
