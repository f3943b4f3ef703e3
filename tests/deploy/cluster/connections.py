"""Connections from the network of each pod to each port of each other: those that come about, beside those that may."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from shared.events.services import SERVICES
from tests.deploy.cluster.node import Node
from tests.kubernetes.picture import INGRESS, JOBS, NAMES, PROMETHEUS, SERVERS, Way, allowed

PROBES = Path(__file__).with_name("probes.yaml")
INTRUDER, STRANGER = "an intruder", "a pod of another namespace"
OWN = "app.kubernetes.io/name"
# namespace, name and labels of each pod that only is there
STANDING: dict[str, tuple[str, str, dict[str, str]]] = {
    **{job: ("throughline", job, {OWN: job, "app.kubernetes.io/component": "job"}) for job in JOBS},
    INTRUDER: ("throughline", "intruder", {"app": "intruder"}),
    STRANGER: ("default", "stranger", {}),
    INGRESS: ("ingress", "ingress", {}),
    PROMETHEUS: ("monitoring", "prometheus", {}),
    NAMES: ("kube-system", "names", {"k8s-app": "kube-dns"}),
}
OUTSIDE = (STRANGER, INGRESS, PROMETHEUS)
PORTS = {
    **dict.fromkeys(SERVICES, ("TCP 8000",)),
    **{name: (f"TCP {port}",) for name, port in SERVERS.items()},
    "console": ("TCP 8080", "TCP 8081"),
    "mail": ("TCP 2525",),
    NAMES: ("UDP 53", "TCP 53"),
}
PROBE = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def reached(target):
    address, port = target
    kind, number = port.split()
    try:
        with socket.socket(type=socket.SOCK_STREAM if kind == "TCP" else socket.SOCK_DGRAM) as own:
            own.settimeout(3)
            own.connect((address, int(number)))
            if kind == "UDP":
                own.send(b"?")
                return own.recv(9) == b"?"
            return True
    except OSError:
        return False
targets = json.load(sys.stdin)
with ThreadPoolExecutor(32) as pool:
    json.dump(list(pool.map(reached, targets)), sys.stdout)
"""
ANSWER = """
import socket
stream = socket.create_server(("", 53))
datagrams = socket.socket(type=socket.SOCK_DGRAM)
datagrams.bind(("", 53))
print("listening", flush=True)
while True:
    datagrams.sendto(*datagrams.recvfrom(9))
"""


class Seen(NamedTuple):
    """The ways that were tried, those of them that were there, and those that may be there."""

    tried: int
    reached: set[Way]
    allowed: set[Way]

    @property
    def faults(self) -> list[str]:
        """Return a line for each way that is there and may not be, or is not there and should be."""
        lines = [f"{way} is open" for way in sorted(self.reached - self.allowed)]
        return lines + [f"{way} is closed" for way in sorted(self.allowed - self.reached)]


def stand(node: Node) -> None:
    """Make the pods that only are there."""
    *namespaces, model = yaml.safe_load_all(PROBES.read_text())
    pods = [_standing(model, *described) for described in STANDING.values()]
    node.kubectl("apply", "--filename=-", text=yaml.safe_dump_all([*namespaces, *pods]))
    for namespace, name, _ in STANDING.values():
        node.wait(name, "--for=condition=Ready", f"pod/{name}", f"--namespace={namespace}")


def _standing(model: Mapping[str, Any], namespace: str, name: str, labels: dict[str, str]) -> Any:
    pod = copy.deepcopy(dict(model))
    pod["metadata"] = {"name": name, "namespace": namespace, "labels": labels}
    return pod


def try_all(node: Node) -> Seen:
    """Try each way from each running pod, to pods by their own addresses and by that of their Service."""
    pods, services, networks = _pods(node), _services(node), _networks()
    reached: dict[Way, list[bool]] = {}
    with _names_answer(networks[next(address for address, name in pods.items() if name == NAMES)]):
        for address, source in pods.items():
            if source in (*SERVERS, NAMES):
                continue  # these begin no connection but to names, as every pod
            targets = [
                (Way(source, target, port), other, port)
                for target, ports in PORTS.items()
                for port in ports
                for other in [own for own, name in pods.items() if name == target] + services.get((target, port), [])
                if target != source and not (source in OUTSIDE and target == NAMES)
            ]
            answers = _submit(networks[address], [(other, port) for _, other, port in targets])
            for (way, *_), answer in zip(targets, answers, strict=True):
                reached.setdefault(way, []).append(answer)
    if doubtful := [way for way, answers in reached.items() if len(set(answers)) > 1]:
        raise AssertionError(f"some of the addresses are reached, and others are not: {sorted(doubtful)}")
    picture = allowed("local") | {Way(INTRUDER, NAMES, port) for port in PORTS[NAMES]}
    return Seen(len(reached), {way for way, answers in reached.items() if all(answers)}, picture & reached.keys())


def _pods(node: Node) -> dict[str, str]:
    """Return the name in the table of each running pod, by its address."""
    standing = {(namespace, name): known for known, (namespace, name, _) in STANDING.items()}
    named = {}
    for pod in node.get("pods", "--all-namespaces", "--field-selector=status.phase=Running")["items"]:
        about = pod["metadata"]
        if "deletionTimestamp" not in about:
            known = standing.get((about["namespace"], about["name"])) or about["labels"][OWN]
            named[pod["status"]["podIP"]] = known
    return named


def _services(node: Node) -> dict[tuple[str, str], list[str]]:
    """Return the address of each Service, by its name and each port that it has."""
    return {
        (each["metadata"]["name"], f"{port['protocol']} {port['port']}"): [each["spec"]["clusterIP"]]
        for each in node.get("services", "--namespace=throughline")["items"]
        for port in each["spec"]["ports"]
    }


def _networks() -> dict[str, str]:
    """Return the name of the network namespace that has each address of a pod."""
    networks = {}
    for name in subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout.split("\n"):
        if name:
            own = name.split()[0]
            shown = subprocess.run(
                ["ip", "--netns", own, "--json", "address"], capture_output=True, text=True, check=True
            )
            for link in json.loads(shown.stdout):
                networks |= {each["local"]: own for each in link["addr_info"] if each["scope"] == "global"}
    return networks


def _submit(network: str, targets: list[tuple[str, str]]) -> list[bool]:
    command = ["ip", "netns", "exec", network, sys.executable, "-c", PROBE]
    ran = subprocess.run(command, input=json.dumps(targets), capture_output=True, text=True, check=True, timeout=60)
    answers: list[bool] = json.loads(ran.stdout)
    return answers


@contextmanager
def _names_answer(network: str) -> Iterator[None]:
    """Let something answer on the ports of a name server, which this cluster does not have."""
    command = ["ip", "netns", "exec", network, sys.executable, "-c", ANSWER]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as answering,
    ):
        try:
            assert answering.stdout is not None
            assert answering.stdout.readline(), "nothing listens for names"
            yield
        finally:
            answering.kill()
