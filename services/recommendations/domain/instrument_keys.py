"""Keys of an instrument: its citation and symbol, as they are compared with those of others."""

from __future__ import annotations

from unicodedata import normalize

from shared.events.recommendations import InstrumentRegistered


def keys(item: object) -> frozenset[str]:
    """Return the citation and symbol of a registration, as they are compared: in NFC, without case and spaces."""
    return frozenset(texts_by_key(item)) if isinstance(item, InstrumentRegistered) else frozenset()


def texts_by_key(registered: InstrumentRegistered) -> dict[str, tuple[str, str]]:
    """Return field and text of citation and symbol, by the form in which they are compared."""
    texts = {"cite": registered.cite, "symbol": registered.symbol}
    return {_compared(text): (field, text) for field, text in texts.items() if text is not None}


def _compared(text: str) -> str:
    return "".join(normalize("NFC", normalize("NFC", text).casefold()).split())
