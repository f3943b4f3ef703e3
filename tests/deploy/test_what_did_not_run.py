"""`make deploy-test` says loudly that no cluster ran, and how to have one; asked for one, it fails."""

from __future__ import annotations

import signal

import pytest

from tests.deploy import __main__ as program
from tests.deploy.cluster import machine
from tests.deploy.cluster import run as cluster


@pytest.fixture(autouse=True)
def without_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what needs Docker's engine, and let there be no program of a cluster."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(program, "run", lambda *_: None)
    monkeypatch.setattr(machine, "check", lambda: None)
    monkeypatch.setattr(cluster.programs, "cached_cluster", lambda: None)


def test_a_run_of_everything_names_what_it_left_out_and_the_line_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.exercise([]) == 0
    printed = capsys.readouterr()
    for text in (printed.out, printed.err):
        assert "NOT RUN" in text
        assert "make cluster-binary" in text


def test_a_cluster_that_is_asked_for_and_cannot_run_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.exercise(["cluster"]) == 1
    assert "FAILED: the program of the cluster is not built: make cluster-binary" in capsys.readouterr().err


def test_a_run_of_compose_alone_says_nothing_of_a_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.exercise(["plain"]) == 0
    assert "NOT RUN" not in capsys.readouterr().out
