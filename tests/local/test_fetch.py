"""Nothing runs that was not checked against a hash in git."""

import shutil
from pathlib import Path

import pytest

from tools.local import fetch
from tools.local.progress import CannotStart

pytestmark = pytest.mark.servers


@pytest.fixture
def other_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of its own, with Kafka's jars as the real one has them."""
    jars = fetch.kafka(fetch.java())
    monkeypatch.setenv("THROUGHLINE_CACHE", str(tmp_path))
    shutil.copytree(jars, tmp_path / jars.name)
    return tmp_path / jars.name


def test_a_changed_jar_is_named_and_refused(other_cache: Path) -> None:
    jar = next(other_cache.glob("kafka_*.jar"))
    jar.write_bytes(jar.read_bytes() + b"\0")
    with pytest.raises(CannotStart, match=rf"(?s){jar.name}.*Remove {other_cache}"):
        fetch.kafka(fetch.java())


def test_an_added_and_a_missing_jar_are_named_and_refused(other_cache: Path) -> None:
    next(other_cache.glob("kafka_*.jar")).rename(other_cache / "stranger.jar")
    with pytest.raises(CannotStart, match=r"kafka_.*\.jar, stranger\.jar"):
        fetch.kafka(fetch.java())


def test_a_fetched_jar_that_is_not_the_pinned_one_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = fetch.java()
    monkeypatch.setenv("THROUGHLINE_CACHE", str(tmp_path / "cache"))
    digest, name = fetch.KAFKA_HASHES.read_text().splitlines()[0].split()
    pins = tmp_path / "kafka.sha256"
    pins.write_text(fetch.KAFKA_HASHES.read_text().replace(digest, "0" * 64))
    with pytest.raises(CannotStart, match=name):
        fetch.kafka(java, pins)
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == ["kafka.lock"]


def test_without_maven_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = fetch.java()
    monkeypatch.setenv("THROUGHLINE_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotStart, match="apt-get install maven"):
        fetch.kafka(java)
