"""The keys that sign the logs of synthetic histories: the same in every run, known to everybody, for no other use."""

from __future__ import annotations

from hashlib import sha256

from shared.events.services import SERVICES
from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import Signer
from shared.tlog.trust import LogTrust

KEYS = {
    service: LogKeys(Signer(origin_of("synthetic", service), sha256(f"synthetic {service}".encode()).digest()))
    for service in SERVICES
}


def synthetic_trust() -> LogTrust:
    """Return the trust in the keys of synthetic histories."""
    return LogTrust([keys.signer.verifier for keys in KEYS.values()])
