"""The console's application: middlewares, routes, and pages of errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, HTTPException
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.runtime.hang_watch import event_loop_watched
from shared.tracing.requests import NO_NATIVE_TELEMETRY, TracedRequests
from shared.tracing.spans import tracing
from tools.console import admission, languages, times
from tools.console.assets import STATIC
from tools.console.command_line import CommandFailed, CommandLine
from tools.console.downloads import Downloads, TooManyDownloads
from tools.console.metrics import TimedPages, metrics_served
from tools.console.mounted import Mounted
from tools.console.navigation import local_address
from tools.console.pages import ROUTERS
from tools.console.pages.request import renderer
from tools.console.person import person_of
from tools.console.rendering import Renderer
from tools.console.security import SecureHeaders
from tools.console.services import Problem, ServiceDown, Services, TokenRefused, make_client
from tools.console.sessions import Sessions
from tools.console.settings import ConsoleSettings
from tools.console.sign_in import SignIn

_PROBES = ("/healthz", "/livez", "/servez")
_OPEN = ("/static/", "/sign-in", "/signed-in", "/signed-out", "/preferences", *_PROBES)


class VendoredFiles(StaticFiles):
    """Static files, which a browser may keep for a day: vendored names carry no version.

    They alone are compressed: the length of a compressed page would tell of its token beside what a reader typed.
    """

    def file_response(self, *arguments: Any, **more: Any) -> Response:
        """Return a file with its time to live."""
        response = super().file_response(*arguments, **more)
        response.headers["Cache-Control"] = "public, max-age=86400"
        return response


def make_app(settings: ConsoleSettings, *, is_process: bool = False) -> FastAPI:
    """Build the console; as a process of its own, one whose event loop is blocked ends itself."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as serving:
            app.state.client = await serving.enter_async_context(make_client())
            if is_process:
                await serving.enter_async_context(event_loop_watched())
            if settings.metrics_port is not None:
                await serving.enter_async_context(metrics_served(settings.host, settings.metrics_port))
            yield

    app = FastAPI(
        title="Throughline console",
        lifespan=lifespan,
        openapi_url=None,
        redirect_slashes=False,
        telemetry=NO_NATIVE_TELEMETRY,
    )
    app.state.settings, app.state.renderer = settings, Renderer(settings)
    app.state.one_document = asyncio.Semaphore()  # a document takes a processor whole while it is written
    app.state.command_line, app.state.downloads = CommandLine(settings.services), Downloads()
    app.mount("/static", GZipMiddleware(VendoredFiles(directory=STATIC)), name="static")
    app.include_router(SignIn(settings, app.state.renderer).routes())
    for router in ROUTERS:
        app.include_router(router)
    for probe in _PROBES:
        app.add_api_route(probe, _alive, methods=["GET"])
    app.add_middleware(WithPerson)
    app.add_middleware(
        Sessions, cipher=settings.cipher(), seconds=settings.session_hours * 3_600, secure=settings.secure
    )
    app.add_middleware(SecureHeaders, issuer=settings.issuer, secure=settings.secure)
    if tracing().is_on:
        app.add_middleware(TracedRequests, continues=False)
    if settings.path:
        app.add_middleware(Mounted, path=settings.path)
    app.add_middleware(TimedPages)
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(TokenRefused, _on_refused_token)
    app.add_exception_handler(ServiceDown, _on_down)
    app.add_exception_handler(CommandFailed, _on_failed_command)
    app.add_exception_handler(TooManyDownloads, _on_too_many_downloads)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(404, _on_http)
    return app


async def _alive() -> PlainTextResponse:
    return PlainTextResponse("alive")


class WithPerson:
    """The middleware that serves a request as its person, and sends anybody else to sign-in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request with the services as its person sees them, in their language and time zone."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        person = person_of(request.session)
        settings: ConsoleSettings = request.app.state.settings
        request.state.services = Services(request.app.state.client, settings.services, person.token if person else "")
        request.state.person = person
        with languages.speaking(languages.chosen(request)), times.zoned(times.zone_of(request)):
            app = await _refused(request, settings) or self._app
            await app(scope, receive, send)


async def _refused(request: Request, settings: ConsoleSettings) -> Response | None:
    """Return the answer to a request that is not admitted, or whose sender is not signed in; else None."""
    if fault := admission.refused(request, settings):
        return renderer(request).error(request, *fault, limit=settings.upload_bytes)
    if request.state.person is None and not request.url.path.startswith(_OPEN):
        return await _without_person(request)
    return None


async def _without_person(request: Request) -> Response:
    """Send a reader to sign-in; show the sender of a form what was typed, so that it can be sent again."""
    if request.method in ("GET", "HEAD"):
        return RedirectResponse(f"/sign-in?{urlencode({'next': local_address(request.url)})}", 303)
    form = await request.form()
    typed = [(name, value) for name, value in form.multi_items() if isinstance(value, str) and name != "csrf"]
    if sum(len(name) + len(value) for name, value in typed) > admission.ECHO:
        return renderer(request).error(request, 413, "too_large", limit=request.app.state.settings.upload_bytes)
    return renderer(request).page(request, "session_ended.html", 401, typed=typed)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return renderer(request).problem(request, error)


async def _on_refused_token(request: Request, error: Exception) -> Response:
    request.session.clear()
    return await _without_person(request)


async def _on_down(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceDown)
    return renderer(request).error(request, 503, "services_away", service=error.service)


async def _on_failed_command(request: Request, error: Exception) -> Response:
    assert isinstance(error, CommandFailed)
    return renderer(request).error(request, error.status, f"command_{error.why}", says=error.says)


async def _on_too_many_downloads(request: Request, error: Exception) -> Response:
    return renderer(request).error(request, 429, "downloads_busy")


async def _on_http(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    return renderer(request).error(request, status, "not_here" if status == 404 else "refused_here")
