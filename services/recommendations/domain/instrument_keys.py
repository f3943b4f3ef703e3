"""Keys of an instrument: its citation and symbol, as they are compared with those of others."""

from __future__ import annotations

from unicodedata import category, normalize

from shared.events.recommendations import InstrumentRegistered

_INVISIBLE = frozenset({"Cf", "Cc"})


def keys(item: object) -> frozenset[str]:
    """Return citation and symbol as they are compared: in NFC, without case, spaces and characters that do not show."""
    return frozenset(texts_by_key(item)) if isinstance(item, InstrumentRegistered) else frozenset()


def texts_by_key(registered: InstrumentRegistered) -> dict[str, tuple[str, str]]:
    """Return field and text of citation and symbol, by the form in which they are compared."""
    texts = {"cite": registered.cite, "symbol": registered.symbol}
    return {_compared(text): (field, text) for field, text in texts.items() if text is not None}


def _compared(text: str) -> str:
    visible = "".join(each for each in normalize("NFC", text) if category(each) not in _INVISIBLE)
    return "".join(normalize("NFC", visible.casefold()).split())
