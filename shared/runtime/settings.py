"""Settings from the environment; every variable begins with THROUGHLINE_."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, Json, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from yaml import YAMLError

from shared.events.words import CallerRole
from shared.runtime.kafka_access import KafkaAccess, Mechanism
from shared.runtime.topic_declaration import Topics, read_topics
from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import NotAKey, Verifier
from shared.tlog.trust import LogTrust, key_ids

S = TypeVar("S", bound=BaseSettings)
ACTOR_KEY_LENGTH = 32
HUNG_AFTER_SECONDS = 60.0


class KafkaSettings(BaseSettings):
    """The settings of access to Kafka."""

    model_config = SettingsConfigDict(env_prefix="THROUGHLINE_", frozen=True)

    kafka: str = Field(description="bootstrap servers, host:port[,host:port]")
    kafka_user: str | None = Field(None, description="user of this process; left out: without authentication")
    kafka_password: SecretStr | None = Field(None, description="password of that user")
    kafka_password_file: Path | None = Field(None, description="path of a file with it, if the password is not set")
    kafka_mechanism: Mechanism = "SCRAM-SHA-512"

    def kafka_access(self) -> KafkaAccess:
        """Return the access to Kafka that these settings describe. Raises CannotStart."""
        if self.kafka_user is None:
            return KafkaAccess(self.kafka)
        return KafkaAccess(self.kafka, self.kafka_user, self._kafka_password(), self.kafka_mechanism)

    def _kafka_password(self) -> SecretStr:
        if self.kafka_password is not None:
            return self.kafka_password
        if self.kafka_password_file is None:
            raise CannotStart("THROUGHLINE_KAFKA_PASSWORD: THROUGHLINE_KAFKA_USER is set, so set this, or its _FILE")
        try:
            return SecretStr(self.kafka_password_file.read_text(encoding="utf-8").rstrip("\r\n"))
        except (OSError, UnicodeDecodeError) as fault:
            raise CannotStart(f"THROUGHLINE_KAFKA_PASSWORD_FILE: {fault}") from None


class SignInSettings(BaseSettings):
    """The settings of who callers are: whose tokens are believed, and which claims say what (docs/sign-in.md)."""

    model_config = SettingsConfigDict(env_prefix="THROUGHLINE_", frozen=True)

    jwks: str = Field(description="path or http(s) address of the JWKS that verifies tokens")
    issuer: str = Field("throughline-local", min_length=1, description="the claim iss, compared exactly")
    audience: str = Field(
        "throughline", pattern=r"\S", description="audiences, one of which a token has; blanks between"
    )
    role_claim: str = Field("role", description="claim with the role or the groups, as in realm_access.roles")
    member_claim: str = Field("member", description="claim with a focal point's member")
    expert_claim: str = Field("expert", description="claim with the id of the person that an expert is")
    roles: Json[dict[str, CallerRole]] | None = Field(None, description="roles by group; left out: groups are roles")
    people_file: Path | None = Field(None, description="path of the file of people, for what their claims leave out")
    actor_key: SecretStr | None = Field(None, description="the key that hashes issuer and subject to an actor")
    actor_key_file: Path | None = Field(None, description="path of a file with it, if the key is not set")

    def key_of_actors(self) -> bytes:
        """Return the key that hashes issuer and subject to an actor. Raises CannotStart."""
        name = "THROUGHLINE_ACTOR_KEY" + ("" if self.actor_key or not self.actor_key_file else "_FILE")
        try:
            text = self.actor_key_file.read_text(encoding="utf-8") if self.actor_key_file else ""
        except (OSError, UnicodeDecodeError) as fault:
            raise CannotStart(f"{name}: {fault}") from None
        key = (self.actor_key.get_secret_value() if self.actor_key else text).strip()
        if len(key) < ACTOR_KEY_LENGTH:
            raise CannotStart(
                f"{name}: no key of {ACTOR_KEY_LENGTH} characters or more: make one for all four services with "
                "openssl rand -base64 32 (docs/sign-in.md)"
            )
        return key.encode()


class Settings(SignInSettings, KafkaSettings):
    """One service's settings. A missing one is an error at start that names the variable."""

    mongodb: SecretStr = Field(description="MongoDB URI with this service's own user")
    database: str = Field(description="this service's own database")
    host: str = "127.0.0.1"
    port: int = 8000
    connections: int = Field(500, ge=10, description="HTTP connections open at a time")
    fronts: str = Field("", description="addresses of fronts whose X-Forwarded-For is true, comma-separated; else none")
    instance: str | None = Field(None, description="name of this instance; left out: host name and port")
    log_level: str = "INFO"
    batch_records: int = Field(2_000, ge=1, description="records that one batch of the subscriber may hold")
    not_ready_after: float = Field(30.0, gt=0, description="seconds without progress after which /readyz says no")
    hung_after: float = Field(
        HUNG_AFTER_SECONDS, gt=0, description="seconds without a sign of a loop, after which the process ends itself"
    )
    deployment: str = Field("local", pattern=r"^[A-Za-z0-9.-]{1,100}$", description="part of the origin of each log")
    checkpoint_keys: SecretStr | None = Field(None, description="the text of a key file (throughline audit keygen)")
    checkpoint_keys_file: Path | None = Field(None, description="path of that file, if the text is not set")
    trusted_keys: str | None = Field(
        None, description="public keys of the logs that this service reads, blanks between"
    )
    trusted_keys_file: Path | None = Field(None, description="path of a file with them, if the text is not set")
    distrusted_keys: str = Field("", description="ids of keys called compromised, 8 hex digits each, blanks between")
    checkpoint_events: int = Field(1_000, ge=1, description="events after which a checkpoint is signed")
    checkpoint_seconds: float = Field(60.0, gt=0, description="seconds that an event waits for its checkpoint")
    topics_file: Path = Path(__file__).parents[2] / "deploy" / "topics.yaml"

    def declared_topics(self) -> Topics:
        """Return the declaration of the topics. Raises CannotStart."""
        try:
            return read_topics(self.topics_file)
        except (OSError, YAMLError, KeyError, TypeError, AttributeError) as fault:
            raise CannotStart(f"THROUGHLINE_TOPICS_FILE: {self.topics_file} is no declaration: {fault!r}") from None

    def log_keys(self, service: str) -> LogKeys:
        """Return the keys that sign the service's log. Raises CannotStart."""
        name = "THROUGHLINE_CHECKPOINT_KEYS" + ("" if self.checkpoint_keys else "_FILE")
        try:
            if self.checkpoint_keys is not None:
                text = self.checkpoint_keys.get_secret_value()
            elif self.checkpoint_keys_file is not None:
                text = self.checkpoint_keys_file.read_text()
            else:
                raise CannotStart(f"{name}: no key to sign checkpoints with: make one with throughline audit keygen")
            return LogKeys.parse(text, origin_of(self.deployment, service))
        except (NotAKey, OSError, UnicodeDecodeError) as fault:
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
        name = "THROUGHLINE_TRUSTED_KEYS" + ("" if self.trusted_keys or self.trusted_keys_file is None else "_FILE")
        try:
            text = self.trusted_keys or (self.trusted_keys_file.read_text() if self.trusted_keys_file else "")
            keys = [Verifier.parse(line) for line in text.split()]
        except (NotAKey, OSError, UnicodeDecodeError) as fault:
            raise CannotStart(f"{name}: {fault}") from None
        if foreign := next((key for key in keys if not key.name.startswith(origin_of(self.deployment, ""))), None):
            raise CannotStart(f"{name}: {foreign.name} is no log of the deployment {self.deployment}")
        return keys


class CannotStart(Exception):
    """A setting cannot be used; the message names the variable."""


def read(kind: type[S], **given: Any) -> S:
    """Read settings from the environment, some of them given. Raises CannotStart, without the values."""
    try:
        return kind(**given)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        prefix = str(kind.model_config.get("env_prefix", ""))
        names = [prefix + "_".join(map(str, fault["loc"])).upper() for fault in faults]
        says = [fault["msg"].removeprefix("Value error, ") for fault in faults]
        lines = [f"{name}: {why}" for name, why in zip(names, says, strict=True)]
        raise CannotStart("\n".join(lines)) from None
