"""The console's static files: unchanged since `make vendor`, free of reserved parts, and served from nowhere else."""

import base64
import hashlib
import re
from pathlib import Path

import govuk_frontend_jinja
import pytest

from tests.console.contrast import contrast
from tools.console import fonts, vendor
from tools.console.assets import STATIC, SUMS, TEMPLATE_SCRIPT_HASH, VENDOR
from tools.files import CHECKOUT
from tools.npm import CannotPack, integrity_of, pack

FILES = sorted(file for file in STATIC.rglob("*") if file.is_file())
AXE = CHECKOUT / "tests/browser/vendor"
STYLES = [file for file in FILES if file.suffix == ".css"]
LINK = re.compile(r"url\([\"']?([^)\"']+)[\"']?\)")
TEMPLATE = Path(govuk_frontend_jinja.__file__).parent / "templates/template.html"
MOST_BYTES = 4_000_000
LEAST_CONTRAST = 4.5


@pytest.mark.parametrize("folder", [VENDOR, AXE], ids=["console", "axe"])
def test_the_vendored_files_are_those_that_make_vendor_wrote(folder):
    assert vendor.digests(folder) == (folder / SUMS.name).read_text(encoding="utf-8")


def test_every_file_of_the_lock_is_there_and_no_other():
    packages = vendor.read_lock()
    written = {target for package in packages for target in package.files.values()}
    licences = {f"licences/{vendor._bare(package.name)}.txt" for package in packages}
    present = {file.relative_to(VENDOR).as_posix() for file in VENDOR.rglob("*") if file.is_file()}
    assert present == written | licences | {"fonts.css", SUMS.name}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(STATIC).as_posix())
def test_a_static_file_holds_nothing_reserved_and_no_outside_address(file):
    assert vendor.refuse(file.read_bytes()) is None


@pytest.mark.parametrize(
    "content",
    [
        b"p{font-family:GDS Transport}",
        b"a{background:url(/assets/images/govuk-crest.svg)}",
        b"@font-face{src:url(https://assets.nhs.uk/f.woff2)}",
        b"@import '//fonts.example.org/css';",
        b"a{background: url( 'http://example.org/a.png' )}",
        b'import {a} from "https://example.org/a.js"',
    ],
)
def test_a_reserved_part_or_an_outside_address_is_refused(content):
    assert vendor.refuse(content)


def test_a_link_of_a_script_to_a_namespace_is_no_outside_address():
    assert vendor.refuse(b'document.createElementNS("http://www.w3.org/2000/svg","svg")') is None


@pytest.mark.parametrize("style", STYLES, ids=lambda file: file.name)
def test_every_file_that_a_stylesheet_names_is_there(style):
    links = [link for link in LINK.findall(style.read_text(encoding="utf-8")) if not link.startswith("data:")]
    assert [link for link in links if not (style.parent / link).is_file()] == []


def test_all_fonts_are_declared_in_two_weights():
    declared = vendor._faces(vendor.read_lock())
    assert declared == (VENDOR / "fonts.css").read_text(encoding="utf-8")
    named = [fonts.parse(Path(link).name) for link in LINK.findall(declared)]
    assert {font.name for font in named} == {file.name for file in (VENDOR / "fonts").iterdir()}
    assert {font.subset for font in named if font.weight == 400} == {
        font.subset for font in named if font.weight == 700
    }
    assert {font.family for font in named} == {"Noto Sans", "Noto Sans Arabic", "Noto Sans SC"}


def test_a_checkout_stays_small():
    assert sum(file.stat().st_size for file in FILES) < MOST_BYTES


def test_the_hash_for_the_policy_is_that_of_the_one_inline_script_of_govuks_template():
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", TEMPLATE.read_text(encoding="utf-8"), re.S)
    digests = ["sha256-" + base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in scripts]
    assert digests == [TEMPLATE_SCRIPT_HASH]


def test_a_tarball_that_is_not_the_pinned_one_is_refused(tmp_path):
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\necho other > "$4/other.tgz"\n', encoding="utf-8")
    npm.chmod(0o755)
    with pytest.raises(CannotPack, match="Nothing of it was used"):
        pack("govuk-frontend@6.6.0", integrity_of(b"another"), npm=(str(npm),))
    assert pack("govuk-frontend@6.6.0", integrity_of(b"other\n"), npm=(str(npm),)) == b"other\n"


def test_without_npm_the_error_says_what_to_install():
    with pytest.raises(CannotPack, match="apt-get install npm"):
        pack("govuk-frontend@6.6.0", "sha512-", npm=("no-such-program",))


@pytest.mark.parametrize(
    ("text", "background"),
    [
        ("link", "#ffffff"),
        ("link", "surface-background"),
        ("link-hover", "surface-background"),
        ("#ffffff", "brand"),
    ],
)
def test_the_theme_has_contrast_enough(text, background):
    declared = dict(re.findall(r"--govuk-([a-z-]+)-colour: (#[0-9a-f]{6})", (STATIC / "throughline.css").read_text()))
    assert contrast(declared.get(text, text), declared.get(background, background)) >= LEAST_CONTRAST
