"""Chromium for the browser tests: the machine's, else one from npm whose bytes are those pinned in git."""

import io
import os
import tarfile
from pathlib import Path

import brotli
import pytest

from tests.local.test_fetch import names, put_on_path
from tools.local import browser, fetch
from tools.local.messages import CannotStart
from tools.npm import integrity_of

RUNS, DOES_NOT = b'#!/bin/sh\ntest -d "$LD_LIBRARY_PATH"\n', b"#!/bin/sh\nexit 127\n"


def tar(files: dict[str, bytes], mode: str = "w") -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


def package(program: bytes) -> bytes:
    """Pack what the npm package holds: each part compressed by Brotli."""
    parts = {
        "chromium.br": program,
        "al2023.tar.br": tar({"lib/libnss3.so": b"synthetic"}),
        "fonts.tar.br": tar({"fonts/Open_Sans/OpenSans-Regular.ttf": b"synthetic"}),
    }
    return tar({f"package/bin/{name}": brotli.compress(data) for name, data in parts.items()}, "w:gz")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Chromium, whose npm serves `package.tgz`; its cache is empty."""
    (tmp_path / "cache").mkdir()
    npm = put_on_path(tmp_path / "bin", "npm", "", monkeypatch)
    npm.write_text(f'#!/bin/sh\n/bin/cp "{tmp_path}/package.tgz" "$4"\n', encoding="utf-8")
    (tmp_path / "bin/node").symlink_to("/bin/true")
    (tmp_path / "bin/ldd").symlink_to("/bin/true")
    monkeypatch.setenv("THROUGHLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("THROUGHLINE_CHROMIUM", raising=False)
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    return tmp_path


def serve(machine: Path, content: bytes, pinned: bytes | None = None) -> Path:
    """Let npm serve a tarball, and return the file of pins."""
    (machine / "package.tgz").write_bytes(content)
    (machine / "pins").write_text(f"# pins\nsynthetic@1.0.0 {integrity_of(pinned or content)}\n", encoding="utf-8")
    return machine / "pins"


def test_the_configured_chromium_comes_first(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THROUGHLINE_CHROMIUM", "/opt/synthetic/chromium")
    (machine / "bin/chromium").symlink_to("/bin/true")
    assert browser.chromium() == browser.Chromium(Path("/opt/synthetic/chromium"))


def test_then_the_one_of_the_machine(machine: Path) -> None:
    (machine / "bin/chromium").symlink_to("/bin/true")
    assert browser.chromium() == browser.Chromium(machine / "bin/chromium")


def test_else_one_is_fetched_once_by_npm_with_its_libraries(machine: Path) -> None:
    pins, lines = serve(machine, package(RUNS)), []
    fetched = browser.chromium(lines.append, pins)
    assert fetched.program.read_bytes() == RUNS
    assert os.access(fetched.program, os.X_OK)
    assert names(Path(fetched.environment["LD_LIBRARY_PATH"])) == ["libnss3.so"]
    assert "fonts</dir>" in Path(fetched.environment["FONTCONFIG_FILE"]).read_text(encoding="utf-8")
    assert lines == ["Chromium is not here: fetching it (@sparticuz/chromium from npm, by hash; 70 MB, once) ..."]
    (machine / "package.tgz").unlink()
    assert browser.chromium(lines.append, pins) == fetched
    assert len(lines) == 1


def test_a_tarball_with_other_bytes_is_not_unpacked(machine: Path) -> None:
    pins = serve(machine, package(DOES_NOT), pinned=package(RUNS))
    with pytest.raises(CannotStart, match=r"(?s)Nothing of it was used.*apt-get install chromium"):
        browser.chromium(lambda _: None, pins)
    assert names(machine / "cache") == ["chromium.lock"]


def test_a_chromium_that_does_not_run_is_refused_with_what_to_do(machine: Path) -> None:
    pins = serve(machine, package(DOES_NOT))
    with pytest.raises(CannotStart, match="apt-get install chromium"):
        browser.chromium(lambda _: None, pins)


def test_without_npm_a_wheel_brings_it(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "bin/npm").unlink()
    wheels: list[str] = []
    monkeypatch.setattr(fetch, "_install", lambda pins, folder, remedy: wheels.append(pins))
    node, script = fetch.npm(lambda _: None)
    assert wheels == ["node.lock.txt"]
    assert Path(node).name == "node"
    assert Path(script).name == "npm-cli.js"


def test_the_pinned_chromium_is_named_with_its_version_and_hash() -> None:
    name, integrity = browser.read_pin(browser.PINS)
    assert name.startswith("@sparticuz/chromium@")
    assert integrity.startswith("sha512-")
