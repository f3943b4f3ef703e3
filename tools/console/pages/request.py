"""Reads from a request what a page needs: person, services, renderer, own commands, the record just changed."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from starlette.requests import Request

from tools.client import api
from tools.console.command_line import CommandLine
from tools.console.downloads import Downloads
from tools.console.person import Person
from tools.console.rendering import Renderer
from tools.console.services import Services


def renderer(request: Request) -> Renderer:
    """Return the renderer of the application."""
    own: Renderer = request.app.state.renderer
    return own


def services(request: Request) -> Services:
    """Return the services as the person sees them."""
    own: Services = request.state.services
    return own


def command_line(request: Request) -> CommandLine:
    """Return the command line of the application."""
    own: CommandLine = request.app.state.command_line
    return own


def one_download(request: Request) -> AbstractContextManager[None]:
    """Count one download of the person. Raises TooManyDownloads."""
    own: Downloads = request.app.state.downloads
    return own.one_of(person(request).actor)


def person(request: Request) -> Person:
    """Return the person signed in."""
    own: Person = request.state.person
    return own


def own_command(request: Request, noun: str, word: str) -> api.Command | None:
    """Return a command if the person may send it, else None."""
    command = api.command(noun, word)
    return command if person(request).role in command.roles else None


def version_after(request: Request, stream: str) -> int:
    """Return the version of a stream that this person's last command made, so that its page shows it; else 0."""
    done: dict[str, Any] = request.session.get("done", {})
    return int(done["version"]) if done.get("stream") == stream else 0
