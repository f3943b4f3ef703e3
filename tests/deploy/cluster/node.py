"""A whole Kubernetes on this machine: etcd, the control plane, and one node with containerd, kubelet and kube-proxy.

It needs root. Pods get addresses of a bridge of its own; nothing listens beyond loopback but the kubelet.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.deploy.cluster import machine
from tools.local import ports

PARTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
SERVICES, PODS, BRIDGE = "10.96.0.0/16", "10.88.0.0/16", "k8s0"
PLUGINS = Path("/usr/lib/cni")
STARTS_SECONDS = 180.0


class NotReady(Exception):
    """A part of the cluster, or something in it, that did not become ready; the message has its last lines."""


@dataclass
class Node:
    """The running cluster: its files are below `folder`, its parts are links to one program."""

    folder: Path
    program: Path
    ports: tuple[int, int, int] = field(default_factory=lambda: _free_ports())
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def containerd(self) -> str:
        return str(self.folder / "run/containerd.sock")

    def kubectl(self, *arguments: str, text: str | None = None, timeout: float = 120) -> str:
        """Run kubectl and return what it prints. Raises NotReady, also for a warning of what Pod Security refuses."""
        command = [str(self.folder / "bin/kubectl"), f"--kubeconfig={self.folder}/kubeconfig", *arguments]
        ran = subprocess.run(command, input=text, capture_output=True, text=True, timeout=timeout, check=False)
        if ran.returncode or "would violate PodSecurity" in ran.stderr:
            raise NotReady(f"kubectl {' '.join(arguments)[:120]}: {(ran.stderr or ran.stdout)[-2_000:]}")
        return ran.stdout

    def get(self, *arguments: str) -> Any:
        """Return what `kubectl get` prints as JSON."""
        return json.loads(self.kubectl("get", *arguments, "--output=json"))

    def apply_again(self, *named: str, text: str | None = None) -> None:
        """Apply what is applied already. Raises NotReady where that changes an object, or makes another."""
        before = self._stored(*named, text=text)
        self.kubectl("apply", *named, text=text, timeout=300)
        after = self._stored(*named, text=text)
        if changed := [" ".join(name) for name in after if after[name] != before.get(name)]:
            raise NotReady(f"a second apply changes {', '.join(changed)}")

    def _stored(self, *named: str, text: str | None) -> dict[tuple[str, str], Any]:
        """Return what an apply may change: which object it is, its generation, and what has none."""
        listed = json.loads(self.kubectl("get", *named, "--output=json", text=text))["items"]
        about = {(each["kind"], each["metadata"]["name"]): each for each in listed}
        return {
            name: [each["metadata"]["uid"], each["metadata"].get("generation"), each.get("data"), each.get("spec")]
            for name, each in about.items()
        }

    def load_images(self, archive: Path) -> None:
        """Load images that `docker save` wrote into the node's store."""
        command = ["ctr", f"--address={self.containerd}", "--namespace=k8s.io", "images", "import", str(archive)]
        _run(command)

    def wait(self, what: str, *condition: str, seconds: float = STARTS_SECONDS) -> None:
        """Wait for a condition of objects. Raises NotReady, with what their namespace looks like."""
        try:
            self.kubectl("wait", *condition, f"--timeout={seconds:.0f}s", timeout=seconds + 30)
        except NotReady as fault:
            pods = self.kubectl("get", "pods,jobs", "--all-namespaces", "--output=wide")
            raise NotReady(f"{what}: {fault}\n{pods}") from None

    def start(self, name: str, *arguments: str, log: str | None = None) -> subprocess.Popen[bytes]:
        """Start a part in the background; its output goes to a file of its name."""
        own = self.folder / "bin" / name
        command = [str(own) if own.exists() else name, *arguments]
        with (self.folder / f"{log or name}.log").open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, cwd=self.folder, start_new_session=True)
        self.processes.append(process)
        return process

    def enforce_policies(self, program: Path) -> None:
        """Start what enforces network policies, which nothing of Kubernetes itself does."""
        (self.folder / "bin/policies").symlink_to(program)
        self.start(
            "policies", f"--kubeconfig={self.folder}/kubeconfig", "--hostname-override=one",
            f"--service-cluster-ip-range={SERVICES}",
        )  # fmt: skip

    def until(self, name: str, ready: Sequence[str]) -> None:
        """Wait until a command succeeds. Raises NotReady, with the last lines of the part."""
        until = time.monotonic() + STARTS_SECONDS
        while subprocess.run(ready, capture_output=True, check=False).returncode:
            if time.monotonic() > until or self.processes[-1].poll() is not None:
                raise NotReady(f"{name}: {(self.folder / f'{name}.log').read_text(errors='replace')[-2_000:]}")
            time.sleep(0.5)


