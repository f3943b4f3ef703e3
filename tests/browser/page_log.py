"""The log of a test's pages: console messages, errors of scripts, dialogs, failed requests, addresses elsewhere."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Request

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (4\d\d|503)")
"""The browser's own line for an answer such as 422 or 404; a static file that is missing is a fault all the same."""


class PageLog:
    """All that should not have been said or loaded by the pages of one test."""

    def __init__(self) -> None:
        self.entries: list[str] = []
        self.expected: list[re.Pattern[str]] = []

    def follow(self, context: BrowserContext) -> None:
        """Record what the pages of a context log, throw and load."""
        context.on("console", self._log)
        context.on("dialog", self._dismiss)
        context.on("weberror", lambda error: self.entries.append(f"error: {error.error}"))
        context.on("request", self._load)
        context.on("requestfailed", self._fail)

    def expect(self, pattern: str) -> None:
        """Let lines pass that contain a pattern."""
        self.expected.append(re.compile(pattern))

    def check(self) -> None:
        """Refuse a line that the test did not expect, so that no violation of the content policy hides."""
        unexpected = [line for line in self.entries if not any(each.search(line) for each in self.expected)]
        assert unexpected == [], "the console of a page is not empty:\n" + "\n".join(unexpected)

    def _dismiss(self, dialog: Dialog) -> None:
        self.entries.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _log(self, message: ConsoleMessage) -> None:
        address = message.location.get("url", "")
        is_icon = urlsplit(address).path == "/favicon.ico"  # the browser's own request, perhaps of a server that ended
        if not is_icon and not (REFUSED.match(message.text) and "/static/" not in address):
            self.entries.append(f"{message.type}: {message.text} ({address})")

    def _load(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname not in LOOPBACK:
            self.entries.append(f"outside: {request.url}")

    def _fail(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left, or the answer is a download
            self.entries.append(f"failed: {request.url}: {request.failure}")
