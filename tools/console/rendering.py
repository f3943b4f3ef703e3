"""Renders pages: templates, the layout's data, refusals and outages."""

from __future__ import annotations

from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader, PrefixLoader
from starlette.requests import Request

from shared.domain.members import MEMBERS
from tools.console import labels, languages, times
from tools.console.kinds import address_of, form_address, value_at
from tools.console.navigation import beside, local_address, navigation
from tools.console.person import person_of
from tools.console.security import csrf_token
from tools.console.services import Missing, Problem
from tools.console.settings import ConsoleSettings

GOVUK = "govuk_frontend_jinja"


class Renderer:
    """The templates, and what each page of the console shows around its own content."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self.settings = settings
        self._templates = Environment(
            loader=ChoiceLoader([PackageLoader("tools.console"), PrefixLoader({GOVUK: PackageLoader(GOVUK)})]),
            autoescape=True,
            undefined=ChainableUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.policies["ext.i18n.trimmed"] = True
        self._templates.install_gettext_callables(  # type: ignore[attr-defined]
            languages._, languages.ngettext, newstyle=True
        )
        self._templates.globals |= {
            "is_missing": lambda part: isinstance(part, Missing),
            "address_of": address_of,
            "form_address": form_address,
            "value_at": value_at,
            "members": MEMBERS,
        }
        self._templates.filters |= {
            "label": labels.label,
            "event_label": labels.event_label,
            "number": languages.number,
            "day": times.day,
            "when": times.when,
        }

    def page(self, request: Request, template: str, status: int = 200, **content: Any) -> HTMLResponse:
        """Render a page within the layout."""
        return HTMLResponse(self.text(request, template, **content), status)

    def text(self, request: Request, template: str, **content: Any) -> str:
        """Return a page's text."""
        person = person_of(request.session)
        layout = {
            "person": person,
            "navigation": navigation(person.role, request.url.path) if person else (),
            "beside": beside(request.url.path),
            "csrf": csrf_token(request) if person else "",
            "here": local_address(request.url),
            "language": languages.language(),
            "languages": languages.LANGUAGES,
            "zone": times.zone_of(request),
            "down": sorted(request.state.services.down) if person else (),
            "done": request.session.pop("done", None),
            "is_behind": bool(person and request.state.services.is_behind),
            "is_development": self.settings.issuer.startswith("http://127.0.0.1"),
        }
        return self._templates.get_template(template).render(layout | content)

    def error(self, request: Request, status: int, kind: str, **more: Any) -> HTMLResponse:
        """Render the page of an error: what happened, and what to do."""
        return self.page(request, "error.html", status, kind=kind, **more)

    def problem(self, request: Request, problem: Problem) -> HTMLResponse:
        """Render a service's refusal of a page."""
        if request.state.services.is_behind:
            return self.error(request, problem.status, "not_shown_yet")
        return self.error(request, problem.status, "refused", problem=problem)
