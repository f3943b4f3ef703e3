"""Translations through gettext: one language a request, English where nothing is translated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations
from starlette.requests import Request

LANGUAGES = {"en": "English", "fr": "Français", "ru": "Русский", "zh": "中文"}
CATALOGUES = Path(__file__).with_name("locale")
_language: ContextVar[str] = ContextVar("language", default="en")


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Translate into a language for a while."""
    token = _language.set(language if language in LANGUAGES else "en")
    try:
        yield
    finally:
        _language.reset(token)


def language() -> str:
    """Return the language of this request."""
    return _language.get()


def locale() -> Locale:
    """Return the Babel locale of this request's language."""
    return _locale(_language.get())


def _(message: str, **values: Any) -> str:
    """Translate a message, and put values into it; a template puts them in by itself."""
    text = catalogue_of(_language.get()).ugettext(message)
    return text % values if values else text


def plural(one: str, many: str, n: int) -> str:
    """Translate a message that counts."""
    return ngettext(one, many, n) % {"n": number(n)}


def number(n: float) -> str:
    """Format a number as the language writes it."""
    return format_decimal(n, locale=locale())


def ngettext(one: str, many: str, n: int) -> str:
    """Translate a message of a template that counts."""
    return catalogue_of(_language.get()).ungettext(one, many, n)


def chosen(request: Request) -> str:
    """Return the language that a person set, or else the first known one that the browser prefers."""
    if (own := request.cookies.get("language")) in LANGUAGES:
        return str(own)
    preferred = [each.partition(";")[0].strip()[:2] for each in request.headers.get("accept-language", "").split(",")]
    return next((each for each in preferred if each in LANGUAGES), "en")


def file_of(code: str) -> Path:
    """Return the file of a language's messages."""
    return CATALOGUES / f"{code}.po"


@cache
def _locale(code: str) -> Locale:
    return Locale.parse(code if code in ("fr", "ru", "zh") else "en_GB")


@cache
def catalogue_of(code: str) -> NullTranslations:
    """Read the messages of a language, once, from the file that translators edit: no compiled copy can be behind."""
    if code == "en":
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(file_of(code).read_bytes()), locale=code))
    compiled.seek(0)
    return Translations(compiled, domain="console")
