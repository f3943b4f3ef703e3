"""`throughline restore`: an export put back into empty databases, when MongoDB and Kafka are both lost."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from shared.events.services import SERVICES
from shared.ledger.restoration import CannotRestore
from shared.runtime.kafka_access import KafkaAccess
from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import NotAKey, NotANote, Signer
from tools.audit.breaks import declared_breaks
from tools.audit.bundle import SMALL_LIMIT, Bundle, NotReadable
from tools.audit.report import as_text
from tools.audit.signatures import TrustedKeys
from tools.audit.verifying import Verification
from tools.audit.verifying import verify as verify_bundle
from tools.cli.audit.options import Folder, Keys, trusted
from tools.cli.named_mongodb import ADMIN_MONGODB, password_option, uri_option, with_password_of
from tools.client.connection import Connection, Home, Kafka
from tools.client.errors import BadInput, Failure, Unreachable, exits
from tools.client.kafka_faults import kafka_failure
from tools.client.log_keys import key_folder, name_deployment
from tools.client.mongodb_errors import mongodb_answers
from tools.client.progress import bar
from tools.client.stack_home import DEFAULT_HOME, StackHome
from tools.deployment.restoring import ALWAYS_LOST, LostLog, ensure_kafka_is_empty
from tools.deployment.restoring import restore as restore_logs
from tools.files import NotAFile, read_named, write_named
from tools.render.terminal import print_line

_DEPLOYMENT = re.compile("[A-Za-z0-9-][A-Za-z0-9.-]{0,99}")


def restore(
    folder: Folder,
    deployment: Annotated[
        str, typer.Option(metavar="NAME", help="A new name of the deployment: the new logs have it in their origins.")
    ],
    key: Keys = None,
    new_keys: Annotated[
        Path | None,
        typer.Option("--new-keys", metavar="DIR", help="Folder of the new logs' private keys; made where absent."),
    ] = None,
    old_keys: Annotated[
        Path | None, typer.Option("--old-keys", metavar="DIR", help="Folder of the lost logs' private keys.")
    ] = None,
    old_keys_lost: Annotated[
        bool,
        typer.Option("--old-keys-lost", help="The old private keys are lost too: auditors will be warned for ever."),
    ] = False,
    mongodb: Annotated[
        str | None,
        uri_option(
            "THROUGHLINE_RESTORE_MONGODB",
            "MongoDB, as a user who may write every service's database; the local stack's where none is named.",
        ),
    ] = None,
    password_file: Annotated[Path | None, password_option("THROUGHLINE_RESTORE_MONGODB", ADMIN_MONGODB)] = None,
    kafka: Kafka = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Restore all services from an export, when MongoDB and Kafka are both lost.

    Example: throughline restore export-2026 --deployment escap-2

    Databases and topics must be there and empty, and no service may run (make up ARGS=--servers-only). The export is
    verified first. Each log goes on under a new origin and a new key, after a declared break: a note that the new key
    and the old one sign, with the old log's size and what is lost. Events after the export's checkpoint are lost, and
    what no export holds: uploaded documents, and the keys of persons unless their collection is restored apart. It may
    be interrupted and run again. docs/backup.md has the whole procedure.

    Exit code: 0 when everything is restored; 1 when the export does not verify, or a database or topic is not empty; 2
    for bad input; 3 when MongoDB or Kafka does not answer.
    """
    with exits():
        bundle = Bundle(folder)
        before = _checked_deployment(bundle, deployment)
        new_folder, old_folder = new_keys or key_folder(home, deployment), old_keys or key_folder(home, before)
        olds = {} if old_keys_lost else {name: _old_keys(old_folder, origin_of(before, name)) for name in SERVICES}
        verification = _verified(bundle, key, olds)
        access, uri = _servers(home, with_password_of(mongodb, password_file) if mongodb else None, kafka)
        lost = _lost(verification)
        logs = {
            name: LostLog(
                log,
                olds[name].signer if name in olds else None,
                _new_signer(new_folder, origin_of(deployment, name)),
                lost,
            )
            for name, log in bundle.logs.items()
        }
        gained = _restored(uri, access, logs)
        if mongodb is None:
            name_deployment(home, deployment)
        for line in _in_words(logs, gained, deployment, new_folder):
            print_line(line)


def _checked_deployment(bundle: Bundle, deployment: str) -> str:
    """Return the name of the export's deployment. Raises BadInput where the new one is none, or the same."""
    if _DEPLOYMENT.fullmatch(deployment) is None:
        raise BadInput("--deployment: has letters, digits, dots and hyphens, at most 100, and begins with no dot.")
    try:
        missing = [name for name in SERVICES if name not in bundle.logs]
        origins = {log.checkpoint().origin.rpartition("/")[0] for log in bundle.logs.values()}
    except NotReadable as fault:
        raise BadInput(str(fault)) from None
    if missing:
        raise BadInput(f"{bundle.folder} lacks {', '.join(missing)}: all services are restored from one export.")
    before = origins.pop().removeprefix("throughline.")
    if origins:
        raise BadInput(f"{bundle.folder} holds logs of more than one deployment: audit verify names them.")
    if before == deployment:
        raise BadInput(
            f"--deployment {deployment}: the lost logs have this name. Give another, such as {before}-2: under the "
            "same one a second history would be signed, and witnesses would refuse it."
        )
    return before


