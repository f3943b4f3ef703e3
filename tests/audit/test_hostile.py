"""Files made to harm whoever reads them: each audit command answers with a sentence and its exit code, within bounds.

Every command is the real one, in a process whose address space and processor time are limited.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from shared.tlog.checkpoints import Checkpoint
from shared.tlog.notes import COSIGNATURE, Signer
from tests.audit.synthetic import SyntheticLogs, exported, many
from tools.cli.app import app

pytestmark = pytest.mark.slow

MEMORY = 3 * 1024**3
SECONDS = 100
LOGS = many(300).sign_all(0.5)
KEYS = [argument for each in LOGS.signers.values() for argument in ("--key", each.verifier.vkey)]


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untampered export."""
    return exported(LOGS, tmp_path_factory.mktemp("hostile") / "export").folder


@pytest.fixture
def folder(true: Path, tmp_path: Path) -> Path:
    """A copy of the export, for tampering."""
    shutil.copytree(true, tmp_path / "export")
    return tmp_path / "export"


@dataclass
class Done:
    """A command that ended."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: object) -> Done:
    """Run `throughline` in a limited process, and check that it ends with a sentence and not with a traceback."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        if (child := os.fork()) == 0:
            os._exit(_limited([str(each) for each in arguments], out.fileno(), err.fileno()))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0)
        err.seek(0)
        done = Done(code, out.read().decode(), err.read().decode())
    assert "Traceback" not in done.stderr, done.stderr[-2_000:]
    assert done.stdout.strip() or done.stderr.strip(), code
    return done


def _limited(arguments: list[str], out: int, err: int) -> int:
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))  # noqa: SIM115
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        app(arguments)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - whatever it is, it is printed, and the test fails
        traceback.print_exc()
        code = 70
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def sparse(path: Path) -> None:
    os.truncate(path, 20 * 1024**3)


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def link(path: Path) -> None:
    other = path.with_name("elsewhere")
    path.rename(other)
    path.symlink_to(other)


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def folder_there(path: Path) -> None:
    path.unlink()
    path.mkdir()


