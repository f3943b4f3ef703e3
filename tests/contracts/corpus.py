"""The golden files: canonical bytes of every event version that ever went live. They are added, never changed.

`python -m tests.contracts.corpus` writes the missing files of all examples, and their checksums.
"""

from __future__ import annotations

from pathlib import Path

from shared.events.canonical import sha256_hex
from shared.events.envelope import encode
from shared.events.event import Event
from tests.contracts.examples import EXAMPLES

FOLDER = Path(__file__).parent / "golden"
SUMS = FOLDER / "SHA256SUMS"


def golden() -> dict[str, bytes]:
    """Return the bytes of every golden file by its name."""
    return {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.json"))}


def sums() -> dict[str, str]:
    """Return the recorded SHA-256 of every golden file by its name."""
    lines = (line.split("  ", 1) for line in SUMS.read_text().splitlines())
    return {name.removesuffix(".json"): digest for digest, name in lines}


def encoded(name: str, event: Event) -> bytes:
    """Return an example's bytes with a complete envelope."""
    return encode(
        event,
        event_id=f"synthetic-{name}",
        subject="synthetic/example",
        time="2031-01-01T09:30:00.125Z",
        version=2,
        actor="synthetic-actor",
        role="secretariat",
        command_id="synthetic-command",
        correlation_id="synthetic-correlation",
        causation_id="synthetic-cause",
        previous_hash=sha256_hex(b"synthetic"),
    )


def write_missing() -> None:
    """Write the missing golden files and the checksums."""
    known = sums() if SUMS.exists() else {}
    for name in sorted(EXAMPLES.keys() - known.keys()):
        raw = encoded(name, EXAMPLES[name])
        (FOLDER / f"{name}.json").write_bytes(raw)
        known[name] = sha256_hex(raw)
    SUMS.write_text("".join(f"{known[name]}  {name}.json\n" for name in sorted(known)))


if __name__ == "__main__":
    write_missing()
