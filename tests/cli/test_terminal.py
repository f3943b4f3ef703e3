"""Text that others wrote reaches a terminal as text: no control characters, no markup, no line of its own."""

from __future__ import annotations

import ast
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.table import Table
from rich.text import Text

from tests.audit.synthetic import exported, many
from tests.cli.terminal import throughline
from tools.cli import coverage, dead_letters, import_record, stalled, traces
from tools.client.errors import Failure, exits
from tools.client.printable import printable, printable_json, quoted
from tools.client.progress import bar
from tools.record.checking import CheckedRecord
from tools.record.loading import Outcome, Report
from tools.render import page
from tools.render.console import Console

HOSTILE = "\x1b[2J\x1b]0;x\x07\x9b31m\x7f\u202e\u2066\rverified: 7 events\n[bold red]verified[/] :skull: \u2028x"
CONTROLS = [chr(code) for code in (*range(32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))]
TOOLS = Path(__file__).parents[2] / "tools"
WRITERS = {"render/terminal.py", "render/console.py", "client/errors.py", "client/progress.py", "client/connection.py"}
"""The modules that may write to a terminal themselves. Those of the local stack write only what it says of itself."""


def harmless(shown: str) -> bool:
    return not any(control in shown for control in CONTROLS if control not in "\n\t")


@pytest.mark.parametrize("control", CONTROLS)
def test_every_control_character_is_escaped(control: str) -> None:
    assert printable(f"a{control}b").isprintable()
    assert control not in printable_json(f'"a{control}b"') or control in "\n\t"
    assert printable("Ærøskøbing 国连 ไทย עברית ✓") == "Ærøskøbing 国连 ไทย עברית ✓"


def test_escaped_json_is_the_same_json() -> None:
    content = {"subject": HOSTILE, "name": ["\x9b", "\u202e"]}
    shown = printable_json(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())
    assert harmless(shown)
    assert orjson.loads(shown) == content


def test_a_console_shows_no_markup_and_no_controls() -> None:
    table = Table("name", title=HOSTILE)
    table.add_row(HOSTILE)
    for shown in (HOSTILE, Text(HOSTILE, style="bold"), table):
        out = StringIO()
        Console(file=out, width=200).print(shown)
        assert harmless(out.getvalue())
        assert "[bold red]" in out.getvalue()
        assert ":skull:" in out.getvalue()


MARKUP = "Option [a] or [/b] [agreed] Clean air [link=http://example.net]x[/link] :skull:"


def a_row(text: str) -> dict[str, Any]:
    """Return a row of the list of traces."""
    return {
        "reference": "SYN/2031/R1", "title": text, "stage": text, "coverage": text, "dispositions": [text],
        "mandates": {"live": 0, "all": 0}, "gaps": 0,
    }  # fmt: skip


def test_recorded_text_is_never_markup_in_any_table(capsys: pytest.CaptureFixture[str]) -> None:
    traces._show([a_row(MARKUP)])
    entry = {"reference": MARKUP, "standing": MARKUP}
    provision = {"cite": MARKUP, "provision": MARKUP, "instrument_standing": "live"}
    coverage._show(
        {
            "provisions": [provision | {"recommendations": [entry], "initiatives": [MARKUP]}],
            "recommendations": {MARKUP: [MARKUP]},
        }
    )
    dead_letters._show_all(
        [{"service": MARKUP, "_id": MARKUP, "standing": MARKUP, "reason": MARKUP, "stream": MARKUP, "at": MARKUP}]
    )
    stalled._show({MARKUP: {MARKUP: MARKUP}})
    import_record.show(CheckedRecord(MARKUP, ()), Report([Outcome(MARKUP, MARKUP, "refused", (MARKUP,))]))
    shown = capsys.readouterr().out
    assert shown.count("[/b]") >= 15
    assert "\U0001f480" not in shown


def test_recorded_text_is_never_markup_in_a_heading() -> None:
    for render in (
        page.section(MARKUP, [page.Entry(Text(MARKUP))], ""),
        page.listed(MARKUP, [MARKUP], ""),
        page.pairs([(MARKUP, MARKUP)]),
    ):
        out = StringIO()
        Console(file=out, width=300).print(render)
        assert "Option [a] or [/b] [agreed] Clean air" in out.getvalue()


