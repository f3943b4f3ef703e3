"""The development sign-in: a whole sign-in on a stack, and all that it refuses."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.patience import AT_MOST_SECONDS
from tools.client import tokens
from tools.client.development import CLIENT_ID, NotLoopback, register
from tools.local.sign_in import provider
from tools.local.sign_in.__main__ import make
from tools.local.stack import Stack

BASE, CONSOLE = "http://127.0.0.1:8500", "http://127.0.0.1:8600"
VERIFIER = "synthetic-verifier-of-forty-three-characters-or-more"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
REQUEST = {
    "client_id": CLIENT_ID,
    "redirect_uri": f"{CONSOLE}/signed-in",
    "response_type": "code",
    "scope": "openid profile",
    "state": 'synthetic "state" & more',
    "nonce": "synthetic-nonce",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
CHAIR = {"role": "chair", "name": "Synthetic Chair"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    tokens.make_key(tmp_path)
    register(tmp_path, CONSOLE)
    register(tmp_path, "http://127.0.0.1:8700", "another")
    return tmp_path


@pytest.fixture
async def web(home: Path) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(make(home, 8500)), base_url=BASE) as client:
        yield client


def changed(**changes: str | None) -> dict[str, str]:
    """The authorization request, changed; None leaves a parameter out."""
    return {name: value for name, value in (REQUEST | changes).items() if value is not None}


def answered(answer: httpx2.Response) -> dict[str, str]:
    """The parameters with which the browser is sent back to the console."""
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"].startswith(REQUEST["redirect_uri"] + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


async def code_of(web: httpx2.AsyncClient, typed: dict[str, str] = CHAIR) -> str:
    return answered(await web.post("/authorize", data=REQUEST | typed))["code"]


async def exchanged(web: httpx2.AsyncClient, issued: str, **changes: str) -> httpx2.Response:
    given = {"grant_type": "authorization_code", "code": issued, "code_verifier": VERIFIER, "client_id": CLIENT_ID}
    return await web.post("/token", data=given | {"redirect_uri": REQUEST["redirect_uri"]} | changes)


async def test_a_person_signs_in_with_role_and_name(web: httpx2.AsyncClient) -> None:
    page = await web.get("/authorize", params=REQUEST)
    assert page.status_code == 200
    assert "Development sign-in" in page.text
    back = answered(await web.post("/authorize", data=hidden(page.text) | {"role": "focal_point", "member": "FJI"}))
    assert back["state"] == REQUEST["state"]
    answer = await exchanged(web, back["code"])
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    keys = KeySet.import_key_set((await web.get("/jwks.json")).json())
    access, identity = (
        jwt.decode(answer.json()[f"{kind}_token"], keys, algorithms=["Ed25519"]).claims for kind in ("access", "id")
    )
    who = {"iss": tokens.ISSUER, "role": "focal_point", "member": "FJI", "name": "Synthetic Person"}
    assert access.items() >= (who | {"aud": tokens.AUDIENCE}).items()
    assert identity.items() >= (who | {"aud": CLIENT_ID, "nonce": "synthetic-nonce", "sub": access["sub"]}).items()
    assert "expert" not in access
    assert re.fullmatch("development-[0-9a-f]{16}", access["sub"])
    assert (await web.get("/.well-known/openid-configuration")).json()["issuer"] == tokens.ISSUER


async def test_the_same_choice_is_the_same_person_and_another_another(home: Path, web: httpx2.AsyncClient) -> None:
    async def subject(**typed: str) -> str:
        answer = await exchanged(web, await code_of(web, typed))
        keys = KeySet.import_key_set((await web.get("/jwks.json")).json())
        return str(jwt.decode(answer.json()["access_token"], keys, algorithms=["Ed25519"]).claims["sub"])

    first = await subject(**CHAIR)
    assert first == await subject(**CHAIR, member="FJI", expert="")
    others = [
        await subject(role="chair", name="Synthetic Other"),
        await subject(role="auditor", name="Synthetic Chair"),
        await subject(role="expert", name="Synthetic Chair"),
        await subject(role="expert", name="Synthetic Chair", expert="p1"),
    ]
    assert len({first, *others}) == 5


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": f"{CONSOLE}/signed-in/"},
        {"redirect_uri": f"{CONSOLE}/signed-in?next=x"},
        {"redirect_uri": f"{CONSOLE}/signed-in#"},
        {"redirect_uri": "http://127.0.0.1:8700/signed-in"},
        {"redirect_uri": "http://localhost:8600/signed-in"},
        {"redirect_uri": "https://example.org/signed-in"},
        {"redirect_uri": None},
        {"client_id": "somebody"},
        {"client_id": "another"},
        {"client_id": None},
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_not_the_clients(
    changes: dict[str, str | None], web: httpx2.AsyncClient
) -> None:
    for answer in (
        await web.get("/authorize", params=changed(**changes)),
        await web.post("/authorize", data=changed(**changes) | CHAIR),
    ):
        assert (answer.status_code, "Location" in answer.headers) == (400, False)
        assert "This sign-in cannot be used" in answer.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_a_client_learns_why_its_request_is_refused(
    changes: dict[str, str | None], error: str, web: httpx2.AsyncClient
) -> None:
    for answer in (
        await web.get("/authorize", params=changed(**changes)),
        await web.post("/authorize", data=changed(**changes) | CHAIR),
    ):
        assert answered(answer) == {"error": error, "state": REQUEST["state"]}


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"code_verifier": VERIFIER[:-1]}, 400, "invalid_grant"),
        ({"code_verifier": CHALLENGE}, 400, "invalid_grant"),
        ({"code_verifier": ""}, 400, "invalid_grant"),
        ({"redirect_uri": f"{CONSOLE}/signed-in/"}, 400, "invalid_grant"),
        ({"client_id": "another"}, 400, "invalid_grant"),
        ({"client_id": "somebody"}, 401, "invalid_client"),
        ({"code": "guessed"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_a_code_is_exchanged_by_the_client_that_began_and_by_nobody_else(
    changes: dict[str, str], status: int, error: str, web: httpx2.AsyncClient
) -> None:
    answer = await exchanged(web, await code_of(web), **changes)
    assert (answer.status_code, answer.json()) == (status, {"error": error})


async def test_a_code_is_used_once_and_soon(
    web: httpx2.AsyncClient, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await code_of(web)
    assert (await exchanged(web, code)).status_code == 200
    assert (await exchanged(web, code)).json() == {"error": "invalid_grant"}
    spent = await code_of(web)
    assert (await exchanged(web, spent, code_verifier="wrong")).status_code == 400
    assert (await exchanged(web, spent)).json() == {"error": "invalid_grant"}, "a wrong try spends it too"
    monkeypatch.setattr(provider, "CODE_SECONDS", 0)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(make(home, 8500)), base_url=BASE) as late:
        assert (await exchanged(late, await code_of(late))).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({}, "role"),
        ({"role": "system"}, "role"),
        ({"role": "focal_point"}, "member"),
        ({"role": "focal_point", "member": "BRA"}, "member"),
        ({"role": "expert", "expert": "a b"}, "expert"),
        ({"role": "chair", "name": "x" * 501}, "name"),
        ({"role": "chair", "name": "a\nb"}, "name"),
    ],
)
async def test_a_choice_with_a_fault_is_shown_again_as_typed(
    typed: dict[str, str], field: str, web: httpx2.AsyncClient
) -> None:
    typed = {"name": '<b>"Synthetic"</b>'} | typed
    answer = await web.post("/authorize", data=REQUEST | typed)
    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text
    assert f'id="{field}-fault"' in answer.text
    assert "<b>" not in answer.text
    assert hidden(answer.text) == REQUEST


class Markup(HTMLParser):
    """The elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def hidden(text: str) -> dict[str, str]:
    fields = (given for tag, given in Markup(text).elements if tag == "input" and given["type"] == "hidden")
    return {str(given["name"]): str(given["value"]) for given in fields}


