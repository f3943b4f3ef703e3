"""An OpenID provider that nobody here wrote, for the tests of sign-in: its program, its start, and its form.

It gives an opaque access token, and an ID token of RS256 with `sub`, whose `aud` is a list; it knows no groups. Its
issuer ends with a slash.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from playwright.sync_api import Page

from tests.patience import AT_MOST_SECONDS
from tools.local import fetch, ports, processes

SOURCES = Path(__file__).with_name("provider")
PASSWORD = "synthetic and not secret"


@dataclass(frozen=True)
class Person:
    """A made-up person with an account at the provider."""

    subject: str
    first_name: str
    last_name: str

    @property
    def username(self) -> str:
        return f"{self.subject}@synthetic.example"


OFFICER = Person("officer", "Synthetic", "Officer")
CHAIR = Person("chair", "Synthetic", "Chair")
FOCAL_POINT = Person("focal-point", "Synthetic", "Focal Point")
OTHER_FOCAL_POINT = Person("other-focal-point", "Synthetic", "Other Focal Point")
EXPERT = Person("expert", "Synthetic", "Expert")
AUDITOR = Person("auditor", "Synthetic", "Auditor")
STRANGER = Person("stranger", "Synthetic", "Stranger")
PEOPLE = (OFFICER, CHAIR, FOCAL_POINT, OTHER_FOCAL_POINT, EXPERT, AUDITOR, STRANGER)


@dataclass(frozen=True)
class Provider:
    """A running provider, and the client that it knows."""

    issuer: str
    client_id: str = "web"
    client_secret: str = "secret"

    @property
    def discovery(self) -> str:
        return f"{self.issuer}.well-known/openid-configuration"


def build(folder: Path) -> Path:
    """Build the provider's program from pinned sources, by this Go and no other."""
    program = folder / "provider"
    environment = {name: value for name, value in os.environ.items() if name != "GOROOT"} | {"GOTOOLCHAIN": "local"}
    command = [str(fetch.go()), "build", "-mod=readonly", "-o", str(program), "."]
    process = subprocess.run(
        command, cwd=SOURCES, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert process.returncode == 0, process.stderr
    return program


@contextmanager
def running(
    program: Path, folder: Path, redirects: Sequence[str], people: Sequence[Person] = PEOPLE, port: int | None = None
) -> Iterator[Provider]:
    """Run the provider on a free port of the loopback interface, for a client that is answered at `redirects`."""
    port = port or ports.choose(())
    users = folder / "users.json"
    users.write_text(json.dumps({person.subject: _account(person) for person in people}), encoding="utf-8")
    environment = {"PORT": str(port), "REDIRECT_URI": ",".join(redirects), "USERS_FILE": str(users)}
    provider = Provider(f"http://localhost:{port}/")
    child = processes.spawn("the OpenID provider", [str(program)], folder / "provider.log", os.environ | environment)
    try:
        processes.wait_until(child, lambda: _answers(provider), AT_MOST_SECONDS)
        yield provider
    finally:
        processes.end([child])


def sign_in(page: Page, person: Person, password: str = PASSWORD) -> None:
    """Fill in the provider's own form, which is on the page, and send it."""
    page.get_by_label("Username").fill(person.username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Login").click()


def _answers(provider: Provider) -> bool:
    try:
        return httpx2.get(provider.discovery, trust_env=False).status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False


def _account(person: Person) -> dict[str, object]:
    return {
        "ID": person.subject,
        "Username": person.username,
        "Password": PASSWORD,
        "FirstName": person.first_name,
        "LastName": person.last_name,
        "Email": person.username,
        "EmailVerified": True,
        "PreferredLanguage": "en",
    }
