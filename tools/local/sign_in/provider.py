"""An OpenID provider that asks for no password: authorization codes with PKCE, signed by the key of a local stack."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from cachetools import TTLCache
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, Field, ValidationError

from shared.domain.members import MEMBERS
from shared.events.values import ID, ShortText
from shared.events.words import CallerRole
from tools.client import tokens
from tools.client.development import SIGNED_IN, SIGNED_OUT, clients
from tools.files import read_json
from tools.local.sign_in import page

CODE_SECONDS, TOKEN_HOURS = 60, 8
_CARRIED = (
    *("client_id", "redirect_uri", "response_type", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method"),
)


class ChosenPerson(BaseModel):
    """The made-up person that somebody chose to be."""

    role: CallerRole
    member: str = ""
    expert: Annotated[str, Field(pattern=f"{ID}|^$")] = ""
    name: ShortText = "Synthetic Person"

    def claims(self) -> dict[str, str]:
        """Return the claims; the same choice is the same subject, which is no name."""
        chosen = {"role": self.role, "name": self.name}
        chosen |= {"member": self.member} if self.role == "focal_point" else {}
        chosen |= {"expert": self.expert} if self.role == "expert" and self.expert else {}
        digest = hashlib.sha256(urlencode(sorted(chosen.items())).encode()).hexdigest()
        return {"subject": f"development-{digest[:16]}", **chosen}


@dataclass(frozen=True)
class Grant:
    """The content of an authorization code."""

    request: Mapping[str, str]
    claims: Mapping[str, str]


class Unusable(Exception):
    """A request whose sender nobody can be sent back to."""


class Provider:
    """The endpoints, with the key of one home; codes live in memory and are used once.

    Browsers reach it at `published`, where that is not the address of its own by which the console does.
    """

    def __init__(self, home: Path, base: str, published: str | None = None) -> None:
        self._home, self._base, self._published = home, base, published or base
        self._grants: TTLCache[str, Grant] = TTLCache(1_000, CODE_SECONDS)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": tokens.ISSUER,
            "authorization_endpoint": f"{self._published}/authorize",
            "token_endpoint": f"{self._base}/token",
            "jwks_uri": f"{self._base}/jwks.json",
            "end_session_endpoint": f"{self._published}/end-session",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [tokens.ALGORITHM],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "scopes_supported": ["openid", "profile"],
        }

    def jwks(self) -> dict[str, Any]:
        return read_json(self._home / tokens.JWKS_FILE)

    def authorize(self, query: Mapping[str, str]) -> Response:
        """Show the form, or send the client its error."""
        if error := self._error_of(query):
            return _redirect(query["redirect_uri"], error=error, state=query.get("state"))
        return html(page.form(_carried(query), {}, {}), query["redirect_uri"])

    def choose(self, typed: Mapping[str, str]) -> Response:
        """Issue a code for the person chosen, or show the form again with its faults."""
        if error := self._error_of(typed):
            return _redirect(typed["redirect_uri"], error=error, state=typed.get("state"))
        person, faults = _person_of(typed)
        if person is None:
            return html(page.form(_carried(typed), typed, faults), typed["redirect_uri"], 422)
        code = secrets.token_urlsafe(32)
        self._grants[code] = Grant(_carried(typed), person.claims())
        return _redirect(typed["redirect_uri"], code=code, state=typed.get("state"))

    def token(self, given: Mapping[str, str]) -> Response:
        """Exchange a code for tokens; whatever comes of it, the code is spent."""
        if given.get("grant_type") != "authorization_code":
            return _no_token("unsupported_grant_type")
        grant = self._grants.pop(given.get("code", ""), None)
        if given.get("client_id") not in clients(self._home):
            return _no_token("invalid_client", 401)
        if grant is None or not _fits(given, grant.request):
            return _no_token("invalid_grant")
        who, life = dict(grant.claims), timedelta(hours=TOKEN_HOURS)
        access = tokens.mint(self._home, lifetime=life, **who)  # type: ignore[arg-type]
        more = {"nonce": nonce} if (nonce := grant.request.get("nonce")) else {}
        identity = tokens.mint(
            self._home, lifetime=life, audience=given["client_id"], more=more, **who  # type: ignore[arg-type]
        )  # fmt: skip
        content = {"access_token": access, "id_token": identity, "token_type": "Bearer", "scope": "openid profile"}
        return JSONResponse(content | {"expires_in": TOKEN_HOURS * 3_600}, headers={"Cache-Control": "no-store"})

    def end_session(self, query: Mapping[str, str]) -> Response:
        """Send the browser back to a console that is known; there is no session here to end."""
        back = query.get("post_logout_redirect_uri", "")
        if back in self._addresses(query.get("client_id"), SIGNED_OUT):
            return _redirect(back, state=query.get("state"))
        return html(page.notice("Signed out", "The development sign-in keeps no session."))

    def _error_of(self, query: Mapping[str, str]) -> str | None:
        """Return the error to send to the client. Raises Unusable where it is not known, or its address is not."""
        if query.get("client_id") not in clients(self._home):
            raise Unusable("client_id names no console of this stack.")
        if query.get("redirect_uri", "") not in self._addresses(query["client_id"], SIGNED_IN):
            raise Unusable("redirect_uri is no address of this console, to the last character.")
        if query.get("response_type") != "code":
            return "unsupported_response_type"
        if "openid" not in query.get("scope", "").split():
            return "invalid_scope"
        if query.get("code_challenge_method") != "S256" or len(query.get("code_challenge", "")) != 43:
            return "invalid_request"
        return "login_required" if query.get("prompt") == "none" else None

    def _addresses(self, client: str | None, path: str) -> set[str]:
        known = clients(self._home)
        listed = known.get(client, []) if client is not None else [each for one in known.values() for each in one]
        return {f"{address}{path}" for address in listed}


def _person_of(typed: Mapping[str, str]) -> tuple[ChosenPerson | None, dict[str, str]]:
    """Return the person, or a sentence for each fault by field."""
    says = {
        "role": "Choose a role",
        "member": "Choose the member for which the focal point speaks",
        "expert": "Write an id: letters, digits, dots and hyphens",
        "name": "Write a made-up name on one line",
    }
    given = {name: typed[name].strip() for name in ChosenPerson.model_fields if typed.get(name, "").strip()}
    if given.get("role") == "focal_point" and given.get("member") not in MEMBERS:
        return None, {"member": says["member"]}
    try:
        return ChosenPerson.model_validate(given), {}
    except ValidationError as error:
        return None, {(name := str(fault["loc"][0])): says[name] for fault in error.errors()}


def _carried(query: Mapping[str, str]) -> dict[str, str]:
    return {name: query[name] for name in _CARRIED if name in query}


def _fits(given: Mapping[str, str], request: Mapping[str, str]) -> bool:
    digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    same = all(given.get(name) == request[name] for name in ("client_id", "redirect_uri"))
    return same and hmac.compare_digest(challenge.encode(), request["code_challenge"].encode())


def _redirect(to: str, **parameters: str | None) -> Response:
    given = urlencode({name: value for name, value in parameters.items() if value is not None})
    return RedirectResponse(f"{to}?{given}" if given else to, 303, headers={"Cache-Control": "no-store"})


def _no_token(error: str, status: int = 400) -> Response:
    return JSONResponse({"error": error}, status, headers={"Cache-Control": "no-store"})


def html(content: str, back: str = "", status: int = 200) -> Response:
    """Return a page under a policy without script, whose form may end at the client's address."""
    at = urlsplit(back)
    policy = (
        f"default-src 'none'; style-src 'self'; form-action 'self' {at.scheme}://{at.netloc}; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(content, status, headers=headers)
