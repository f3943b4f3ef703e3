"""The SMTP server that mails go to: encryption, login, and in words what is wrong with its settings."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException
from pydantic import SecretStr

from shared.runtime.tls import Tls, speaks_tls, why_untrusted

Encryption = Literal["offered", "none", "starttls", "tls"]
SYSTEM_AUTHORITIES = Tls()
_START_TLS = {"offered": None, "none": False, "starttls": True, "tls": False}


@dataclass(frozen=True)
class SmtpServer:
    """Host and port, the encryption of connections, and a user with its password; without a user there is no login."""

    host: str
    port: int
    encryption: Encryption = "offered"
    user: str | None = None
    password: SecretStr | None = None
    tls: Tls = SYSTEM_AUTHORITIES

    def client(self, timeout: float) -> SMTP:
        """Return a client that is not connected yet. It encrypts, and logs in, when it connects."""
        return SMTP(
            hostname=self.host,
            port=self.port,
            timeout=timeout,
            username=self.user,
            password=self.password.get_secret_value() if self.password else None,
            use_tls=self.encryption == "tls",
            start_tls=_START_TLS[self.encryption],
            tls_context=self._context,
        )

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self.tls.context()

    async def trouble(self, error: Exception) -> str:
        """Return what an operator is to change after a connection failed, or "" where waiting may help."""
        where, cause = f"the server {self.host}:{self.port}", error.__cause__ or error
        if isinstance(error, SMTPAuthenticationError) and error.code // 100 == 5:
            return f"THROUGHLINE_SMTP_USER: {where} does not accept the user with this password ({error.code})"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"THROUGHLINE_SMTP_CA_FILE: {where} is not trusted: {why_untrusted(cause)}"
        if isinstance(cause, ssl.SSLError):
            return f"THROUGHLINE_SMTP_TLS: {where} speaks no TLS as set here: {cause.reason}"
        if isinstance(error, TimeoutError) and self.encryption != "tls" and await speaks_tls(self.host, self.port):
            return f"THROUGHLINE_SMTP_TLS: {where} speaks TLS from the start: tls"
        if type(error) is SMTPException and "STARTTLS" in error.message:
            return f"THROUGHLINE_SMTP_TLS: {where} offers no STARTTLS"
        if type(error) is SMTPException and self.user is not None:
            return f"THROUGHLINE_SMTP_USER: {where} offers no way to log in"
        return ""
