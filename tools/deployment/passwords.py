"""Files that hold one password each, refused where two readers would understand them differently."""

from __future__ import annotations

from pathlib import Path

from tools.files import NotAFile, read_named

PASSWORD_LIMIT = 1_000
AGAIN = "write the password into it again, on one line"


def read_password(file: Path, cure: str = AGAIN) -> str:
    """Return the password in a file. Raises NotAFile, with what to do."""
    try:
        return password_in(read_named(file, PASSWORD_LIMIT).decode())
    except UnicodeDecodeError:
        raise NotAFile(f"{file} is no text in UTF-8: {cure}") from None
    except ValueError as fault:
        raise NotAFile(f"{file} {fault}: {cure}") from None


def password_in(text: str) -> str:
    """Return the password in the text of a file. Raises ValueError, which never repeats it."""
    password = text.rstrip("\r\n")
    if not password:
        raise ValueError("is empty")
    if password != password.strip() or not password.isprintable():
        raise ValueError("has blanks at an end, more than one line, or a character that is not seen")
    return password
