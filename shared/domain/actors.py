"""Names the sender of a command in the history, without naming a person."""

import base64
import hmac

BEGINS = "u-"


def actor_of(key: bytes, issuer: str, subject: str) -> str:
    """Hash issuer and subject, with HMAC-SHA-256, into an id that only a holder of the key can tie to the person."""
    digest = hmac.digest(key, f"{issuer}\0{subject}".encode(), "sha256")
    return BEGINS + base64.urlsafe_b64encode(digest).decode().rstrip("=")
