"""Chromium for the browser tests: the machine's own, else the one of a pinned npm package, which needs no root."""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from tools.local import fetch
from tools.local.cache import fill_once
from tools.local.messages import CannotStart, Say, say
from tools.npm import CannotPack, pack

PINS = Path(__file__).with_name("chromium.lock.txt")
REMEDY = (
    "Browser tests need Chromium: apt-get install chromium\n"
    "(or npm, by which it is fetched; or set THROUGHLINE_CHROMIUM=/path/to/chromium)."
)
_CHUNK = 1 << 20
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
"""


@dataclass(frozen=True)
class Chromium:
    """A browser's program, and the variables by which it finds its libraries and fonts."""

    program: Path
    environment: dict[str, str] = field(default_factory=dict)


def chromium(say: Say = say, pins: Path = PINS) -> Chromium:
    """Return $THROUGHLINE_CHROMIUM, else the machine's Chromium, else the fetched one. Raises CannotStart."""
    if configured := os.environ.get("THROUGHLINE_CHROMIUM"):
        return Chromium(Path(configured))
    if installed := shutil.which("chromium"):
        return Chromium(Path(installed))

    def fill(folder: Path) -> None:
        package, integrity = read_pin(pins)
        say("Chromium is not here: fetching it (@sparticuz/chromium from npm, by hash; 70 MB, once) ...")
        try:
            unpack(pack(package, integrity, fetch.npm(say)), folder)
        except CannotPack as failure:
            raise CannotStart(f"{failure}\n{REMEDY}") from failure

    return _that_runs(fill_once("chromium", pins, fill, say))


def read_pin(pins: Path) -> tuple[str, str]:
    """Read `name@version integrity`, the last line of the file of pins."""
    package, integrity = pins.read_text(encoding="utf-8").splitlines()[-1].split()
    return package, integrity


def unpack(tarball: bytes, folder: Path) -> None:
    """Unpack the browser, its libraries and one font out of the npm package."""
    with tarfile.open(fileobj=BytesIO(tarball)) as package:
        with (folder / "chromium").open("wb") as program:
            program.writelines(_decompressed(package, "chromium.br"))
        for name in ("al2023", "fonts"):
            content = BytesIO(b"".join(_decompressed(package, f"{name}.tar.br")))
            with tarfile.open(fileobj=content) as archive:
                archive.extractall(folder, filter="data")
    (folder / "chromium").chmod(0o755)
    (folder / "fonts.conf").write_text(_FONTS, encoding="utf-8")


def _decompressed(package: tarfile.TarFile, name: str) -> Iterator[bytes]:
    import brotli

    compressed = package.extractfile(f"package/bin/{name}")
    if compressed is None:
        raise CannotStart(f"The npm package of Chromium has no {name}.\n{REMEDY}")
    decompressor = brotli.Decompressor()
    while block := compressed.read(_CHUNK):
        yield decompressor.process(block)


def _that_runs(folder: Path) -> Chromium:
    """Return the unpacked browser if it runs here. Raises CannotStart, which names the libraries that are missing."""
    libraries = ":".join(filter(None, [str(folder / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]))
    variables = {"LD_LIBRARY_PATH": libraries, "FONTCONFIG_FILE": str(folder / "fonts.conf")}
    browser = Chromium(folder / "chromium", variables)
    environment = os.environ | variables
    run = subprocess.run([browser.program, "--version"], capture_output=True, env=environment, check=False)
    if run.returncode != 0:
        ldd = ["ldd", str(browser.program)]
        linked = subprocess.run(ldd, capture_output=True, text=True, env=environment, check=False).stdout
        missing = [line.split()[0] for line in linked.splitlines() if "not found" in line]
        raise CannotStart(f"The fetched Chromium does not run; missing: {', '.join(missing) or 'unknown'}.\n{REMEDY}")
    return browser
