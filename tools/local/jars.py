"""Jars of Kafka and of veraPDF: `make lock` pins Maven coordinates and SHA-256, jgo downloads them, no other is run.

python -m tools.local.jars NAME GROUP:ARTIFACT:VERSION ... prints the pins of these artifacts and of their dependencies.
"""

import hashlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from requests import RequestException
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from tools.local.messages import CannotStart

if TYPE_CHECKING:
    from jgo.maven import Artifact, MavenContext

AT_RUN_TIME = ("compile", "runtime", None)


def read_pins(path: Path) -> dict[str, str]:
    """Read lines of `SHA-256  GROUP:ARTIFACT:VERSION` into digests by coordinates."""
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return {coordinates: digest for digest, coordinates in lines}


def download(pins: Mapping[str, str], folder: Path) -> None:
    """Download the pinned jars into a folder, without checking them. Raises CannotStart."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as repository, ThreadPoolExecutor(8) as pool:
        maven = _maven(Path(repository))
        artifacts = [maven.create_dependency(coordinates).artifact for coordinates in pins]
        try:
            for jar in pool.map(_download, artifacts):
                jar.rename(folder / jar.name)
        except (RequestException, RuntimeError) as failure:
            pool.shutdown(cancel_futures=True)
            raise CannotStart(
                f"A jar could not be downloaded: {failure}\n"
                "Behind a mirror of Maven Central, name it `central` under [repositories] in jgo's settings\n"
                "(~/.config/jgo.conf). For Kafka, or set THROUGHLINE_KAFKA=host:port to use a Kafka that already runs."
            ) from failure


def check(folder: Path, pins: Mapping[str, str], remedy: str) -> None:
    """Refuse a folder that does not hold exactly the pinned jars. Raises CannotStart."""
    expected = {_file_name(coordinates): digest for coordinates, digest in pins.items()}
    present = {file.name: _digest(file) for file in folder.iterdir()}
    wrong = sorted(name for name in expected.keys() | present.keys() if expected.get(name) != present.get(name))
    if wrong:
        raise CannotStart(f"The jars in the cache are not those pinned in git: {', '.join(wrong)}.\n{remedy}")


def resolve(roots: Sequence[str]) -> dict[str, str]:
    """Resolve artifacts and their dependencies as Maven does, and return their pins."""
    with tempfile.TemporaryDirectory() as repository:
        maven = _maven(Path(repository))
        # "!" keeps jgo from importing the dependency management of each root, as Maven imports none
        direct, transitive = maven.resolver.resolve([maven.create_dependency(f"{root}!") for root in roots])
        artifacts = [each.artifact for each in (*direct, *transitive) if each.scope in AT_RUN_TIME]
        artifacts = [each for each in artifacts if not each.classifier]
        return {f"{each.groupId}:{each.artifactId}:{each.version}": _digest(each.resolve()) for each in artifacts}


def _maven(repository: Path) -> "MavenContext":
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    maven = MavenContext(repo_cache=repository, timeout=30)
    maven.remote_repos.update(GlobalSettings.load().repositories)
    return maven


@retry(
    retry=retry_if_exception_type(RequestException),
    stop=stop_after_attempt(3),
    wait=wait_exponential(multiplier=0.5),
    reraise=True,
)
def _download(artifact: "Artifact") -> Path:
    """Download one jar, from its beginning at each try."""
    if partial := artifact.cached_path:
        partial.unlink(missing_ok=True)
    return artifact.resolve()


def _file_name(coordinates: str) -> str:
    _, artifact, version = coordinates.split(":")
    return f"{artifact}-{version}.jar"


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    print(f"# This file was written by `make lock`: {sys.argv[1]}'s jars.")
    for coordinates, digest in sorted(resolve(sys.argv[2:]).items()):
        print(f"{digest}  {coordinates}")
