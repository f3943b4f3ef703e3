"""The content of a service's response: JSON, a problem, or lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson

from tools.client.errors import Refused


@dataclass(frozen=True)
class Problem:
    """An RFC 9457 problem: status, rule and sentence."""

    status: int
    rule: str
    detail: str
    paragraph: str | None = None

    def __str__(self) -> str:
        cited = f" (founding note, para. {self.paragraph})" if self.paragraph else ""
        return f"{self.rule}: {self.detail}{cited}"


def json_of(response: httpx2.Response) -> Any:
    """Return the JSON of a response. Raises Refused where it has none."""
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        raise Refused(f"{response.url.copy_with(query=None)} answers without JSON: is it a service of ours?") from None


def problem_of(response: httpx2.Response) -> Problem:
    """Return the problem of a response that is an error; one by its status where it describes none."""
    try:
        body = orjson.loads(response.content)
        return Problem(response.status_code, body["rule"], body["detail"], body.get("paragraph"))
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return Problem(response.status_code, f"Http{response.status_code}", response.reason_phrase)


def by_options(detail: str) -> str:
    """Return the detail of a refused query with the options of the command line in place of its parameters."""
    return re.sub(r"\bquery[.]([a-z_]+)", lambda name: f"--{name[1].replace('_', '-')}", detail)


def lines_of(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the lines of a body as it comes, split on line feeds only: an event's texts may hold other line ends."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest
