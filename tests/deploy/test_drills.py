"""Unit tests: each line that the drills type stands in the pages that operators read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy import drills
from tests.deploy.drills import Drills
from tests.deploy.platform import NotAsExpected


class Recorder:
    """A platform on which every command says what the drills wait for."""

    class variant:  # noqa: N801 - the attribute of a platform
        servers = ()

    def __init__(self) -> None:
        self.typed: list[str] = []

    def compose(self, *words: str, environment: object = None) -> str:
        self.typed.append(" ".join(words))
        return "key_rotated"

    def attempt(self, *words: str) -> str:
        return f"throughline refill {words[2]}, throughline republish {words[2]}"

    def job(self, *words: str) -> str:
        return '{"verified": true}'

    def lose_volume(self, name: str) -> None: ...
    def down(self, *, volumes: bool) -> None: ...
    def up(self) -> None: ...
    def set(self, variable: str, value: str) -> None: ...


def run_all(folder: Path) -> list[str]:
    (folder / "log-keys").mkdir()
    recorder = Recorder()
    on = Drills(recorder, folder)  # type: ignore[arg-type]
    on.replace()
    on.copy()
    on.lose_mongodb()
    on.lose_kafka("token")
    on.save("token")
    on.lose_both()
    return recorder.typed


def test_the_pages_have_every_line(tmp_path: Path) -> None:
    typed = run_all(tmp_path)
    assert "exec --no-TTY notifications throughline refill notifications" in typed
    assert "run --no-TTY --rm init throughline rotate authority /secrets --drop-retired" in typed


def test_a_line_that_no_page_has_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drills, "PAGES", ("kafka-lost.md",))
    with pytest.raises(NotAsExpected, match=r"none of kafka-lost\.md says: docker compose run --rm admin"):
        run_all(tmp_path)
