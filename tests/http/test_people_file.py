"""The file of people and the key of actors in a running service: read at the start, read again, and warned of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.http.attacked import ACTOR_KEY, Attacked, attacked, until
from tests.patience import AT_MOST_SECONDS
from tools.client import tokens
from tools.files import write

pytestmark = pytest.mark.slow
OFFICER = "synthetic.officer@example.org"


@dataclass
class Running:
    """A service with a file of people, and the token of somebody whose provider sends no role."""

    service: Attacked
    file: Path
    token: str

    def get(self, path: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx2.get(f"{self.service.url}{path}", headers=headers, trust_env=False, timeout=AT_MOST_SECONDS)

    def warnings(self) -> Any:
        return self.get("/readyz").json().get("warnings", {})

    def write(self, *people: tuple[str, dict[str, str]]) -> None:
        write(self.file, json.dumps({"issuer": tokens.ISSUER, "people": dict(people)}))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    tokens.make_key(tmp_path)
    file, token = tmp_path / "people.json", tokens.mint(tmp_path, role=None, subject=OFFICER, name="Synthetic Officer")
    write(file, json.dumps({"issuer": tokens.ISSUER, "people": {OFFICER: {"role": "secretariat"}}}))
    with attacked(jwks=str(tmp_path / tokens.JWKS_FILE), people_file=str(file), log_level="INFO") as service:
        yield Running(service, file, token)


@pytest.mark.drill
def test_a_changed_file_counts_and_a_spoilt_one_is_a_warning(running: Running) -> None:
    assert running.get("/guarded").status_code == 200
    assert "people" not in running.warnings()

    running.file.write_text("people: [")
    until(lambda: "people" in running.warnings())
    assert running.warnings()["people"].endswith("line 1: it is neither YAML nor JSON, or gives a key twice")
    assert running.get("/guarded").status_code == 200

    running.write((OFFICER, {"role": "focal_point", "member": "FJI"}))
    until(lambda: "people" not in running.warnings())
    assert running.get("/me").json() == {
        "actor": running.get("/me").json()["actor"],
        "role": "focal_point",
        "member": "FJI",
    }

    running.write(("somebody", {"role": "secretariat"}))
    until(lambda: running.get("/guarded").status_code == 403)
    assert running.get("/guarded").json()["rule"] == "RoleNotGiven"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"ACTOR_KEY": ""}, "THROUGHLINE_ACTOR_KEY: is empty"),
        ({"ACTOR_KEY": "short-and-secret"}, "THROUGHLINE_ACTOR_KEY: no key of 32 characters or more"),
        (
            {"PEOPLE_FILE": "/nowhere/people.yaml"},
            "THROUGHLINE_PEOPLE_FILE: /nowhere/people.yaml cannot be read",
        ),
        ({"ROLES": '{"secret": "system"}'}, "THROUGHLINE_ROLES"),
        ({"AUDIENCE": " "}, "THROUGHLINE_AUDIENCE"),
    ],
)
def test_a_service_that_could_not_tell_callers_apart_does_not_start(settings: dict[str, str], says: str) -> None:
    needed = {"KAFKA": "127.0.0.1:1", "MONGODB": "mongodb://127.0.0.1:1", "DATABASE": "synthetic", "JWKS": "none"}
    given = {f"THROUGHLINE_{name}": value for name, value in (needed | {"ACTOR_KEY": ACTOR_KEY} | settings).items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
    ended = subprocess.run(
        [sys.executable, "-m", "tests.http.attacked"], env=inherited | given, capture_output=True, text=True,
        timeout=AT_MOST_SECONDS, check=False,
    )  # fmt: skip
    assert (ended.returncode, says in ended.stderr) == (2, True), ended.stderr
    assert "short-and-secret" not in ended.stderr
