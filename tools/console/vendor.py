"""Write static/vendor from npm's packages: pinned by integrity, without what only GOV.UK and the NHS may use.

python -m tools.console.vendor [LOCK FOLDER]: `make vendor` runs it for the console and for the tests' axe. What it
writes is in git, so that neither a user nor a test needs npm.
"""

import hashlib
import json
import re
import shutil
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from tools.console import fonts
from tools.console.assets import SUMS, VENDOR
from tools.npm import CannotPack, pack

LOCK = Path(__file__).with_name("vendor.lock.json")
RESERVED = re.compile(
    rb"GDS Transport|govuk-crest|Frutiger|assets\.nhs\.uk|affa96571d|b542beb274|f591b13f7d|94a07e06a1"
)
"""Reserved parts: the fonts of GOV.UK and of the NHS, and the royal crest."""
ADDRESS = re.compile(
    rb"""(?:url\(|@import|\bsrc=|\bhref=|\bimport\(|\bfrom|\bfetch\()\s*["']?\s*(?:https?:)?//[^"'()\s]+""", re.I
)
"""A place that a browser would load from elsewhere."""
_NO_LICENCE = "its tarball has no licence file, and vendor.lock.json has no `copyright` for it"
_MIT = (Path(__file__).with_name("mit.txt")).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Package:
    """A pinned package: which of its files are taken, and under which name."""

    name: str
    integrity: str
    files: Mapping[str, str]
    copyright: str | None = None
    ranges: Mapping[str, str] | None = None


def read_lock(path: Path = LOCK) -> list[Package]:
    """Read the pinned packages."""
    content: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return [Package(name, **entry) for name, entry in content.items()]


def take(package: Package, tarball: bytes) -> dict[str, bytes]:
    """Return the files of one package as they are served, with its licence. Raises CannotPack."""
    with tarfile.open(fileobj=BytesIO(tarball)) as archive:
        taken = {target: clean(target, _read(archive, source)) for source, target in package.files.items()}
        taken[f"licences/{_bare(package.name)}.txt"] = _licence(package, archive)
    for name, content in taken.items():
        if problem := refuse(content):
            raise CannotPack(f"{package.name}: {name} still holds {problem}")
    return taken


def refuse(content: bytes) -> str | None:
    """Return what in a file is reserved or lies elsewhere, or None."""
    match = RESERVED.search(content) or ADDRESS.search(content)
    return match[0].decode(errors="replace") if match else None


def clean(name: str, content: bytes) -> bytes:
    """Remove reserved fonts and pictures from a stylesheet, the address of a source map, the transform of a font."""
    if name.endswith(".woff2"):
        return fonts.store_outlines_plainly(content)
    if not name.endswith((".css", ".js")):
        return content
    text = content.decode()
    if name.endswith(".css"):
        text = re.sub(r"/\*!.*?exclusive use.*?\*/", "", text, flags=re.S)
        text = re.sub(r"@font-face\s*\{[^}]*\}", "", text)
        text = text.replace("font-family:GDS Transport,arial,sans-serif", "font-family:var(--tl-font)")
        text = re.sub(r"[a-z-]+:url\(/assets/images/govuk-crest\.svg\);?", "", text)
        text = text.replace("url(/assets/images/", "url(images/")
    text = re.sub(r"/\*# sourceMappingURL=.*?\*/|^//# sourceMappingURL=.*$", "", text, flags=re.M)
    return (text.rstrip() + "\n").encode()


def _licence(package: Package, archive: tarfile.TarFile) -> bytes:
    if package.copyright:
        return _MIT.format(copyright=package.copyright).encode()
    try:
        return _read(archive, "LICENSE")
    except KeyError as missing:
        raise CannotPack(f"{package.name}: {_NO_LICENCE}") from missing


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(f"package/{name}")
    if member is None:
        raise KeyError(name)
    return member.read()


def _bare(package: str) -> str:
    """Return the name of a package as a file name: its scope joined, its version left out."""
    return package.rpartition("@")[0].removeprefix("@").replace("/", "-")


def _faces(packages: list[Package]) -> str:
    """Write the stylesheet of all fonts, subset by subset."""

    def each() -> Iterator[tuple[fonts.FontFile, str]]:
        for package in packages:
            for target in package.files.values() if package.ranges else ():
                font = fonts.parse(Path(target).name)
                yield font, (package.ranges or {})[font.subset]

    return fonts.font_faces(each())


def digests(folder: Path) -> str:
    """Write the lines of SHA256SUMS for all files of a folder."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file != folder / SUMS.name)
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(folder).as_posix()}\n" for file in files
    )


def write_all(lock: Path = LOCK, folder: Path = VENDOR) -> None:
    """Fetch every package and replace the folder. Raises CannotPack, and then leaves the folder as it was."""
    packages = read_lock(lock)
    taken = {"fonts.css": faces.encode()} if (faces := _faces(packages)) else {}
    for package in packages:
        taken |= take(package, pack(package.name, package.integrity))
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in taken.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / SUMS.name).write_text(digests(folder), encoding="utf-8")


if __name__ == "__main__":
    try:
        write_all(*map(Path, sys.argv[1:]))
    except CannotPack as failure:
        sys.exit(str(failure))
