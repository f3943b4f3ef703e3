"""TLS of a client of Kafka, MongoDB or SMTP: the files it needs, and why a server's certificate is not trusted."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_CONNECT_SECONDS, _ALERT_SECONDS = 3.0, 0.5
_ALERT = "ALERT"
_NOT_YET, _EXPIRED, _OTHER_HOST = 9, 10, (62, 64)  # openssl/x509_vfy.h


@dataclass(frozen=True)
class Tls:
    """The authorities that a client trusts, those of the system where no file names others, and its own certificate."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return the context of a connection. Raises OSError, of which ssl.SSLError is a kind."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file is not None:
            no_question = ""  # without a password OpenSSL asks for that of an encrypted key on the terminal
            context.load_cert_chain(self.cert_file, self.key_file, no_question)
        return context


def why_untrusted(error: ssl.SSLCertVerificationError) -> str:
    """Return what is wrong with a server's certificate."""
    match error.verify_code:
        case code if code in _OTHER_HOST:
            return f"its certificate is for another host: {error.verify_message}"
        case code if code in (_NOT_YET, _EXPIRED):
            return f"its certificate is not valid today: {error.verify_message}"
        case _:
            return f"its certificate is of an unknown CA: {error.verify_message}"


async def speaks_tls(host: str, port: int) -> bool:
    """Tell whether a server answers TLS on a port, whatever its certificate, and whatever it thinks of the client's."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        fault = await _fault(host, port, context)
    except OSError:
        return False
    return fault is None or _ALERT in fault


async def refuses_certificate(host: str, port: int, context: ssl.SSLContext) -> bool:
    """Tell whether a server refuses the client's certificate, or that there is none. Raises OSError."""
    return _ALERT in (await _fault(host, port, context) or "")


async def _fault(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """Connect, and wait a moment for an alert, which a server of TLS 1.3 sends after the handshake."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(host, port, ssl=context)
        with suppress(TimeoutError):
            async with asyncio.timeout(_ALERT_SECONDS):
                await reader.read(1)
    except ssl.SSLCertVerificationError:
        raise
    except ssl.SSLError as error:
        return error.reason or "SSL"
    finally:
        if writer is not None:
            writer.transport.abort()
    return None
