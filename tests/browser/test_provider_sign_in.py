"""Sign-in to the console by a provider that nobody here wrote; a forged or replayed answer is refused on a page."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from playwright.sync_api import Page, Request, expect

from shared.events.services import SERVICES
from tests.browser import openid
from tests.browser.checks import axe
from tests.browser.openid import FOCAL_POINT, OFFICER, STRANGER, Provider
from tools.client import local_console
from tools.local import ports, processes
from tools.local.console import Console
from tools.local.server import Server
from tools.local.service import Service
from tools.local.stack import Stack

pytestmark = [pytest.mark.servers, pytest.mark.drill]
PEOPLE = {OFFICER.subject: {"role": "secretariat"}, FOCAL_POINT.subject: {"role": "focal_point", "member": "FJI"}}


@contextmanager
def running(server: Server, folder: Path) -> Iterator[None]:
    """Run one part beside the stack."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
    environment = inherited | dict(server.environment())
    child = processes.spawn(server.name, server.command(), folder / f"{server.name}.log", environment)
    try:
        server.await_ready(child)
        yield
    finally:
        processes.end([child])


@pytest.fixture(scope="module")
def signed_in_at(stack: Stack, provider_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A console, and in the place of the stack's nominations one, that believe the provider's ID tokens."""
    folder, port = tmp_path_factory.mktemp("sign-in"), ports.choose(())
    address = f"http://127.0.0.1:{port}"
    with openid.running(provider_program, folder, [f"{address}/signed-in"]) as provider:
        nominations = Service(
            "nominations",
            stack.memory.ports()["nominations"],
            stack.environment("nominations") | believing(provider, folder),
        )
        stack.stop_one("nominations")
        try:
            with running(nominations, folder), running(Console(address, of_console(stack, provider, port)), folder):
                yield address
        finally:
            stack.start_one("nominations")


def believing(provider: Provider, folder: Path) -> dict[str, str]:
    """Return the settings of a service that believes the provider, whose people have their roles by a file."""
    file = folder / "people.json"
    file.write_text(json.dumps({"issuer": provider.issuer, "people": PEOPLE}), encoding="utf-8")
    return {
        "THROUGHLINE_ISSUER": provider.issuer,
        "THROUGHLINE_JWKS": httpx2.get(provider.discovery, trust_env=False).json()["jwks_uri"],
        "THROUGHLINE_AUDIENCE": provider.client_id,
        "THROUGHLINE_PEOPLE_FILE": str(file),
    }


def of_console(stack: Stack, provider: Provider, port: int) -> dict[str, str]:
    """Return the settings of a console that sends the provider's ID token to that one service."""
    prefix, absent = "THROUGHLINE_CONSOLE_", "http://127.0.0.1:9"
    services = dict.fromkeys(SERVICES, absent) | {"nominations": stack.urls["nominations"]}
    return local_console.environment(stack.home) | {
        f"{prefix}PORT": str(port),
        f"{prefix}ADDRESS": f"http://127.0.0.1:{port}",
        f"{prefix}SERVICES": json.dumps(services),
        f"{prefix}ISSUER": provider.issuer,
        f"{prefix}CLIENT_ID": provider.client_id,
        f"{prefix}CLIENT_SECRET": provider.client_secret,
        f"{prefix}TOKEN": "id",
    }


@dataclass
class Answers:
    """The parameters of each sign-in that a page began, and of each answer that it brought back."""

    states: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def note(self, request: Request) -> None:
        """Note a request of the sign-in."""
        query = parse_qs(urlsplit(request.url).query)
        if "code_challenge" in query:
            self.states += query["state"]
        if "code" in query:
            self.answers.append(request.url)


def refused(page: Page) -> None:
    """Check that the page says that nobody was signed in, and that nobody is."""
    expect(page.get_by_role("heading", name="You could not be signed in")).to_be_visible()
    expect(page.locator(".tl-header__person")).to_have_count(0)
    axe(page)


@pytest.mark.parametrize(("person", "role"), [(OFFICER, "Secretariat"), (FOCAL_POINT, "Focal point (FJI)")])
def test_a_person_of_the_file_signs_in_and_works(page: Page, signed_in_at: str, person: openid.Person, role: str):
    page.goto(f"{signed_in_at}/nominations")
    openid.sign_in(page, person)
    page.wait_for_url(f"{signed_in_at}/nominations")
    expect(page.locator(".tl-header__person")).to_contain_text(f"{person.first_name} {person.last_name}, {role}")
    expect(page.get_by_role("heading", name="Nominations", level=1)).to_be_visible()


def test_a_person_without_a_role_is_told_so(page: Page, signed_in_at: str):
    page.goto(signed_in_at)
    openid.sign_in(page, STRANGER)
    expect(page.get_by_role("heading", name="You are signed in, but no role is known for you")).to_be_visible()
    expect(page.locator("#main-content")).to_contain_text("RoleNotGiven")


def test_an_answer_that_nobody_began_is_refused(page: Page, signed_in_at: str):
    page.goto(f"{signed_in_at}/signed-in?code=forged&state=forged")
    refused(page)


def test_an_answer_that_was_used_is_refused_under_its_own_state_and_under_a_new_one(page: Page, signed_in_at: str):
    noted = Answers()
    page.on("request", noted.note)
    page.goto(signed_in_at)
    openid.sign_in(page, OFFICER)
    expect(page.locator(".tl-header__person")).to_contain_text(", Secretariat")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_load_state()
    page.goto(noted.answers[0])
    refused(page)
    page.goto(f"{signed_in_at}/sign-in")
    used = parse_qs(urlsplit(noted.answers[0]).query)["code"][0]
    page.goto(f"{signed_in_at}/signed-in?{urlencode({'code': used, 'state': noted.states[-1]})}")
    refused(page)


def test_an_answer_to_another_nonce_is_refused(page: Page, signed_in_at: str):
    begun = page.context.request.get(f"{signed_in_at}/sign-in", max_redirects=0).headers["location"]
    nonce = parse_qs(urlsplit(begun).query)["nonce"][0]
    page.goto(begun.replace(nonce, "forged-nonce"))
    openid.sign_in(page, OFFICER)
    refused(page)
