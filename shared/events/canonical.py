"""Canonical bytes (RFC 8785, restricted) and their hashes."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

ZERO_HASH = "0" * 64
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


class NotCanonical(ValueError):
    """The value has no canonical form here: a float, a null, a lone surrogate, an integer past 2^53-1, deep nesting."""


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of JSON without floats and nulls, its member names fixed ASCII.

    Within these limits sorting by bytes is sorting by UTF-16 units, so orjson's sorted form is the canonical one.
    """
    try:
        _check(value, "$")
        return orjson.dumps(value, option=_OPTIONS)
    except (orjson.JSONEncodeError, UnicodeEncodeError, RecursionError) as error:
        raise NotCanonical(str(error)) from error


def canonical_unchecked(value: Any) -> bytes:
    """The same bytes for a value that this code composed itself and that holds no float and no null."""
    return orjson.dumps(value, option=_OPTIONS)


def check_canonical(raw: bytes, value: Any) -> None:
    """Check that JSON bytes are the canonical form of the value that they were parsed into. Raises NotCanonical.

    A member that is given twice, white space, another order or escape all differ from what the value is written as.
    Floats and nulls are not looked for: no event has them.
    """
    try:
        same = orjson.dumps(value, option=_OPTIONS) == raw
    except orjson.JSONEncodeError as error:
        raise NotCanonical(str(error)) from None
    if not same:
        raise NotCanonical(
            "the bytes are not those that their value is written in: members sorted, each once, no white space, "
            "no needless escape"
        )


def sha256_hex(data: bytes) -> str:
    """SHA-256 of the bytes, 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def leaf_hash(data: bytes) -> str:
    """RFC 6962 leaf hash: SHA-256 of a zero byte and the entry."""
    return hashlib.sha256(b"\x00" + data).hexdigest()


_PLAIN = frozenset({str, bool, int})


def _check(value: Any, path: str) -> None:
    kind = type(value)
    if kind in _PLAIN:
        return
    if kind is dict:
        for name, member in value.items():
            if type(name) is not str or not name.isascii():
                raise NotCanonical(f"{path}: the member name {name!r} is not ASCII")
            _check(member, f"{path}.{name}")
    elif kind is list or kind is tuple:
        for index, item in enumerate(value):
            _check(item, f"{path}[{index}]")
    else:
        raise NotCanonical(f"{path}: {kind.__name__} has no canonical form here")
