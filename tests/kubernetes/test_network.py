"""deploy/kubernetes: the policies allow what the table of docs/kubernetes.md shows, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from tests.kubernetes.picture import INGRESS, MAIL_SERVER, NAMES, PROMETHEUS, PROVIDER, SERVERS, Way, allowed
from tests.kubernetes.rendering import Object, Rendered, rendered

pytestmark = pytest.mark.xdist_group("kubernetes")
NAMESPACE = "kubernetes.io/metadata.name"
INTRUDER = "a pod of no name"


def pods(objects: Rendered) -> dict[str, dict[str, str]]:
    """Return the labels of each kind of pod; servers that an overlay lacks have those that operators give."""
    labels = {name: {"app.kubernetes.io/name": name} for name in SERVERS} | {INTRUDER: {"app": "intruder"}}
    return labels | {workload.name: workload.labels for workload in objects.workloads}


def chooses(selector: Object, labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {}).items() <= labels.items()
    return wanted and all(
        labels.get(each["key"]) in each["values"] and each["operator"] == "In"
        for each in selector.get("matchExpressions", ())
    )


def ways(objects: Rendered) -> Iterator[Way]:
    """Yield each way that the policies allow: where both ends are pods of ours, out of one and into the other."""
    policies, labels = objects.of("NetworkPolicy"), pods(objects)
    for name, own in labels.items():
        for rule in rules(policies, own, "egress", "Egress"):
            for target, port in targets(rule, labels):
                if target not in labels or admits(policies, labels[target], own, port):
                    yield Way(name, target, port)
        for rule in rules(policies, own, "ingress", "Ingress"):
            for peer in rule.get("from", ()):
                if "namespaceSelector" in peer:
                    yield from (Way(outside(peer), name, port) for port in ports(rule))


def rules(policies: list[Object], labels: dict[str, str], direction: str, kind: str) -> Iterator[Object]:
    chosen = [each["spec"] for each in policies if chooses(each["spec"]["podSelector"], labels)]
    assert any(kind in each["policyTypes"] for each in chosen), f"nothing is denied: {labels}"
    for spec in chosen:
        yield from spec.get(direction, ())


def targets(rule: Object, labels: dict[str, dict[str, str]]) -> Iterator[tuple[str, str]]:
    for peer in rule.get("to", ({},)):
        inside = "podSelector" in peer and "namespaceSelector" not in peer
        named = [name for name, own in labels.items() if inside and chooses(peer["podSelector"], own)]
        yield from ((name, port) for name in (named if inside else [outside(peer)]) for port in ports(rule))


def admits(policies: list[Object], labels: dict[str, str], source: dict[str, str], port: str) -> bool:
    return any(
        peer.keys() == {"podSelector"} and chooses(peer["podSelector"], source)
        for rule in rules(policies, labels, "ingress", "Ingress")
        if port in ports(rule)
        for peer in rule["from"]
    )


def outside(peer: Object) -> str:
    """Return the name in the table of something outside: a namespace, a block of addresses, or anywhere."""
    if "ipBlock" in peer:
        assert ip_network(peer["ipBlock"]["cidr"]).num_addresses == 1, "the whole Internet is no provider"
        return {"203.0.113.10/32": PROVIDER, "203.0.113.25/32": MAIL_SERVER}[peer["ipBlock"]["cidr"]]
    return {
        "kube-system": NAMES,
        "ingress": INGRESS,
        "monitoring": PROMETHEUS,
    }[peer["namespaceSelector"]["matchLabels"][NAMESPACE]]


def ports(rule: dict[str, Any]) -> set[str]:
    assert rule["ports"], "a rule without ports allows all of them"
    return {f"{each['protocol']} {each['port']}" for each in rule["ports"]}


@pytest.mark.parametrize("overlay", ["production", "local"])
def test_the_policies_allow_the_table_and_nothing_else(overlay: str) -> None:
    rendered_ways = {way for way in ways(rendered(overlay)) if way.source != INTRUDER}
    assert sorted(rendered_ways - allowed(overlay)) == [], "the policies allow what the table lacks"
    assert sorted(allowed(overlay) - rendered_ways) == [], "the table has what the policies do not allow"


@pytest.mark.parametrize("overlay", ["production", "local"])
def test_a_pod_that_is_in_no_picture_reaches_names_alone(overlay: str) -> None:
    reached = {way for way in ways(rendered(overlay)) if INTRUDER in (way.source, way.target)}
    assert reached == {Way(INTRUDER, NAMES, port) for port in ("UDP 53", "TCP 53")}


def test_an_option_opens_nothing_from_or_to_a_pod_of_ours() -> None:
    before, after = rendered("production").named("NetworkPolicy"), rendered("all options").named("NetworkPolicy")
    assert {name: after[name]["spec"] for name in before} == {name: each["spec"] for name, each in before.items()}
    for name in after.keys() - before.keys():
        selector = after[name]["spec"]["podSelector"]
        chosen = {pod for pod, labels in pods(rendered("production")).items() if chooses(selector, labels)}
        assert chosen <= SERVERS.keys(), f"{name} is a policy of pods that are not the option's"


def test_every_port_of_a_policy_is_one_that_its_pods_have(objects: Rendered) -> None:
    for policy in objects.of("NetworkPolicy"):
        opened = {int(port.split()[1]) for rule in policy["spec"].get("ingress", ()) for port in ports(rule)}
        for workload in objects.workloads:
            if chooses(policy["spec"]["podSelector"], workload.labels):
                assert opened <= set(workload.ports.values()), policy["metadata"]["name"]
