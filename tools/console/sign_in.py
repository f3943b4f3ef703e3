"""Sign-in by OpenID Connect: the code flow with PKCE, through Authlib; the services say who the person is to them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from cachetools import TTLCache
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from httpx2 import HTTPError
from joserfc.errors import JoseError
from starlette.requests import Request

from shared.events.services import SERVICES
from tools.console.person import Person
from tools.console.rendering import Renderer
from tools.console.security import CSRF, is_own, local
from tools.console.services import Refusal, ServiceDown, Services
from tools.console.sessions import fits
from tools.console.settings import ConsoleSettings

log = structlog.get_logger()

ATTEMPTS, ATTEMPTS_SECONDS = 60, 60.0
PENDING = 5
NAME_LENGTH = 200
RECORDING = frozenset({"secretariat", "focal_point", "chair", "operator"})
_FAULTS = (AuthlibBaseError, JoseError, HTTPError, KeyError, ValueError, TypeError, RuntimeError)


class SignIn:
    """The client of the OpenID provider."""

    def __init__(self, settings: ConsoleSettings, pages: Renderer) -> None:
        self._settings, self._pages = settings, pages
        self._attempts: TTLCache[str, Iterator[int]] = TTLCache(10_000, ATTEMPTS_SECONDS)
        secret = settings.client_secret
        self._provider = OAuth().register(
            "provider",
            server_metadata_url=settings.discovery_document,
            client_id=settings.client_id,
            client_secret=secret.get_secret_value() if secret else None,
            client_kwargs={
                "scope": settings.scope,
                "code_challenge_method": "S256",
                "trust_env": False,
                "timeout": 10.0,
                **({} if secret else {"token_endpoint_auth_method": "none"}),
            },
        )

    def routes(self) -> APIRouter:
        """Return the endpoints of sign-in and sign-out."""
        routes = APIRouter()
        routes.add_api_route("/sign-in", self._begin, methods=["GET"])
        routes.add_api_route("/signed-in", self._end, methods=["GET"])
        routes.add_api_route("/sign-out", self._sign_out, methods=["POST"])
        routes.add_api_route("/signed-out", self._signed_out, methods=["GET"])
        return routes

    async def _begin(self, request: Request, next: str = "/") -> Response:  # noqa: A002
        """Send the browser to the provider."""
        if self._is_too_often(request):
            return self._pages.error(request, 429, "too_many_attempts")
        _forget_pending(request.session)
        try:
            response: Response = await self._provider.authorize_redirect(request, self._at("/signed-in"))
        except _FAULTS as fault:
            log.warning("provider_away", error=type(fault).__name__)
            return self._pages.error(request, 503, "provider_away")
        request.session["next"] = local(next)
        return response

    async def _end(self, request: Request) -> Response:
        """Take the provider's answer, and begin a session of the person."""
        if self._is_too_often(request):
            return self._pages.error(request, 429, "too_many_attempts")
        goal = local(request.session.get("next"))
        try:
            options = {
                "iss": {"essential": True, "value": (await self._provider.load_server_metadata())["issuer"]},
                "aud": {"essential": True, "value": self._settings.client_id},
            }
            answer = await self._provider.authorize_access_token(request, claims_options=options, leeway=5)
            name = await self._name(answer)
            person = await self._person(request, answer[f"{self._settings.token}_token"], name)
        except _FAULTS as fault:
            log.warning("sign_in_refused", error=type(fault).__name__)
            return self._pages.error(request, 403, "sign_in_refused")
        except ServiceDown as down:
            return self._pages.error(request, 503, "services_away", service=down.service)
        except Refusal as refusal:
            return self._pages.error(request, 403, "no_role", problem=refusal)
        await self._list_as_staff(request, person, name)
        until = min(time.time() + self._settings.session_hours * 3_600, self._end_of_token(answer))
        request.session.clear()
        request.session.update(person=asdict(person), until=int(until))
        if not fits(request.session, self._settings.cipher()):
            request.session.clear()
            return self._pages.error(request, 500, "token_too_long")
        return RedirectResponse(goal, 303)

    def _end_of_token(self, answer: Mapping[str, Any]) -> float:
        """Return the time at which the token that the services get is no longer valid."""
        ends = {"id": answer["userinfo"]["exp"], "access": time.time() + answer.get("expires_in", 3_600)}
        return float(ends[self._settings.token])

    async def _name(self, answer: Mapping[str, Any]) -> str:
        """Return what the provider calls the person, in the ID token or where it is asked; blank where nowhere."""
        claims = answer["userinfo"]
        if not (name := _name_in(claims)) and "access_token" in answer:
            try:
                more = await self._provider.userinfo(token=answer)
                name = _name_in(more) if more.get("sub") == claims["sub"] else ""
            except _FAULTS as fault:
                log.warning("no_name_of_person", error=type(fault).__name__)
        return name

    async def _person(self, request: Request, token: str, name: str) -> Person:
        """Return the person, as the first service that answers knows them. Raises Refusal, ServiceDown."""
        services = Services(request.app.state.client, self._settings.services, token)
        for last, service in enumerate(SERVICES, start=1 - len(SERVICES)):
            try:
                known = await services.get(service, "/me")
                break
            except ServiceDown:
                if last == 0:
                    raise
        return Person(token, name or known["role"], **known)

    async def _list_as_staff(self, request: Request, person: Person, name: str) -> None:
        """Give a person who records the name that timelines show; without it they show the role."""
        services = Services(request.app.state.client, self._settings.services, person.token)
        if name and person.role in RECORDING:
            try:
                await services.send("nominations", "PUT", "/staff/me", json={"name": name})
            except (ServiceDown, Refusal) as fault:
                log.warning("not_listed_as_staff", error=type(fault).__name__)

    async def _sign_out(self, request: Request) -> Response:
        """End the session here, and at the provider where it can end one, if a page of this session asks for it."""
        if not is_own(request, (await request.form()).get(CSRF)):
            return self._pages.error(request, 403, "not_signed_out")
        request.session.clear()
        try:
            metadata = await self._provider.load_server_metadata()
        except _FAULTS:
            metadata = {}
        if not metadata.get("end_session_endpoint"):
            return RedirectResponse("/signed-out", 303)
        more = {"client_id": self._settings.client_id}
        response: Response = await self._provider.logout_redirect(request, self._at("/signed-out"), **more)
        response.status_code = 303
        return response

    async def _signed_out(self, request: Request) -> Response:
        request.session.clear()
        return self._pages.page(request, "signed_out.html")

    def _at(self, path: str) -> str:
        return self._settings.address + path

    def _is_too_often(self, request: Request) -> bool:
        """Count an attempt of an address; the minute of a count begins with its first attempt."""
        peer = request.client.host if request.client else ""
        count = self._attempts.setdefault(peer, itertools.count(1))
        return next(count) > ATTEMPTS


def _name_in(claims: Mapping[str, Any]) -> str:
    return str(claims.get("name") or claims.get("preferred_username") or "").strip()[:NAME_LENGTH]


def _forget_pending(session: dict[str, Any]) -> None:
    """Leave room in the cookie: keep only the newest sign-ins that were begun and not ended."""
    pending = [name for name in session if name.startswith("_state_")]
    for name in pending[:-PENDING]:
        del session[name]
