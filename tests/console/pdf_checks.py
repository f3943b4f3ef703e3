"""Checks of a PDF: a quick one of its tags, and veraPDF's, an outside judge of PDF/UA-1."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pikepdf

from tests.patience import AT_MOST_SECONDS
from tools.local import fetch

SCRIPT = Path(__file__).with_name("check_pdf.js")
RHINO = "org.mozilla.javascript.tools.shell.Main"
LEAST_ASSERTIONS = 100


def assert_pdf_ua(*files: Path) -> None:
    """Check that files are PDF/UA-1 by veraPDF's judgement: 4 s of processor time for the first one.

    It does not see whether a page is legible: look at a picture too.
    """
    command = [str(fetch.java()), "-cp", f"{fetch.verapdf()}/*", RHINO, str(SCRIPT), "ua1", *map(str, files)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=AT_MOST_SECONDS, check=False)
    verdicts = re.findall(r"ua1 compliant=(\w+) assertions=(\d+)", process.stdout)
    assert len(verdicts) == len(files), process.stdout + process.stderr
    assert process.returncode == 0, process.stdout
    assert all(verdict == "true" and int(count) > LEAST_ASSERTIONS for verdict, count in verdicts), process.stdout


def tags(pdf: bytes) -> Counter[str]:
    """Count the tags of a document by their kind: H1, P, Table, TH ..., after what they are mapped to."""
    with pikepdf.open(BytesIO(pdf)) as opened:
        root = opened.Root.StructTreeRoot
        assert opened.Root.MarkInfo.Marked
        assert opened.Root.ViewerPreferences.DisplayDocTitle
        return Counter(_kinds(root))


def _kinds(element: pikepdf.Object) -> Iterator[str]:
    if not isinstance(element, pikepdf.Dictionary):
        return
    if "/S" in element:
        yield str(element.S).removeprefix("/")
    children = element.get("/K", [])
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        yield from _kinds(child)


def language(pdf: bytes) -> str:
    """Return the language that a document states."""
    with pikepdf.open(BytesIO(pdf)) as opened:
        return str(opened.Root.Lang)
