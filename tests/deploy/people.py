"""A person at the console of a deployment, with the development sign-in."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx2

from tests.deploy.platform import NotAsExpected


class _Hidden(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "input" and named.get("type") == "hidden" and named.get("name"):
            self.fields[str(named["name"])] = named.get("value") or ""


def read_as(role: str, console: str, path: str) -> str:
    """Sign in as somebody made up, and return a page of the console."""
    with httpx2.Client(trust_env=False, follow_redirects=True, timeout=60) as browser:
        answer = browser.get(f"{console}{path}")
        at = urlsplit(str(answer.url))
        if answer.status_code != 200 or at.path != "/authorize":
            raise NotAsExpected(f"{console}{path} led to {answer.url}: {answer.status_code}\n{answer.text[:1_000]}")
        typed = _Hidden(answer.text).fields | {"role": role, "name": "Synthetic Officer"}
        page = browser.post(f"{at.scheme}://{at.netloc}/authorize", data=typed)
        if page.status_code != 200 or not str(page.url).startswith(console):
            raise NotAsExpected(f"the sign-in led to {page.url}: {page.status_code}\n{page.text[:1_000]}")
        return browser.get(f"{console}{path}").text
