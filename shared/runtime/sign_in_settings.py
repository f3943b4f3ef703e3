"""Settings of who callers are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, Json

from shared.events.words import CallerRole
from shared.runtime.configuration import PRESENT, CannotStart, Configuration, InProduction, ReadableFile, Secret

ACTOR_KEY_LENGTH = 32
DEVELOPMENT_ISSUER = "throughline-local"
_BY_HTTPS = InProduction("is an https address of the provider", lambda value: value.startswith("https://"))
_OF_A_PROVIDER = InProduction(
    "is the provider's, not the development sign-in's", lambda value: value != DEVELOPMENT_ISSUER
)


class SignInSettings(Configuration):
    """The settings of who callers are: whose tokens are believed, and which claims say what (docs/sign-in.md)."""

    jwks: Annotated[str, _BY_HTTPS] = Field(description="path or http(s) address of the JWKS that verifies tokens")
    issuer: Annotated[str, Field(min_length=1), _OF_A_PROVIDER] = Field(
        DEVELOPMENT_ISSUER, description="the claim iss, compared exactly"
    )
    audience: str = Field(
        "throughline", pattern=r"\S", description="audiences, one of which a token has; blanks between"
    )
    role_claim: str = Field("role", description="claim with the role or the groups, as in realm_access.roles")
    member_claim: str = Field("member", description="claim with a focal point's member")
    expert_claim: str = Field("expert", description="claim with the id of the person that an expert is")
    roles: Json[dict[str, CallerRole]] | None = Field(
        None, description="JSON, roles by group; left out: groups are roles"
    )
    people_file: Path | None = Field(None, description="path of the file of people, for what their claims leave out")
    actor_key_file: ReadableFile = Field(None, description="path of a file with the key of actors, if that is not set")
    actor_key: Annotated[Secret, PRESENT] = Field(
        None, description=f"the key that hashes issuer and subject to an actor, {ACTOR_KEY_LENGTH} characters or more"
    )

    def key_of_actors(self) -> bytes:
        """Return the key that hashes issuer and subject to an actor. Raises CannotStart."""
        key = self.actor_key.get_secret_value().strip() if self.actor_key else ""
        if len(key) < ACTOR_KEY_LENGTH:
            raise CannotStart(
                f"{self.variable('actor_key')}: no key of {ACTOR_KEY_LENGTH} characters or more: make one for all four "
                "services with openssl rand -base64 32 (docs/sign-in.md)"
            )
        return key.encode()