@contextmanager
def answering(folder: Path, program: Path) -> Iterator[Node]:
    """Run an API of Kubernetes alone, which changes nothing on the machine. Raises NotReady."""
    node = Node(folder, program)
    try:
        _prepare(node)
        _start_api(node)
        yield node
    finally:
        _end_parts(node)


@contextmanager
def running(folder: Path, program: Path) -> Iterator[Node]:
    """Run a cluster below `folder`; at its end the machine is as it was. Raises NotReady."""
    machine.check()
    before = machine.look()
    node = Node(folder, program)
    try:
        _prepare(node)
        _start_api(node)
        _start_controllers(node)
        _start_node(node)
        yield node
    finally:
        _end(node)
        if left := machine.restore(before, folder):
            raise NotReady(f"the machine is not as it was: {', '.join(left)}")


def _free_ports() -> tuple[int, int, int]:
    etcd, peers = (first := ports.choose(())), ports.choose((first,))
    return etcd, peers, ports.choose((etcd, peers))


def _prepare(node: Node) -> None:
    for name in ("bin", "run", "cni", "certificates"):
        (node.folder / name).mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        (node.folder / "bin" / part).symlink_to(node.program)
    _run(["openssl", "genrsa", "-out", f"{node.folder}/accounts.key", "2048"])
    _run(["openssl", "rsa", "-in", f"{node.folder}/accounts.key", "-pubout", "-out", f"{node.folder}/accounts.pub"])
    token = secrets.token_hex(16)
    _write(node.folder / "tokens.csv", f"{token},admin,admin,system:masters\n")
    server = {"server": f"https://127.0.0.1:{node.ports[2]}", "insecure-skip-tls-verify": True}
    context = {"cluster": "own", "user": "admin"}
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "own", "cluster": server}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "own", "context": context}],
        "current-context": "own",
    }
    _write(node.folder / "kubeconfig", json.dumps(kubeconfig))


def _start_api(node: Node) -> None:
    folder, kubeconfig = node.folder, f"--kubeconfig={node.folder}/kubeconfig"
    clients, peers, secure = node.ports
    at, among = f"http://127.0.0.1:{clients}", f"http://127.0.0.1:{peers}"
    node.start(
        "etcd", f"--data-dir={folder}/etcd", f"--listen-client-urls={at}",
        f"--advertise-client-urls={at}", f"--listen-peer-urls={among}",
        f"--initial-advertise-peer-urls={among}", f"--initial-cluster=default={among}", "--unsafe-no-fsync",
    )  # fmt: skip
    node.start(
        "kube-apiserver", f"--etcd-servers={at}", "--bind-address=127.0.0.1",
        f"--advertise-address={machine.address()}", "--endpoint-reconciler-type=none", f"--secure-port={secure}",
        f"--cert-dir={folder}/certificates", "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder}/accounts.pub",
        f"--service-account-signing-key-file={folder}/accounts.key", f"--token-auth-file={folder}/tokens.csv",
        "--authorization-mode=Node,RBAC", f"--service-cluster-ip-range={SERVICES}", "--allow-privileged=true",
        "--kubelet-preferred-address-types=InternalIP",
    )  # fmt: skip
    node.until("kube-apiserver", [str(folder / "bin/kubectl"), kubeconfig, "get", "--raw", "/readyz"])


