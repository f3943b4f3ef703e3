"""`throughline audit compare`: traces replayed from a bundle beside its digests and beside the live ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from services.recommendations.trace import SHAPE
from tools.audit.bundle import Bundle, NotReadable
from tools.audit.coverage import unsigned_versions
from tools.audit.digest_comparison import (
    Comparison,
    Digest,
    compare_with_export,
    compare_with_live,
    exported_digests,
    live_digests,
    versions_beyond,
)
from tools.cli.audit.bundle_replay import PROCESSES, Processes, print_some, replayed
from tools.cli.audit.options import Folder
from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import REFUSED, BadInput, exits
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.render.terminal import print_json, print_line


def compare(
    folder: Folder,
    offline: Annotated[
        bool, typer.Option("--offline", help="Compare only with the digests in the export; contact no service.")
    ] = False,
    processes: Processes = PROCESSES,
    shown_as: Format = "text",
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Rebuild every trace from a bundle, and compare it with the digests in it and with the live ones.

    Example: throughline audit compare bundle --offline

    A live trace is compared where it rests on the same versions; those that rest on later ones are listed as newer, and
    are a finding if no signed checkpoint covers these within ninety seconds. Checkpoints count under the bundle's own
    keys: verify the bundle first, and export again after a rotation.

    Exit code: 0 when all that could be compared are identical; 1 when one differs, is missing or lags behind, or when
    another version of this program composed them; 2 for bad input; 3 when the service does not answer.
    """
    with exits():
        published = _exported(folder)
        rebuilt, _ = replayed(folder, None, None, None, processes)
        comparisons = {"export": compare_with_export(rebuilt, published)}
        if not offline:
            with Services(Connection(home, token), "auditor") as services:
                live = live_digests(services.pages("recommendations", "/traces"))
                comparison = comparisons["live"] = compare_with_live(rebuilt, live)
                beyond = versions_beyond(comparison.newer, live, rebuilt)
                comparison.unsigned = _unsigned(services, folder, beyond)
    if shown_as == "json":
        print_json({name: vars(each) | {"holds": each.holds} for name, each in comparisons.items()})
    else:
        for name, each in comparisons.items():
            _verdict("the export's digests" if name == "export" else "the live traces", each)
    if not all(each.holds for each in comparisons.values()):
        raise typer.Exit(REFUSED)


def _exported(folder: Path) -> dict[str, Digest]:
    try:
        return exported_digests(Bundle(folder))
    except NotReadable as fault:
        raise BadInput(f"{fault}.") from None


def _unsigned(services: Services, folder: Path, beyond: Mapping[str, int]) -> list[str]:
    try:
        return unsigned_versions(services, Bundle(folder), beyond)
    except NotReadable as fault:
        raise BadInput(f"{fault}.") from None


def _verdict(beside: str, each: Comparison) -> None:
    if each.other_shape is not None:
        print_line(f"{beside}: made by shape {each.other_shape}, not compared; this program composes shape {SHAPE}.")
        return
    print_some(f"Missing in {beside}", each.missing)
    print_some(f"In {beside}, and not made by these events", each.unexpected)
    print_some("Newer than the bundle, not compared", each.newer)
    print_some("Resting on events that no checkpoint covers", each.unsigned)
    print_some("Older than the bundle", each.older)
    print_some(f"Different from {beside}", each.different)
    print_line(f"{'identical' if each.holds else 'identical otherwise'}: {each.identical} traces beside {beside}")