@pytest.mark.parametrize("typed", [None, {}, {"role": "focal_point"}])
async def test_the_page_needs_no_script_and_names_every_field(
    typed: dict[str, str] | None, web: httpx2.AsyncClient
) -> None:
    page = await (
        web.get("/authorize", params=REQUEST) if typed is None else web.post("/authorize", data=REQUEST | typed)
    )
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self' http://127.0.0.1:8600;")
    elements = Markup(page.text).elements
    assert not [tag for tag, _ in elements if tag in {"script", "style"}]
    assert not [name for _, given in elements for name in given if name == "style" or name.startswith("on")]
    labelled = {given["for"] for tag, given in elements if tag == "label"}
    ids = [given["id"] for _, given in elements if "id" in given]
    fields = {given["id"] for tag, given in elements if tag in {"input", "select"} and given.get("type") != "hidden"}
    assert fields == labelled
    assert len(ids) == len(set(ids))
    described = {each for _, given in elements for each in str(given.get("aria-describedby") or "").split()}
    assert described <= set(ids)
    assert (await web.get("/page.css")).headers["Content-Type"].startswith("text/css")


async def test_what_is_odd_is_refused(web: httpx2.AsyncClient) -> None:
    for address in ("http://issuer.example.org", "http://127.0.0.1.example.org"):
        assert (
            await web.get("/authorize", params=REQUEST, headers={"Host": urlsplit(address).netloc})
        ).status_code == 400
    assert (await web.get("/authorize", params=[*REQUEST.items(), ("state", "other")])).status_code == 400
    assert (await web.post("/authorize", content=b"x" * 70_000)).status_code == 400
    assert (await web.post("/token", data={}, headers={"Authorization": "Basic !!"})).status_code in {400, 401}