def _start_controllers(node: Node) -> None:
    folder, kubeconfig = node.folder, f"--kubeconfig={node.folder}/kubeconfig"
    node.start(
        "kube-controller-manager", kubeconfig, f"--service-account-private-key-file={folder}/accounts.key",
        f"--root-ca-file={folder}/certificates/apiserver.crt", "--use-service-account-credentials=false",
        "--leader-elect=false", "--allocate-node-cidrs=false", "--secure-port=0",
    )  # fmt: skip
    node.start("kube-scheduler", kubeconfig, "--leader-elect=false", "--secure-port=0")


def _start_node(node: Node) -> None:
    folder, kubeconfig = node.folder, f"--kubeconfig={node.folder}/kubeconfig"
    bridge: dict[str, Any] = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
    }
    bridge["ipam"] = {
        "type": "host-local",
        "dataDir": f"{folder}/addresses",
        "ranges": [[{"subnet": PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    plugins = [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}]
    _write(folder / "cni/10-pods.conflist", json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": plugins}))
    _write(folder / "containerd.toml", CONTAINERD.format(folder=folder, plugins=PLUGINS, socket=node.containerd))
    node.start("containerd", f"--config={folder}/containerd.toml")
    node.until("containerd", ["ctr", f"--address={node.containerd}", "version"])
    own = {
        "containerRuntimeEndpoint": f"unix://{node.containerd}",
        "podLogsDir": f"{folder}/logs",
        "volumePluginDir": f"{folder}/plugins",
    }
    _write(folder / "kubelet.json", json.dumps(KUBELET | own))
    node.start(
        "kubelet", kubeconfig, f"--config={folder}/kubelet.json", f"--root-dir={folder}/kubelet",
        f"--cert-dir={folder}/kubelet-certificates", "--hostname-override=one", f"--node-ip={machine.address()}",
    )  # fmt: skip
    node.start(
        "kube-proxy", kubeconfig, "--hostname-override=one", "--proxy-mode=iptables", f"--cluster-cidr={PODS}",
        "--conntrack-max-per-core=0",
    )  # fmt: skip
    node.until("kubelet", [str(folder / "bin/kubectl"), kubeconfig, "get", "node", "one"])
    node.wait("the node", "--for=condition=Ready", "node/one")


def _end(node: Node) -> None:
    """End the pods, then the parts, the last first."""
    with suppress(NotReady, subprocess.TimeoutExpired):
        node.kubectl("delete", "namespace", "throughline", "--grace-period=1", "--timeout=40s", "--ignore-not-found")
    _end_parts(node)
    machine.end_shims(node.containerd)


def _end_parts(node: Node) -> None:
    for process in reversed(node.processes):
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
    for process in node.processes:
        process.kill()
        process.wait()


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)


def _run(command: Sequence[str]) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise NotReady(f"{command[0]}: {(ran.stderr or ran.stdout)[-2_000:]}")


CONTAINERD = """\
version = 2
root = "{folder}/containerd"
state = "{folder}/run/containerd"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
"""
KUBELET: dict[str, Any] = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    "failCgroupV1": False,
    "failSwapOn": False,
    "cgroupDriver": "cgroupfs",
    "cgroupsPerQOS": True,
    "enforceNodeAllocatable": [],
    "clusterDNS": ["10.96.0.10"],
    "clusterDomain": "cluster.local",
    "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
    "authorization": {"mode": "AlwaysAllow"},
    "readOnlyPort": 0,
    "healthzPort": 0,
    "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "100Mi"},
    "localStorageCapacityIsolation": False,
    "resolvConf": "/etc/resolv.conf",
}
