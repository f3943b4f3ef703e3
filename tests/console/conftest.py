"""The console as a browser reaches it: over HTTP, on the real services, as a person of any role."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4
from xml.etree.ElementTree import Element

import httpx2
import orjson
import pytest
import uvicorn
from cryptography.fernet import Fernet

from shared.events.services import SERVICES
from tests.console.rendered import elements, parsed, text_of
from tests.patience import AT_MOST_SECONDS
from tools.client.tokens import mint
from tools.console.app import make_app
from tools.console.settings import ConsoleSettings
from tools.local.stack import Stack

CSRF = "synthetic-csrf"


@dataclass
class Person:
    """A person at the console, with a session as sign-in would have made it."""

    client: httpx2.Client

    def get(self, address: str) -> httpx2.Response:
        """Open a page; what it leads to is followed."""
        return self.client.get(address, follow_redirects=True)

    def page(self, address: str) -> Element:
        """Return a page's document."""
        response = self.get(address)
        assert response.status_code == 200, text_of(parsed(response.text))
        return parsed(response.text)

    def send(self, document: Element, typed: dict[str, Any], address: str, button: str = "") -> httpx2.Response:
        """Fill in the form of a page that is sent by POST, and send it; `button` is the value of one named `step`."""
        form = next(each for each in elements(document, "form") if "enctype" in each.attrib)
        given = dict(values_of(form)) | typed | ({"step": button} if button else {})
        files = {"no-file": ("", b"")}
        return self.client.post(form.get("action") or address, data=given, files=files, follow_redirects=True)


@dataclass(frozen=True)
class Console:
    """A running console on a stack."""

    url: str
    stack: Stack
    cipher: Fernet

    def reader(self, role: str = "secretariat", member: str | None = None, expert: str | None = None) -> Person:
        """Return a person of a role, signed in."""
        subject = f"synthetic-{uuid4()}"
        token = mint(self.stack.home, role=role, subject=subject, member=member, expert=expert)
        person = {"token": token, "name": "Synthetic Officer", "actor": subject, "role": role, "member": member}
        session = {"person": person | {"expert": expert}, "until": int(time.time() + 3_600), "csrf": CSRF}
        cookies = {"throughline": self.cipher.encrypt(orjson.dumps(session)).decode()}
        return Person(httpx2.Client(base_url=self.url, cookies=cookies, timeout=AT_MOST_SECONDS, trust_env=False))


def values_of(form: Element) -> Iterator[tuple[str, str]]:
    """Yield what a browser would send of a form that nobody touched, its buttons left out."""
    for field in form.iter():
        name, tag = field.get("name"), str(field.tag).rpartition("}")[2]
        if name is None or tag not in ("input", "textarea", "select"):
            continue
        if tag == "select":
            chosen = [option for option in elements(field, "option") if "selected" in option.attrib]
            yield name, (chosen[0].get("value") or "") if chosen else ""
        elif tag == "textarea":
            yield name, "".join(field.itertext())
        elif field.get("type") not in ("file", "checkbox", "radio"):
            yield name, field.get("value") or ""


@pytest.fixture(scope="session")
def console(stack: Stack, at_end: ExitStack) -> Console:
    """The console, on the stack."""
    return at_end.enter_context(a_console(stack))


@contextmanager
def a_console(stack: Stack) -> Iterator[Console]:
    """Run a console on a stack, in a thread."""
    key = Fernet.generate_key()
    settings = ConsoleSettings(
        address="http://127.0.0.1:8080",
        services={name: stack.urls[name] for name in SERVICES},
        issuer="http://127.0.0.1:1",
        keys=key.decode(),
    )
    server = uvicorn.Server(uvicorn.Config(make_app(settings), host="127.0.0.1", port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        limit = time.monotonic() + AT_MOST_SECONDS
        while not server.started:
            assert thread.is_alive() and time.monotonic() < limit, "the console did not start"  # noqa: PT018
            time.sleep(0.02)
        yield Console(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", stack, Fernet(key))
    finally:
        server.should_exit = True
        thread.join(AT_MOST_SECONDS)
