"""The OpenAPI document and the page that shows it, with Swagger UI from a package: no other host is asked."""

from __future__ import annotations

from html import escape
from importlib.resources import files

import orjson
from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response

from shared.http.problems import Refused

OPENAPI_PATH = "/openapi.json"
PAGE_PATH = "/docs"
_MEDIA_TYPES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_START = b"""SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null});
"""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""


def add_api_page(app: FastAPI) -> None:
    """Add the OpenAPI document, serialized once, and its page."""
    packaged = files("fastapi_offline").joinpath("static")
    assets = {name: packaged.joinpath(name).read_bytes() for name in _MEDIA_TYPES} | {"start.js": _START}
    page = _PAGE.format(title=escape(app.title))
    documents: list[bytes] = []

    @app.get(OPENAPI_PATH, include_in_schema=False)
    async def openapi() -> Response:
        if not documents:
            documents.append(orjson.dumps(app.openapi()))
        return Response(documents[0], media_type="application/json")

    @app.get(PAGE_PATH, include_in_schema=False)
    async def api_page() -> Response:
        return Response(page, media_type="text/html", headers=_HEADERS)

    @app.get(f"{PAGE_PATH}/", include_in_schema=False)
    async def with_a_slash() -> Response:
        """Redirect within whatever host and scheme the caller used, which `Host` does not prove."""
        return RedirectResponse(f"..{PAGE_PATH}", 308)

    @app.get(f"{PAGE_PATH}/{{asset}}", include_in_schema=False)
    async def api_page_asset(asset: str) -> Response:
        if asset not in assets:
            raise Refused(404, "NotServed", "the page has no such part")
        return Response(assets[asset], media_type=_MEDIA_TYPES.get(asset, "text/javascript"), headers=_HEADERS)
