"""Connections: the table of docs/kubernetes.md, as ways from one pod to another."""

from __future__ import annotations

import re
from typing import NamedTuple

from shared.events.services import SERVICES
from tools.files import CHECKOUT

PAGE = CHECKOUT / "docs/kubernetes.md"
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ((?:TCP|UDP) \d+(?:, (?:TCP|UDP) \d+)*) \|$", re.MULTILINE)
SERVERS = {"kafka": 9093, "mongodb": 27017}
JOBS = ("topics", "kafka-users", "indexes")
NAMES, PROVIDER, MAIL_SERVER = "the names of the cluster", "the provider", "the mail server"
INGRESS, PROMETHEUS = "the ingress controller", "Prometheus"
GROUPS = {"each service": SERVICES, "each job": JOBS, "every pod": (*SERVICES, "console", *JOBS, *SERVERS)}


class Way(NamedTuple):
    """One pod may open a connection to another, or to something outside, on a port."""

    source: str
    target: str
    port: str


def allowed(overlay: str) -> set[Way]:
    """Return the ways of the table; the local overlay has a mail server of its own, and nothing outside."""
    ways = of_the_table()
    if overlay == "local":
        ways = {way for way in ways if way.target not in (PROVIDER, MAIL_SERVER)}
        ways |= {Way("mail", NAMES, port) for port in ("UDP 53", "TCP 53")} | {Way("notifications", "mail", "TCP 2525")}
    return ways


def of_the_table() -> set[Way]:
    """Return a way for each source, target and port of the table."""
    rows = ROW.findall(PAGE.read_text())
    assert rows, "docs/kubernetes.md has no table of who reaches whom"
    return {
        Way(source, target, port)
        for sources, targets, ports in rows
        for source in GROUPS.get(sources, (sources,))
        for target in GROUPS.get(targets, (targets,))
        for port in ports.split(", ")
    }
