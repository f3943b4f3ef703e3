"""The services from outside: readiness with its reasons, versions, clocks, figures beyond an alert's bound."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from shared.events.services import SERVICES
from shared.runtime.tls import why_untrusted
from shared.runtime.version import version
from tools.deployment.doctor.outcomes import Check, Fault, Outcome, runbook

SECONDS = 15.0  # readiness waits for the database, at most for a few seconds
LOOPBACK = ("http://127.0.0.1", "http://localhost")
COMMAND_LINE = "this command line"
AWAY = f"start it, and read its log ({runbook('ThroughlineProcessDown')})"


class Bound(NamedTuple):
    """A bound of an alert: the metric, the most it may be, what is wrong above that, and the alert's name."""

    metric: str
    most: float
    says: str
    alert: str


BOUNDS = (
    Bound("throughline_store_closed", 0, "its store takes no commands", "ThroughlineStoreClosed"),
    Bound("throughline_dead_letters_open", 0, "{:.0f} dead letters are open", "ThroughlineDeadLetters"),
    Bound("throughline_stalled_streams", 0, "{:.0f} streams stand still", "ThroughlineStreamsStalled"),
    Bound("throughline_topic_differences", 0, "{:.0f} settings of its topic differ", "ThroughlineTopicDiffers"),
    Bound("throughline_clock_ahead_seconds", 20, "its clock is {:.0f} s from MongoDB's", "ThroughlineClocksDiffer"),
    Bound(
        "throughline_unpublished_age_seconds",
        60,
        "an event has waited {:.0f} s to be published",
        "ThroughlineEventsUnpublished",
    ),
    Bound(
        "throughline_unsigned_age_seconds",
        300,
        "an event has waited {:.0f} s for a signed checkpoint",
        "ThroughlineCheckpointLate",
    ),
    Bound("throughline_consumer_lag_seconds", 60, "it is {:.0f} s behind with reading", "ThroughlineReadersBehind"),
)


@dataclass
class Metrics:
    """The metrics of one process: figures by name, the largest of each, and its version."""

    figures: dict[str, float] = field(default_factory=dict)
    version: str | None = None


async def check(addresses: Mapping[str, str]) -> AsyncIterator[Outcome]:
    """Look at one instance of each service: the one that answers."""
    versions = {COMMAND_LINE: version()}
    for service in SERVICES:
        if (url := addresses.get(service)) is None:
            yield Check(service, service).not_checked(f"nothing says where it is: THROUGHLINE_URL_{service.upper()}")
            continue
        async with httpx2.AsyncClient(timeout=SECONDS, trust_env=not url.startswith(LOOPBACK)) as client:
            for outcome in [each async for each in _of_service(client, service, url, versions)]:
                yield outcome
    yield compare(versions)


async def _of_service(
    client: httpx2.AsyncClient, service: str, url: str, versions: dict[str, str]
) -> AsyncIterator[Outcome]:
    about = Check(service, f"{url}/readyz")
    try:
        ready = await client.get(f"{url}/readyz")
        metrics = await client.get(f"{url}/metrics")
    except httpx2.HTTPError as error:
        yield about.wrong(_why_away(error), AWAY)
        return
    for outcome in about.judge(readiness(ready), "ready"):
        yield outcome
    about = Check(service, f"{url}/metrics")
    if metrics.status_code != httpx2.codes.OK:
        yield about.not_checked(f"the answer is {metrics.status_code}: ask from within, a front withholds them")
        return
    try:
        read = read_metrics(metrics.text)
    except ValueError:
        yield about.not_checked("the answer is no metrics: ask from within")
        return
    if read.version is not None:
        versions[service] = read.version
    for outcome in about.judge(beyond(read.figures), "nothing that an alert would go off for"):
        yield outcome


def _why_away(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"is not trusted: {why_untrusted(cause)}"
        if isinstance(cause, ssl.SSLError):
            return f"speaks no TLS, or another kind ({cause.reason})"
        cause = cause.__cause__ or cause.__context__
    return f"does not answer ({type(error).__name__})"


def readiness(answer: httpx2.Response) -> Iterator[Fault]:
    """Yield what keeps a service from being ready, and what an operator is to see to."""
    try:
        content: Any = answer.json()
        troubles, warnings = content["troubles"], content.get("warnings", {})
    except (ValueError, KeyError, TypeError, AttributeError):
        yield f"the answer, {answer.status_code}, is no service's", "name the service's own address"
        return
    for name, trouble in troubles.items():
        yield f"not ready: {name}: {trouble}", runbook("ThroughlineNotReady")
    for name, warning in warnings.items():
        yield f"{name}: {warning}", runbook("ThroughlineNotReady")


def read_metrics(text: str) -> Metrics:
    """Read the metrics of a process."""
    metrics = Metrics()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "throughline_build_info":
                metrics.version = sample.labels["version"]
            metrics.figures[sample.name] = max(abs(sample.value), metrics.figures.get(sample.name, 0.0))
    return metrics


def beyond(figures: Mapping[str, float]) -> Iterator[Fault]:
    """Yield the figures that an alert goes off for."""
    for bound in BOUNDS:
        if (figure := figures.get(bound.metric, 0.0)) > bound.most:
            yield bound.says.format(figure), runbook(bound.alert)


def compare(versions: Mapping[str, str]) -> Outcome:
    """Return whether all services run in one version, which is that of the declarations in use here too."""
    about = Check("versions", ", ".join(versions))
    if len(versions) == 1:
        return about.not_checked("no service told its version")
    if len(set(versions.values())) > 1:
        says = ", ".join(f"{name} is {each}" for name, each in versions.items())
        return about.wrong(says, f"end the upgrade (docs/upgrade.md, {runbook('ThroughlineVersionsMixed')})")
    return about.fine(f"all {versions[COMMAND_LINE]}")
