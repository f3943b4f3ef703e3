"""Rights on the stack's Kafka: its own broker's, or those of a broker that the environment names."""

import os

from pydantic import SecretStr

from shared.runtime import settings
from shared.runtime.kafka_access import KafkaAccess
from tools.deployment import kafka_users
from tools.local.kafka import Passwords
from tools.local.memory import Memory
from tools.local.messages import CannotStart, Say

WITHOUT = "or start with --no-rights (THROUGHLINE_NO_RIGHTS=1): then whoever reaches Kafka may write anything to it"


def wanted() -> bool:
    """Tell whether the environment leaves rights on."""
    return os.environ.get("THROUGHLINE_NO_RIGHTS", "").lower() not in {"1", "true", "yes", "on"}


def passwords(memory: Memory) -> Passwords:
    """Return the passwords in the configuration of the stack's own broker."""
    return Passwords(memory.password("kafka_broker"), memory.password("kafka_admin"))


def administrator(memory: Memory, own: str, *, with_rights: bool) -> KafkaAccess:
    """Return the administrator's access: to the Kafka of the environment, or to the stack's own. Raises CannotStart."""
    if os.environ.get("THROUGHLINE_KAFKA") is None:
        return (
            KafkaAccess(own, "admin", SecretStr(passwords(memory).admin), "PLAIN") if with_rights else KafkaAccess(own)
        )
    try:
        given = settings.read(settings.KafkaSettings).kafka_access()
    except settings.CannotStart as fault:
        raise CannotStart(str(fault)) from None
    if with_rights and given.user is None:
        raise CannotStart(
            "THROUGHLINE_KAFKA names a Kafka of your own, and nothing says who administers it: set\n"
            "THROUGHLINE_KAFKA_USER and THROUGHLINE_KAFKA_PASSWORD (or its _FILE), so that users and rights can be\n"
            f"made there; {WITHOUT}."
        )
    return given


def ensure(memory: Memory, say: Say) -> None:
    """Make the users and their rights, where there are any. Raises CannotStart."""
    if not (users := memory.kafka_passwords()):
        say("kafka has no rights: whoever reaches it may write anything to it")
        return
    try:
        kafka_users.ensure(memory.kafka_admin(), users)
    except kafka_users.NotGranted as failure:
        raise CannotStart(f"{failure}\nMake it so that it can, {WITHOUT}.") from None
