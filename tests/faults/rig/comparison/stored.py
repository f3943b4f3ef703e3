"""G1, G9: each acknowledged command is stored once, as acknowledged; chains are complete; policies ran once."""

from __future__ import annotations

from collections import defaultdict

from shared.events.canonical import ZERO_HASH, sha256_hex
from shared.events.catalogue import Recorded
from shared.events.event import Voiding
from shared.events.recommendations import CommitteeDispositionRecorded, RecommendationAdopted
from tests.faults.rig.acknowledged import Acknowledged, Acknowledgement
from tests.faults.rig.comparison.evidence import Evidence, Key, holding
from tests.faults.rig.comparison.findings import Findings, repeated
from tools.local.stack import ALL_FOUR


def compare(evidence: Evidence, acknowledged: Acknowledged, findings: Findings) -> None:
    """Compare the acknowledgements to clients with the commits."""
    findings.lose(*(f"a valid command was refused: {refusal}" for refusal in acknowledged.refused))
    findings.stick(*(f"never answered: {silence}" for silence in acknowledged.unanswered))
    for service in ALL_FOUR:
        acknowledgements = [given for given in acknowledged.commands if given.service == service]
        findings.count("acknowledged commands", service, len({given.command_id for given in acknowledgements}))
        findings.count("stored commits", service, len(evidence.commits[service]))
        findings.count("stored events", service, len(evidence.raws[service]))
        _count_undone(evidence, service, findings)
        _check_stored_once(evidence, service, acknowledgements, findings)
        _check_chains(evidence, service, findings)
        _check_policies(evidence, service, findings)


def _count_undone(evidence: Evidence, service: str, findings: Findings) -> None:
    """Count the voids, and the recommendations that were sent back, deferred, or adopted more than once."""
    data = [(event.subject, event.data) for event in evidence.recorded(service).values()]
    findings.count("  voids", service, sum(isinstance(each, Voiding) for _, each in data))
    if service == "recommendations":
        outcomes = [each.outcome for _, each in data if isinstance(each, CommitteeDispositionRecorded)]
        findings.count("  returned or deferred", service, sum(each in ("returned", "deferred") for each in outcomes))
        adopted = [subject for subject, each in data if isinstance(each, RecommendationAdopted)]
        findings.count("  adopted anew", service, len(repeated(adopted)))


def _check_stored_once(
    evidence: Evidence, service: str, acknowledgements: list[Acknowledgement], findings: Findings
) -> None:
    by_command = {commit["command_id"]: commit for commit in evidence.commits[service]}
    ids = {key: event.id for key, event in evidence.recorded(service).items()}
    for given in acknowledgements:
        commit = by_command.get(given.command_id)
        if commit is None:
            findings.lose(
                f"{service}: command {given.command_id} on {given.stream} was acknowledged, and is not stored"
            )
            continue
        stream, first, last = commit["_id"]["s"], commit["_id"]["v"], commit["last"]
        events = tuple(ids.get((stream, version), "") for version in range(first, last + 1))
        if (stream, last, events) != (given.stream, given.version, given.events):
            findings.lose(f"{service}: command {given.command_id} is stored, but differs from its acknowledgement")
    commands = [commit["command_id"] for commit in evidence.commits[service]]
    findings.double(*(f"{service}: command {command} is stored twice" for command in repeated(commands)))
    findings.double(*(f"{service}: event {event} is stored twice" for event in repeated(ids.values())))


def _check_chains(evidence: Evidence, service: str, findings: Findings) -> None:
    raws = evidence.raws[service]
    for (stream, version), event in evidence.recorded(service).items():
        previous = raws.get((stream, version - 1)) if version > 1 else None
        if version > 1 and previous is None:
            findings.lose(f"{service}: {stream} has no version {version - 1}")
        elif event.previoushash != (sha256_hex(previous) if previous is not None else ZERO_HASH):
            findings.lose(f"{service}: {stream} version {version} does not continue version {version - 1}")


def _check_policies(evidence: Evidence, service: str, findings: Findings) -> None:
    """Check that no policy ran twice on an event, and each on every event that holds, for each stream concerned."""
    reactions: dict[tuple[str | None, str, str], list[Key]] = defaultdict(list)
    for key, event in evidence.recorded(service).items():
        if event.actor.startswith("policy:") and not event.actor.startswith("policy:send"):
            reactions[event.causationid, event.actor, key[0]].append(key)
    findings.double(
        *(
            f"{service}: {actor} ran twice on event {cause}, for {on}"
            for (cause, actor, on), keys in reactions.items()
            if len({k[1] for k in keys}) > 1
        )
    )
    causes = {(cause, on) for cause, _, on in reactions}
    for event in holding(evidence.recorded(service).values()):
        for on in _expected(event):
            if (event.id, on) not in causes:
                findings.stick(f"{service}: no policy ran on {event.subject} version {event.streamversion}, for {on}")


def _expected(event: Recorded) -> list[str]:
    """Return the streams that a policy must update after an event."""
    data, key = event.data, event.subject.partition("/")[2]
    match type(data).__name__:
        case "NominationAccepted":
            return [f"membership/{key}"]
        case "RecommendationMerged" if into := getattr(data, "into", None):
            return [f"recommendation/{into}"]
        case "RecommendationSuperseded" if by := getattr(data, "by", None):
            return [f"recommendation/{by}"]
        case "RecommendationSplit" if parts := getattr(data, "into", None):
            return [f"recommendation/{part}" for part in parts]
        case "MembershipBegan" if replaced := getattr(data, "replaces", None):
            return [f"membership/{replaced}"]
        case _:
            return []
