"""Faults of a server that an operator named are explained without its password and without a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shared.events.services import SERVICES
from shared.tlog.keys import origin_of
from shared.tlog.notes import Signer
from tests.certificates import Authority
from tests.cli.terminal import output_of, throughline
from tools.client.mongodb_client import UnusableUri, connect, connect_async

SECRET = "Synthetic-password"
UNUSABLE = {
    f"mongodb://admin:{SECRET}@db.example.org:99999/": "is no MongoDB URI; write mongodb://USER",
    f"mongodb://admin:{SECRET}@[::1/": "is no MongoDB URI",
    f"mongodb://admin:{SECRET}@x@db.example.org/": "with %40 for an @ in the password",
    f"mongodb://admin:a?{SECRET}=b@db.example.org/": "%3F for a ?",
    f"mongodb://admin:a?tlsCAFile={SECRET}&b@db.example.org/": "%3F for a ?",
    f"mongodb://admin:{SECRET}@db.example.org/?tls=true&tlsCAFile=/synthetic/ca.crt": (
        "names a file that cannot be used: No such file or directory: /synthetic/ca.crt"
    ),
    f"mongodb://admin:{SECRET}@db.example.org/?tls=ture": "has an option that cannot be used: ",
    f"mongodb://admin:{SECRET}@db.example.org/?maxPoolSize=many": "has an option that cannot be used: ",
}


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    for user in ("admin", *SERVICES):
        (tmp_path / user).write_text("Synthetic\n")
    return tmp_path


@pytest.mark.parametrize("uri", UNUSABLE)
def test_a_uri_that_cannot_be_used_is_explained_without_its_password(uri: str) -> None:
    for make in (connect, connect_async):
        with pytest.raises(UnusableUri) as refusal:
            make(uri)
        assert UNUSABLE[uri] in str(refusal.value)
        assert SECRET.lower() not in str(refusal.value).lower()


@pytest.mark.parametrize("password", ["Synthetic[", "Synthetic]", "Synthetic%3F"])
@pytest.mark.parametrize("options", ["?tls=true&tlsCAFile=FILE", "?tlsCAFile=FILE;tls=true"])
def test_a_uri_that_the_client_takes_is_taken(password: str, options: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path).file
    uri = f"mongodb://admin:{password}@db.example.org/{options.replace('FILE', str(authority))}"
    connect(uri, connect=False).close()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(UnusableUri, match=f"not a regular file.*: {fifo}"):
        connect(uri.replace(str(authority), str(fifo)), connect=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("backup", "hold", "--mongodb", "URI", "--", "true"),
        ("backup", "release", "--mongodb", "URI"),
        ("backup", "save", "FOLDER", "--what", "persons", "--mongodb", "URI"),
        ("backup", "load", "FOLDER", "--mongodb", "URI"),
        ("rotate", "mongodb", "--passwords", "FOLDER", "--mongodb", "URI"),
        ("indexes", "ensure", "meetings", "--mongodb", "URI"),
        ("mongodb", "ensure", "--member", "mongo:27017", "--passwords", "FOLDER", "--server", "URI"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("uri", [*UNUSABLE][:6:5], ids=["port", "file"])
def test_each_command_refuses_such_a_uri_as_bad_input(arguments: tuple[str, ...], uri: str, passwords: Path) -> None:
    before = {path.name for path in passwords.iterdir()}
    given = {"URI": uri, "FOLDER": str(passwords)}
    done = throughline(None, *(given.get(each, each) for each in arguments))
    assert done.exit_code == 2, done.output
    assert UNUSABLE[uri] in output_of(done)
    assert SECRET not in done.output
    assert {path.name.removesuffix(".new") for path in passwords.iterdir()} == before


def test_a_port_that_none_is_is_refused_before_kafka_is_asked() -> None:
    for address in ("127.0.0.1:99999", "127.0.0.1:0"):
        done = throughline(None, "topics", "ensure", "--kafka", address)
        assert done.exit_code == 2, done.output
        assert "is no address; write HOST:PORT" in output_of(done)


def test_refill_needs_a_key_of_the_log_that_it_fills() -> None:
    key = Signer.generate(origin_of("synthetic", "meetings")).verifier.vkey
    servers = ("--kafka", "127.0.0.1:1", "--mongodb", "mongodb://127.0.0.1:1/")
    done = throughline(None, "refill", "nominations", "--key", key, *servers)
    assert done.exit_code == 2, done.output
    assert "No key of the log of nominations" in output_of(done)
