"""Files that hold one password each, refused where two readers would understand them differently."""

from __future__ import annotations

from pathlib import Path

from tools.files import NotAFile, read_named

PASSWORD_LIMIT = 1_000
AGAIN = "write the password into it again, on one line"


def read_password(file: Path, cure: str = AGAIN) -> str:
    """Return the password in a file. Raises NotAFile, with what to do."""
    try:
        password = read_named(file, PASSWORD_LIMIT).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise NotAFile(f"{file} is no text in UTF-8: {cure}") from None
    if not password:
        raise NotAFile(f"{file} is empty: {cure}")
    if password != password.strip() or not password.isprintable():
        raise NotAFile(f"{file} has blanks at an end, more than one line, or a character that is not seen: {cure}")
    return password
