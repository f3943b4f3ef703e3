"""A command that logs in to MongoDB takes the password from a file, so that it stands in no list of processes."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.terminal import output_of, throughline
from tools.cli.named_mongodb import with_password_of
from tools.local.stack import Stack

COMMANDS = {
    "THROUGHLINE_INDEXES_MONGODB": ("indexes", "ensure"),
    "THROUGHLINE_DOCTOR_MONGODB": ("doctor",),
    "THROUGHLINE_BACKUP_MONGODB": ("backup", "release"),
    "THROUGHLINE_ROTATE_MONGODB": ("rotate", "mongodb", "--passwords", "/nonexistent"),
    "THROUGHLINE_REFILL_MONGODB": ("refill", "meetings"),
}


@pytest.mark.parametrize(("variable", "command"), COMMANDS.items())
def test_a_file_that_cannot_be_read_is_named(variable: str, command: tuple[str, ...]) -> None:
    named = {variable: "mongodb://admin@127.0.0.1:1/", f"{variable}_PASSWORD_FILE": "/nonexistent/password"}
    done = throughline(None, *command, **named)
    assert done.exit_code == 2, done.output
    assert "--password-file" in output_of(done)
    assert "/nonexistent/password" in output_of(done)


@pytest.mark.parametrize("command", [each for each in COMMANDS.values() if each[0] != "refill"])
def test_one_variable_names_the_administrator_to_every_command(command: tuple[str, ...]) -> None:
    uri = "THROUGHLINE_ADMIN_MONGODB"
    done = throughline(None, *command, **{uri: "mongodb://a@127.0.0.1:1/", f"{uri}_PASSWORD_FILE": "/nonexistent"})
    assert (done.exit_code, "--password-file" in output_of(done)) == (2, True), done.output


@pytest.mark.parametrize("uri", ["mongodb://own:secret@127.0.0.1:1/", "mongodb://127.0.0.1:1/"])
def test_a_uri_with_a_password_or_without_a_user_is_used_as_it_is(uri: str) -> None:
    assert with_password_of(uri, Path("/nonexistent")) == uri


@pytest.mark.servers
@pytest.mark.parametrize("words", [("backup", "release"), ("backup", "save", "{}", "--what", "persons")])
def test_the_password_of_the_file_is_used(stack: Stack, tmp_path: Path, words: tuple[str, ...]) -> None:
    uri = urlsplit(stack.mongodb_admin_uri)
    command = [word.format(tmp_path / "saved") for word in words]
    named = uri._replace(netloc=f"{uri.username}@{uri.hostname}:{uri.port}").geturl()
    command += ["--mongodb", named, "--password-file", str(tmp_path / "password")]
    (tmp_path / "password").write_text("another\n")
    assert throughline(None, *command).exit_code == 1
    (tmp_path / "password").write_text(f"{uri.password}\n")
    done = throughline(None, *command)
    assert done.exit_code == 0, done.output
