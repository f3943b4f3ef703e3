"""A machine under a cluster: kernel settings, a bridge, chains of the firewall, mounts; and putting them back."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROGRAMS = {
    "etcd": "etcd-server",
    "containerd": "containerd",
    "runc": "runc",
    "conntrack": "conntrack",
    "ipset": "ipset",
    "iptables": "iptables",
    "ip": "iproute2",
    "openssl": "openssl",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}
SYSCTLS = (
    *("net/ipv4/ip_forward", "net/ipv4/conf/all/route_localnet", "net/ipv4/vs/conntrack"),
    *("vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops"),
    *("net/netfilter/nf_conntrack_max", "net/netfilter/nf_conntrack_tcp_timeout_established"),
    "net/netfilter/nf_conntrack_tcp_timeout_close_wait",
)
TABLES = [(program, table) for program in ("iptables", "ip6tables") for table in ("filter", "nat", "mangle")]
CHAINS = ("KUBE", "CNI")


class Missing(Exception):
    """A program or a right that a cluster needs; the message says how to get it."""


def check() -> None:
    """Look for the programs of the machine. Raises Missing, with the line to type."""
    if os.geteuid() != 0:
        raise Missing("a cluster needs root: containers, a bridge and rules of the firewall are made")
    if absent := [package for program, package in PROGRAMS.items() if shutil.which(program) is None]:
        raise Missing(f"apt-get install --no-install-recommends {' '.join(sorted(set(absent)))}")
    if Path("/sys/class/net/docker0").exists():
        raise Missing("another engine uses docker0, and its firewall would cut pods off: stop it first")


def address() -> str:
    """Return this machine's own address, by which the kubelet is reached."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))  # sends nothing
        return str(probe.getsockname()[0])


def sysctls() -> dict[str, str]:
    """Return the kernel settings that the kubelet and kube-proxy change."""
    return {name: path.read_text().strip() for name in SYSCTLS if (path := Path("/proc/sys") / name).exists()}


def restore(before: dict[str, str], bridge: str, folder: Path) -> list[str]:
    """Remove what a cluster leaves behind; return what is still there."""
    for mount in sorted(_mounts(folder), reverse=True):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)
    subprocess.run(["ip", "link", "delete", bridge], capture_output=True, check=False)
    for program, table in TABLES:
        _clear(program, table)
    _remove_cgroups()
    for name, value in before.items():
        with suppress(OSError):
            (Path("/proc/sys") / name).write_text(value)
    now = sysctls()
    left = [f"{name} is {now[name]}, and was {value}" for name, value in before.items() if now.get(name) != value]
    left += [f"{program} {table}" for program, table in TABLES if _own(_rules(program, table))]
    return left + [f"mount {mount}" for mount in _mounts(folder)]


def end_shims(containerd: str) -> None:
    """Kill what holds containers of a containerd that is gone."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = path.read_bytes().decode(errors="replace").split("\0")
            if "containerd-shim" in words[0] and containerd in words:
                os.kill(int(path.parent.name), signal.SIGKILL)
    time.sleep(1)


def _mounts(folder: Path) -> Iterator[str]:
    for line in Path("/proc/mounts").read_text().splitlines():
        if (where := line.split()[1]).startswith(f"{folder}/"):
            yield where


def _remove_cgroups() -> None:
    """Remove the groups of pods, the innermost first; one with a process in it stays."""
    groups = [path for root in Path("/sys/fs/cgroup").glob("*/kubepods") for path in [*root.rglob("*"), root]]
    for group in sorted({path for path in groups if path.is_dir()}, reverse=True):
        with suppress(OSError):
            group.rmdir()


def _clear(program: str, table: str) -> None:
    """Delete the rules that lead to chains of the cluster, then the chains."""
    rules = _own(_rules(program, table))
    for kind, verb in (("-A", "-D"), ("-N", "-F"), ("-N", "-X")):
        for line in rules:
            words = shlex.split(line)
            if words[0] == kind:
                rest = words[1:] if kind == "-A" else words[1:2]
                subprocess.run([program, "--wait", "-t", table, verb, *rest], capture_output=True, check=False)


def _own(rules: list[str]) -> list[str]:
    return [line for line in rules if any(f"{chain}-" in line for chain in CHAINS)]


def _rules(program: str, table: str) -> list[str]:
    command = [program, "--wait", "-t", table, "-S"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
