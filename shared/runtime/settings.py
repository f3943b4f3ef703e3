"""Settings of a service from the environment; every variable begins with THROUGHLINE_."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field
from yaml import YAMLError

from shared.runtime.configuration import (
    PRESENT,
    CannotStart,
    FromFile,
    Fronts,
    InProduction,
    LogLevel,
    Port,
    ReadableFile,
    RootPath,
    Secret,
    read,
    why_unreadable,
)
from shared.runtime.kafka_settings import KafkaSettings
from shared.runtime.mongodb_settings import MongodbSettings
from shared.runtime.sign_in_settings import SignInSettings
from shared.runtime.topic_declaration import Topics, read_topics
from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import NotAKey, Verifier
from shared.tlog.trust import LogTrust, key_ids

__all__ = ["HUNG_AFTER_SECONDS", "CannotStart", "KafkaSettings", "Settings", "SignInSettings", "read"]

HUNG_AFTER_SECONDS = 60.0
LOCAL = "local"
_NOT_LOCAL = InProduction("names this deployment: its logs are told apart by it", lambda value: value != LOCAL)


class Settings(MongodbSettings, SignInSettings, KafkaSettings):
    """One service's settings. A missing one is an error at start that names the variable."""

    host: str = Field("127.0.0.1", description="address that it listens on; empty: all, of IPv4 and IPv6")
    port: Port = Field(8000, description="port that it listens on")
    root_path: RootPath = Field(
        "",
        description="path under which a front serves this service, as in `/throughline/meetings`, and which "
        "it takes away from requests; else none",
    )
    connections: int = Field(500, ge=10, description="HTTP connections open at a time")
    fronts: Fronts = Field(
        "", description="addresses or networks of fronts whose X-Forwarded-For is true, commas between; else none"
    )
    instance: str | None = Field(None, description="name of this instance; left out: host name and port")
    log_level: LogLevel = Field("INFO", description="the least level that is logged")
    batch_records: int = Field(2_000, ge=1, description="records that one batch of the subscriber may hold")
    not_ready_after: float = Field(30.0, gt=0, description="seconds without progress after which /readyz says no")
    hung_after: float = Field(
        HUNG_AFTER_SECONDS, gt=0, description="seconds without a sign of a loop, after which the process ends itself"
    )
    deployment: Annotated[str, _NOT_LOCAL] = Field(
        LOCAL, pattern=r"^[A-Za-z0-9.-]{1,100}$", description="part of the origin of each log"
    )
    checkpoint_keys_file: ReadableFile = Field(None, description="path of a key file, if its text is not set")
    checkpoint_keys: Annotated[Secret, PRESENT] = Field(
        None, description="the text of a key file (throughline audit keygen)"
    )
    trusted_keys_file: ReadableFile = Field(
        None, description="path of a file with the trusted keys, if those are not set"
    )
    trusted_keys: Annotated[str | None, FromFile, PRESENT] = Field(
        None, description="public keys of the logs that this service reads, blanks between"
    )
    distrusted_keys: str = Field("", description="ids of keys called compromised, 8 hex digits each, blanks between")
    checkpoint_events: int = Field(1_000, ge=1, description="events after which a checkpoint is signed")
    checkpoint_seconds: float = Field(60.0, gt=0, description="seconds that an event waits for its checkpoint")
    topics_file: Path = Field(
        Path(__file__).parents[2] / "deploy" / "topics.yaml", description="path of the declaration of the topics"
    )

    def declared_topics(self) -> Topics:
        """Return the declaration of the topics. Raises CannotStart."""
        try:
            return read_topics(self.topics_file)
        except (OSError, UnicodeDecodeError) as fault:
            raise CannotStart(f"THROUGHLINE_TOPICS_FILE: {why_unreadable(self.topics_file, fault)}") from None
        except (YAMLError, KeyError, TypeError, AttributeError, ValueError):
            raise CannotStart(
                f"THROUGHLINE_TOPICS_FILE: {self.topics_file} is no declaration of topics, as deploy/topics.yaml is"
            ) from None

    def log_keys(self, service: str) -> LogKeys:
        """Return the keys that sign the service's log. Raises CannotStart."""
        name = self.variable("checkpoint_keys")
        if self.checkpoint_keys is None:
            raise CannotStart(f"{name}: no key to sign checkpoints with: make one with throughline audit keygen")
        try:
            return LogKeys.parse(self.checkpoint_keys.get_secret_value(), origin_of(self.deployment, service))
        except NotAKey as fault:
            raise CannotStart(f"{name}: {fault}") from None

    def log_trust(self, service: str, own: LogKeys, others: Iterable[str]) -> LogTrust:
        """Return the trust in the service's own log and in those of others that it reads. Raises CannotStart."""
        pinned = [*own.verifiers, *self._trusted_keys()]
        try:
            distrusted = key_ids(self.distrusted_keys)
        except NotAKey as fault:
            raise CannotStart(f"THROUGHLINE_DISTRUSTED_KEYS: {fault}") from None
        if own.signer.verifier.key_id.hex() in distrusted:
            raise CannotStart(
                "THROUGHLINE_DISTRUSTED_KEYS: it names the key that signs this service's log: replace that key"
            )
        trust = LogTrust(pinned, distrusted)
        origins = {key.name for key in pinned}
        for other in others:
            if (origin := origin_of(self.deployment, other)) not in origins:
                raise CannotStart(f"THROUGHLINE_TRUSTED_KEYS: no public key of the log {origin}, which {service} reads")
        return trust

    def _trusted_keys(self) -> list[Verifier]:
        name = self.variable("trusted_keys")
        try:
            keys = [Verifier.parse(line) for line in (self.trusted_keys or "").split()]
        except NotAKey as fault:
            raise CannotStart(f"{name}: {fault}") from None
        if foreign := next((key for key in keys if not key.name.startswith(origin_of(self.deployment, ""))), None):
            raise CannotStart(f"{name}: {foreign.name} is no log of the deployment {self.deployment}")
        return keys