async def test_the_session_ends_at_an_address_of_the_client_alone(web: httpx2.AsyncClient) -> None:
    async def ended(**query: str) -> str | None:
        return (await web.get("/end-session", params=query)).headers.get("Location")

    assert await ended(post_logout_redirect_uri=f"{CONSOLE}/signed-out", state="s") == f"{CONSOLE}/signed-out?state=s"
    for back in (f"{CONSOLE}/signed-in", "https://example.org/signed-out", ""):
        assert await ended(post_logout_redirect_uri=back) is None
    assert await ended(post_logout_redirect_uri=f"{CONSOLE}/signed-out", client_id="another") is None


@pytest.mark.slow
def test_it_cannot_run_elsewhere(tmp_path: Path, home: Path) -> None:
    with pytest.raises(SystemExit, match="is no home of a local stack"):
        make(tmp_path / "nowhere", 8500)
    for address in ("https://example.org", "http://192.0.2.1:80", "http://0.0.0.0:80", "http://127.0.0.1.example.org"):
        with pytest.raises(NotLoopback):
            register(home, address)
    elsewhere = [("--host", host) for host in ("0.0.0.0", "192.0.2.1", "::")]  # noqa: S104
    for option in (*elsewhere, ("--published", "http://192.0.2.1:8090"), ("--published", "https://example.org")):
        command = [sys.executable, "-m", "tools.local.sign_in", "--home", str(home), "--port", "1", *option]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=AT_MOST_SECONDS, check=False)
        assert (ended.returncode, "is not loopback" in ended.stderr) == (1, True)


async def test_in_a_container_browsers_are_sent_to_the_published_address_and_the_console_to_its_own(home: Path) -> None:
    own = f"http://{socket.gethostname()}:8090"
    app = make(home, 8090, "http://127.0.0.1:8500")
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=own) as console:
        document = (await console.get("/.well-known/openid-configuration")).json()
        assert {name: document[name] for name in ("authorization_endpoint", "end_session_endpoint")} == {
            "authorization_endpoint": f"{BASE}/authorize",
            "end_session_endpoint": f"{BASE}/end-session",
        }
        assert {document["token_endpoint"], document["jwks_uri"]} == {f"{own}/token", f"{own}/jwks.json"}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=BASE) as browser:
        assert (await browser.get("/authorize", params=REQUEST)).status_code == 200
        assert (await browser.get("/authorize", headers={"Host": "example.org"})).status_code == 400


@pytest.mark.servers
def test_a_stack_signs_in_and_its_services_take_both_tokens(stack: Stack) -> None:
    issuer, console = stack.memory.issuer(), f"http://127.0.0.1:{stack.memory.ports()['console']}"
    assert issuer is not None
    with httpx2.Client(trust_env=False, timeout=AT_MOST_SECONDS) as web:
        metadata: dict[str, Any] = web.get(f"{issuer}/.well-known/openid-configuration").json()
        typed = REQUEST | {"redirect_uri": f"{console}/signed-in", "role": "expert", "expert": "synthetic-1"}
        location = web.post(metadata["authorization_endpoint"], data=typed).headers["Location"]
        [code] = parse_qs(urlsplit(location).query)["code"]
        given = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "client_id": CLIENT_ID}
        issued = web.post(metadata["token_endpoint"], data=given | {"redirect_uri": f"{console}/signed-in"}).json()
        known = [
            web.get(f"{url}/me", headers={"Authorization": f"Bearer {issued[kind]}"}).json()
            for url in stack.urls.values()
            for kind in ("access_token", "id_token")
        ]
    assert [{**each, "actor": ""} for each in known] == [{"actor": "", "role": "expert", "expert": "synthetic-1"}] * 8
    assert len({each["actor"] for each in known}) == 1
    assert "Synthetic Person" not in (stack.home / "logs/issuer.log").read_text()