def test_a_bar_shows_a_path_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    out = StringIO()
    monkeypatch.setattr(out, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", out)
    monkeypatch.setenv("TERM", "xterm")
    with bar("Verifying [/b] \x1b]0;owned\x07 {task}") as advance:
        advance(1, 2)
    assert "[/b]" in out.getvalue()
    assert "\x1b]0;owned" not in out.getvalue()
    assert "{task}" in out.getvalue()


@pytest.mark.parametrize(
    "arguments",
    [
        ("traces", "--format", "[/b]\x1b[2J"),
        ("traces", "--[/b]\x1b[2J"),
        ("[/b]\x1b[2J",),
        ("audit", "[/b]\x1b[2J"),
        ("traces", "x", "[/b]\x1b[2J"),
    ],
)
def test_what_was_typed_is_shown_as_it_was_typed(arguments: tuple[str, ...]) -> None:
    done = throughline(None, *arguments)
    assert done.exit_code == 2
    assert "[/b]\\x1b[2J" in done.output
    assert harmless(done.output)
    assert "Value error" not in done.output


def test_a_failure_cannot_begin_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BaseException), exits():  # noqa: B017, PT011 - typer's own exit
        raise Failure(f"Not exported: {HOSTILE}")
    shown = capsys.readouterr().err
    assert harmless(shown)
    assert not any(line.startswith(("verified", "[bold")) for line in shown.splitlines())


def test_a_quoted_value_is_short_and_on_one_line() -> None:
    assert quoted("local") == '"local"'
    assert quoted(" " * 500 + "verified: 7 events") == '"verified: 7 events"'
    assert len(quoted("x" * 1_000)) < 100
    assert quoted(HOSTILE).isprintable()


def test_a_failed_bundle_cannot_print_verified(tmp_path: Path) -> None:
    folder = exported(many(300).sign_all(), tmp_path / "export").folder
    manifest = orjson.loads((folder / "manifest.json").read_bytes())
    for name in ("deployment", "version", "made_at"):
        manifest[name] = f"x{HOSTILE}\nverified: 300 events in 4 logs"
    manifest["services"] = {"verified: 300 events in 4 logs": {}, "x\nverified: 300 events": {}}
    (folder / "manifest.json").write_bytes(orjson.dumps(manifest))
    entries = folder / "meetings/tile/entries/000"
    forged = entries.read_bytes().replace(b'"subject":"meeting/synthetic-7"', b'"subject":"m\\nverified: 30 \\t"', 1)
    entries.write_bytes(forged)
    done = throughline(None, "audit", "verify", str(folder))
    assert done.exit_code == 1
    assert harmless(done.output)
    lines = [line.strip() for line in done.output.splitlines()]
    assert not any(line.startswith("verified") for line in lines)
    assert lines[-1].startswith("NOT VERIFIED")
    report = throughline(None, "audit", "verify", str(folder), "--format", "json")
    assert harmless(report.stdout)
    assert orjson.loads(report.stdout)["verified"] is False


def calls_of(module: Path) -> set[str]:
    """Return the calls of a module that write to a terminal past the escaping."""
    result = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "rich.console":
            result |= {"rich's Console" for name in node.names if name.name == "Console"}
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("print", "typer.echo", "typer.secho", "click.echo", "sys.stdout.write", "sys.stderr.write"):
                result.add(called)
    return result


def test_every_command_writes_through_the_escaping() -> None:
    modules = [
        path
        for part in ("cli", "render", "client", "audit", "replay", "record")
        for path in (TOOLS / part).rglob("*.py")
    ]
    past = {
        str(path.relative_to(TOOLS)): calls
        for path in modules
        if (calls := calls_of(path)) and str(path.relative_to(TOOLS)) not in WRITERS
    }
    assert past == {}, (
        "use print_line, print_page and print_json of tools/render/terminal.py, or tools/render/console.py"
    )
    assert calls_of(TOOLS / "render/terminal.py") == {"typer.echo"}, "the search finds what it looks for"
