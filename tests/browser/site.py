"""A site of made-up pages with the console's own assets and content policy, to try the checks on."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import govuk_frontend_jinja
from jinja2 import (
    ChainableUndefined,
    ChoiceLoader,
    DictLoader,
    Environment,
    PackageLoader,
    PrefixLoader,
)

from tools.console.assets import STATIC, TEMPLATE_SCRIPT_HASH

POLICY = (
    f"default-src 'none'; script-src 'self' '{TEMPLATE_SCRIPT_HASH}'; style-src 'self'; img-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
BASE = """{% extends "govuk_frontend_jinja/template.html" %}
{% block pageTitle %}{{ title }} – Synthetic{% endblock %}
{% block headIcons %}<link rel="icon" href="/static/icon.svg">{% endblock %}
{% block head %}{% for style in ["vendor/fonts.css", "vendor/govuk-frontend.min.css", "vendor/moj-frontend.min.css",
"throughline.css"] %}<link rel="stylesheet" href="/static/{{ style }}">{% endfor %}
<script src="/static/vendor/htmx.min.js" defer></script><script type="module" src="/static/throughline.js"></script>
{% endblock %}
{% block govukHeader %}<div class="tl-header"><div class="govuk-width-container"><a href="/">Throughline</a></div></div>
{% endblock %}{% block footer %}{% endblock %}
"""


def render(content: str, title: str = "Page") -> str:
    """Render a page of the console's frame with content in Jinja."""
    page = f'{{% extends "base.html" %}}{{% block content %}}{content}{{% endblock %}}'
    return environment().from_string(page).render(title=title)


@cache
def environment() -> Environment:
    """The frame and the components of GOV.UK, each compiled once."""
    govuk = PrefixLoader({"govuk_frontend_jinja": PackageLoader(govuk_frontend_jinja.__name__)})
    loader = ChoiceLoader([DictLoader({"base.html": BASE}), govuk])
    return Environment(loader=loader, undefined=ChainableUndefined, autoescape=True)


@contextmanager
def served(pages: Mapping[str, str]) -> Iterator[str]:
    """Serve pages by their path, and the console's static files. Yields the address."""

    class Answer(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.startswith("/static/"):
                self.path = path.removeprefix("/static")
                super().do_GET()
                return
            content = pages.get(path)
            self.send_response(200 if content is not None else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write((content if content is not None else render("<h1>Not here</h1>")).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Answer(*args, directory=str(STATIC))) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
