"""The lock files of the image hold the versions that everything is tested with, and nothing that is not needed."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement

from tools.files import CHECKOUT

PINNED = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[a-z,]+\])?==(\S+)", re.M)


def pins(file: str) -> dict[str, str]:
    return dict(PINNED.findall((CHECKOUT / file).read_text()))


def test_the_lock_of_the_image_agrees_with_the_lock_of_the_tests() -> None:
    runtime, everything = pins("requirements.runtime.lock"), pins("requirements.lock")
    assert runtime.items() <= everything.items()
    assert pins("deploy/development.lock.txt").items() <= everything.items()


def test_the_lock_of_the_image_holds_each_dependency_and_no_tool() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    direct = {Requirement(line).name for line in project["dependencies"]}
    tools = {Requirement(line).name.lower() for extra in project["optional-dependencies"].values() for line in extra}
    runtime = pins("requirements.runtime.lock")
    assert direct - runtime.keys() == set()
    assert runtime.keys() & (tools - {name.lower() for name in direct}) == set()


def test_every_pin_has_hashes_and_no_file_names_a_registry() -> None:
    for file in ("requirements.runtime.lock", "deploy/development.lock.txt", "deploy/sbom.lock.txt"):
        text = (CHECKOUT / file).read_text()
        blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.M)[1:]
        assert blocks, file
        assert all("--hash=sha256:" in block for block in blocks), file
        assert "://" not in text, file