def _old_keys(folder: Path, origin: str) -> LogKeys:
    file = folder / f"{origin.rpartition('/')[2]}.key"
    try:
        return LogKeys.parse(read_named(file, SMALL_LIMIT).decode(errors="replace"), origin)
    except NotAFile as fault:
        raise BadInput(
            f"{fault}. The old key signs the declared break: name its folder (--old-keys DIR). If it is lost, say so "
            "(--old-keys-lost, with --key for each log): then nobody can tell this restoration from a forgery by its "
            "signature."
        ) from None
    except NotAKey as fault:
        raise BadInput(f"{file}: {fault}") from None


def _new_signer(folder: Path, origin: str) -> Signer:
    """Return the key of a new log from its file; generate it where there is none."""
    file = folder / f"{origin.rpartition('/')[2]}.key"
    if not os.path.exists(file):
        write_named(file, LogKeys(Signer.generate(origin)).text())
    try:
        return LogKeys.parse(read_named(file, SMALL_LIMIT).decode(errors="replace"), origin).signer
    except NotAKey as fault:
        raise BadInput(f"{file}: {fault}") from None


def _verified(bundle: Bundle, key: list[str] | None, olds: Mapping[str, LogKeys]) -> Verification:
    """Verify the export, by the keys given or those of the lost logs. Raises Failure, BadInput."""
    keys = trusted(key)
    if not keys.logs:
        keys = TrustedKeys(tuple(each for log_keys in olds.values() for each in log_keys.verifiers))
    if not keys.logs:
        raise BadInput("--old-keys-lost: give the public key of each lost log with --key, from a letter or an auditor.")
    keys = replace(keys, accepted_breaks=_earlier_origins(bundle))
    try:
        with bar(f"Verifying {bundle.folder}") as advance:
            verification = verify_bundle(bundle, keys, advance=advance)
    except NotReadable as fault:
        raise BadInput(str(fault)) from None
    if not verification.holds:
        raise Failure("\n".join(["Nothing was restored: the export does not verify.", *as_text(verification)]))
    return verification


def _earlier_origins(bundle: Bundle) -> tuple[str, ...]:
    """Return the origins before the breaks that the lost logs declared themselves, which their keys vouch for."""
    try:
        return tuple(declared_breaks(bundle))
    except (NotReadable, NotANote):
        return ()  # the verification names the fault


def _lost(verification: Verification) -> tuple[str, ...]:
    count = verification.open.count
    return (f"{count} events of this export rest on events that it does not hold yet",) if count else ()


def _servers(home: Path, mongodb: str | None, kafka: str | None) -> tuple[KafkaAccess, str]:
    try:
        return Connection(home).kafka(kafka), mongodb or StackHome(home).servers()[1]
    except LookupError:
        raise Unreachable("Nothing says where MongoDB is: name it (--mongodb URI), or start a stack.") from None


def _restored(uri: str, kafka: KafkaAccess, logs: Mapping[str, LostLog]) -> dict[str, int]:
    async def run() -> dict[str, int]:
        await ensure_kafka_is_empty(kafka, logs)
        return await restore_logs(uri, logs, bar)

    try:
        with mongodb_answers():
            return asyncio.run(run())
    except CannotRestore as reason:
        raise Failure(f"Not restored: {reason}.") from None
    except (KafkaError, OSError, TimeoutError) as error:
        raise kafka_failure(error, kafka) from None


def _in_words(logs: Mapping[str, LostLog], gained: Mapping[str, int], deployment: str, folder: Path) -> list[str]:
    first = next(iter(logs.values()))
    sizes = {name: each.log.checkpoint().size for name, each in logs.items()}
    lost = ("every event after the export's checkpoints", *first.lost, *ALWAYS_LOST)
    lines = [f"Restored {name}: {size} events, {gained[name]} of them now." for name, size in sizes.items()]
    lines += ["Lost, and declared so in each log:", *(f"    {each}" for each in lost)]
    if first.old is None:
        lines.append("NO OLD KEY signed the declared breaks: auditors and witnesses are warned, and must accept them.")
    return [
        *lines,
        "Next: throughline backup load, with the keys of persons, staff and documents that you saved apart. Then set",
        f"THROUGHLINE_DEPLOYMENT={deployment}, give services their keys of {folder} and the public keys below,",
        "and start them:",
        *(f"    {each.new.verifier.vkey}" for each in logs.values()),
        "Then: throughline replay --from kafka --compare, a new export into a new folder, and a letter to auditors.",
    ]