def invalid_utf8(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00" * 100)


def deep(path: Path) -> None:
    path.write_bytes(b"[" * 100_000 + b"]" * 100_000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


HOSTILE = [fifo, sparse, device, link, loop, folder_there, invalid_utf8, deep, empty]
FILES = [
    "manifest.json", "traces.json", "meetings/checkpoint", "meetings/checkpoints/300", "meetings/log.vkeys",
    "meetings/log.vkey", "meetings/tile/0/000", "meetings/tile/entries/000",
]  # fmt: skip


@pytest.mark.parametrize("harm", HOSTILE)
@pytest.mark.parametrize("name", FILES)
def test_verify_names_a_hostile_file(folder: Path, name: str, harm: Callable[[Path], None]) -> None:
    harm(folder / name)
    done = run("audit", "verify", folder, *KEYS)
    if name == "traces.json":
        assert done.returncode == 0, "verify does not read the traces"
        return
    assert done.returncode == (2 if name == "manifest.json" else 1)
    assert not any(line.strip().startswith("verified") for line in done.stdout.splitlines())
    assert Path(name).name in done.stdout + done.stderr


@pytest.mark.parametrize("harm", HOSTILE)
def test_compare_names_hostile_digests(folder: Path, harm: Callable[[Path], None]) -> None:
    harm(folder / "traces.json")
    done = run("audit", "compare", folder, "--offline", "--processes", 1)
    assert done.returncode == 2
    assert "traces.json" in done.stderr


@pytest.mark.parametrize(
    "content",
    [
        {"traces": []},
        {"shape": [], "traces": {}},
        {"traces": {"a": 1}},
        {"traces": {"a": {"digest": 1, "based_on": []}}},
    ],
)
def test_digests_of_another_shape_are_refused(folder: Path, content: object) -> None:
    (folder / "traces.json").write_bytes(orjson.dumps(content))
    assert run("audit", "compare", folder, "--offline", "--processes", 1).returncode == 2


@pytest.mark.parametrize(
    "content", [b"{}", b"[]", b"7", b'{"format":[]}', b'{"format":1,"services":7}', b'{"format":1}']
)
def test_a_manifest_of_another_type_is_named(folder: Path, content: bytes) -> None:
    (folder / "manifest.json").write_bytes(content)
    for shown_as in ("text", "json"):
        assert run("audit", "verify", folder, "--format", shown_as).returncode in (1, 2)


def test_a_manifest_nested_as_deep_as_json_is_parsed(folder: Path) -> None:
    for depth in (252, 253, 254, 1_000):
        (folder / "manifest.json").write_bytes(b'{"format":1,"deployment":' + b"[" * depth + b"]" * depth + b"}")
        assert run("audit", "verify", folder, "--format", "json").returncode in (1, 2)


def test_a_key_that_is_no_key_file(tmp_path: Path) -> None:
    for harm in (fifo, folder_there, invalid_utf8, empty):
        (file := tmp_path / harm.__name__).write_text("")
        harm(file)
        for how in ("--rotate", "--drop-retired"):
            assert run("audit", "keygen", file, "--service", "meetings", how).returncode == 2


def test_an_export_to_what_is_no_folder(tmp_path: Path) -> None:
    for harm in (fifo, empty):
        (file := tmp_path / harm.__name__).write_text("")
        harm(file)
        assert run("audit", "export", file, "--home", tmp_path).returncode in (2, 3)


def test_findings_are_bounded(folder: Path) -> None:
    names = [Signer.generate(f"throughline.{'x' * 100}{number}/meetings").verifier.vkey for number in range(2_000)]
    (folder / "meetings/log.vkeys").write_text("\n".join(names))
    thief = Signer.generate("throughline.synthetic/meetings")
    for size in range(300):
        note = Checkpoint(thief.name, size, bytes(32)).signed(thief).raw()
        (folder / "meetings/checkpoints" / str(size)).write_bytes(note)
    done = run("audit", "verify", folder, "--format", "json")
    assert done.returncode == 1
    assert len(done.stdout) < 2_000_000


def test_thirty_million_empty_entries(folder: Path) -> None:
    for size in (60_000_000, 16_000_000):
        (folder / "meetings/tile/entries/000").write_bytes(bytes(size))
        done = run("audit", "verify", folder)
        assert done.returncode == 1
        assert "meetings/tile/entries/000" in done.stdout
    assert run("audit", "replay", folder, "--processes", 1).returncode == 2


def test_a_short_tile(folder: Path) -> None:
    tile = folder / "meetings/tile/1/000.p/1"
    tile.write_bytes(tile.read_bytes()[:-7])
    assert run("audit", "verify", folder).returncode == 1
    signing = folder.parent / "witness.key"
    signing.write_text(Signer.generate("synthetic.example/office", COSIGNATURE).skey)
    done = run("audit", "witness", folder, "--with", signing, "--memory", folder.parent / "memory.json")
    assert done.returncode == 1
    assert "Not cosigned" in done.stderr


@pytest.mark.parametrize("harm", HOSTILE)
def test_a_hostile_proof_and_a_hostile_record(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    for name, arguments in (
        ("one.proof.json", ("audit", "verify-proof")),
        ("record.json", ("import", "record", "--dry-run")),
        ("record.yaml", ("import", "record", "--dry-run")),
    ):
        file = tmp_path / name
        file.write_bytes(b"{}")
        harm(file)
        if harm is link and name.startswith("record"):
            continue
        assert run(*arguments, file).returncode in (1, 2)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("record.yaml", b"instruments: [" + b"a," * 1_000_000 + b"]", marks=pytest.mark.drill),
        ("record.yaml", b"- " * 1_000_000),
        ("record.yaml", b"a: &a [x]\nb: *a"),
        ("record.json", b'{"instruments":[' + b"[]," * 1_000_000 + b"[]]}"),
    ],
)
def test_a_record_of_very_many_values(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert run("import", "record", "--dry-run", tmp_path / name).returncode == 2


MEMORIES: list[object] = [
    [], 7, None, {"a": None}, {"a": {}}, {"a": {"size": 1, "root": "x", "keys": []}}, {"a": {"size": "1"}},
    {"a": {"size": -1, "root": "A" * 43 + "=", "keys": ["x"]}},
    {"a": {"size": 1, "root": "A" * 43 + "=", "keys": ["x"]}},
]  # fmt: skip


def test_an_odd_memory_of_a_witness(folder: Path) -> None:
    signing, memory = folder.parent / "witness.key", folder.parent / "memory.json"
    signing.write_text(Signer.generate("synthetic.example/office", COSIGNATURE).skey)
    before = (folder / "meetings/checkpoint").read_bytes()
    for content in MEMORIES:
        memory.write_bytes(orjson.dumps(content))
        done = run("audit", "witness", folder, "--with", signing, "--memory", memory)
        assert done.returncode == 2, content
        assert "not the memory file of a witness" in done.stderr
    for harm in (fifo, sparse, loop, deep, invalid_utf8):
        memory.unlink(missing_ok=True)
        memory.write_bytes(b"{}")
        harm(memory)
        assert run("audit", "witness", folder, "--with", signing, "--memory", memory).returncode == 2
    assert (folder / "meetings/checkpoint").read_bytes() == before


@pytest.mark.parametrize("where", ["meetings", "meetings/checkpoints", "meetings/tile"])
def test_nothing_is_written_or_read_through_a_linked_folder(folder: Path, where: str) -> None:
    outside = folder.parent / "outside"
    shutil.move(folder / where, outside)
    (folder / where).symlink_to(outside)
    before = {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()}
    assert run("audit", "verify", folder, *KEYS).returncode == 1
    signing = folder.parent / "witness.key"
    signing.write_text(Signer.generate("synthetic.example/office", COSIGNATURE).skey)
    done = run("audit", "witness", folder, "--with", signing, "--memory", folder.parent / "memory.json")
    assert done.returncode in (1, 2)
    with pytest.raises(Exception, match=r"symbolic link|is not whole"):
        SyntheticLogs(many(600).events, LOGS.signers).sign_all().export(folder)
    assert {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} == before


def test_a_replay_writes_below_its_folder_only(folder: Path, tmp_path: Path) -> None:
    out, outside = tmp_path / "out", tmp_path / "outside"
    out.mkdir()
    outside.write_bytes(b"mine")
    (out / "roster.json").symlink_to(outside)
    done = run("audit", "replay", folder, "--out", out, "--processes", 1)
    assert done.returncode == 0
    assert outside.read_bytes() == b"mine"
    assert (out / "roster.json").is_file()
    assert not (out / "roster.json").is_symlink()
