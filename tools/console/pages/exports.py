"""The whole record as a download, and verified here and now: up to a size, above which the command line does it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from shutil import make_archive

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from shared.events.services import SERVICES
from tools.console.command_line import CommandFailed
from tools.console.downloads import Download
from tools.console.languages import _
from tools.console.pages.request import command_line, renderer, services
from tools.console.security import is_own
from tools.console.settings import ConsoleSettings
from tools.console.verification import Report, report_of
from tools.files import NotAFile, read_named

router = APIRouter()
_KEYS_LIMIT = 100_000
_CHUNK = 1 << 18


@router.get("/audit/export")
async def export(request: Request) -> Response:
    """Download an export of the whole record; it is complete before its first byte is sent."""
    if not await _is_within_limit(request):
        return _by_command_line()
    name = f"throughline-export-{datetime.now(UTC):%Y-%m-%d}"
    async with AsyncExitStack() as held:
        folder = held.enter_context(command_line(request).folder())
        await command_line(request).run(request, folder, "audit", "export", name)
        archive, size = await asyncio.to_thread(_archived, folder, name)
        return Download(_chunks(archive), archive.name, held.pop_all(), "application/zip", size)


@router.get("/audit/verification")
async def offer(request: Request) -> Response:
    """Show the form that verifies the record."""
    return _page(request) if await _is_within_limit(request) else _by_command_line()


@router.post("/audit/verification")
async def verify(request: Request) -> Response:
    """Export the whole record, verify the export, and show what was found."""
    if not is_own(request, (await request.form()).get("csrf")):
        return _page(request, 403, fault=_("This page was opened in an earlier session. Check it, and send it again."))
    if not await _is_within_limit(request):
        return _by_command_line()
    keys = _trusted_keys(request.app.state.settings.trusted_keys_file)
    with command_line(request).folder() as folder:
        await command_line(request).run(request, folder, "audit", "export", "export")
        words = ("audit", "verify", "export", "--jobs", "1", "--format", "json", *keys)
        printed = await command_line(request).run(request, folder, *words, codes=(0, 1))
    if (report := report_of(printed)) is None:
        raise CommandFailed("failed", "audit verify printed no report")
    return _page(request, report=report)


def _page(request: Request, status: int = 200, fault: str = "", report: Report | None = None) -> Response:
    has_keys = request.app.state.settings.trusted_keys_file is not None
    return renderer(request).page(
        request, "audit_verification.html", status, report=report, fault=fault, has_keys=has_keys
    )


def _by_command_line() -> Response:
    """Lead to what is typed where the record is too large for a page."""
    return RedirectResponse("/audit#export", 303)


async def _is_within_limit(request: Request) -> bool:
    """Tell whether the record is small enough for a page. Raises Problem for who may not read the logs, ServiceDown."""
    sizes = await asyncio.gather(*(services(request).get(each, "/log") for each in SERVICES))
    settings: ConsoleSettings = request.app.state.settings
    return sum(int(each["published"]) for each in sizes) <= settings.export_events


def _trusted_keys(file: Path | None) -> list[str]:
    """Return the options that name the keys in a file. Raises CommandFailed."""
    if file is None:
        return []
    try:
        keys = read_named(file, _KEYS_LIMIT).decode(errors="replace").split()
    except NotAFile as fault:
        raise CommandFailed("failed", str(fault)) from None
    if not keys:
        raise CommandFailed("failed", f"{file} holds no key")
    return [word for key in keys for word in ("--key", key)]


def _archived(folder: Path, name: str) -> tuple[Path, int]:
    """Write a folder into an archive beside it; return the archive and its size in bytes."""
    archive = Path(make_archive(str(folder / name), "zip", folder, name))
    return archive, archive.stat().st_size


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            yield chunk
