"""A machine under a cluster: kernel settings, links, rules of the firewall, mounts, groups; and putting them back."""

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
from typing import NamedTuple

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
    *("net/netfilter/nf_conntrack_tcp_timeout_close_wait", "net/bridge/bridge-nf-call-iptables"),
    *("net/bridge/bridge-nf-call-ip6tables", "net/ipv6/conf/all/forwarding"),
)
TABLES = [(program, table) for program in ("iptables", "ip6tables") for table in ("filter", "nat", "mangle", "raw")]
CHAINS = ("KUBE", "CNI")
# folders outside its own in which kubelet, containerd and the network's plugins keep what they made
SHARED = tuple(
    map(Path, ("/run/netns", "/var/lib/cni", "/var/lib/cni/results", "/var/log/containers", "/var/lib/kubelet"))
)
GROUPS = ("kubepods", "*/kubepods")


class Missing(Exception):
    """A program or a right that a cluster needs; the message says how to get it."""


class State(NamedTuple):
    """The part of a machine that a cluster changes, as it is at one time."""

    sysctls: dict[str, str]
    rules: dict[tuple[str, str], tuple[str, ...]]
    links: frozenset[str]
    sets: frozenset[str]
    files: frozenset[Path]


def check() -> None:
    """Look for the programs of the machine. Raises Missing, with the line to type."""
    if os.geteuid() != 0:
        raise Missing("a cluster needs root: containers, a bridge and rules of the firewall are made")
    if absent := [package for program, package in PROGRAMS.items() if shutil.which(program) is None]:
        raise Missing(f"apt-get install --no-install-recommends {' '.join(sorted(set(absent)))}")
    if Path("/sys/class/net/docker0").exists():
        raise Missing("another engine uses docker0, and its firewall would cut pods off: stop it first")
    if list(_groups()):
        raise Missing("another kubelet has pods here: a cluster of tests would end them")


def address() -> str:
    """Return this machine's own address, by which the kubelet is reached."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))  # sends nothing
        return str(probe.getsockname()[0])


def look() -> State:
    """Look at the machine."""
    present = {name: path for name in SYSCTLS if (path := Path("/proc/sys") / name).exists()}
    sets = subprocess.run(["ipset", "list", "-name"], capture_output=True, text=True, check=False).stdout.split()
    return State(
        {name: path.read_text().strip() for name, path in present.items()},
        {(program, table): tuple(_rules(program, table)) for program, table in TABLES},
        frozenset(path.name for path in Path("/sys/class/net").iterdir()),
        frozenset(sets),
        frozenset(path for folder in SHARED if folder.is_dir() for path in (folder, *folder.iterdir())),
    )


def restore(before: State, folder: Path) -> list[str]:
    """Remove what a cluster leaves behind; return what is still there."""
    _remove_groups()
    now = look()
    for mount in sorted(_mounts(folder, now.files - before.files), reverse=True):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)
    for link in now.links - before.links:
        subprocess.run(["ip", "link", "delete", link], capture_output=True, check=False)
    for program, table in TABLES:
        _clear(program, table)
    for name in now.sets - before.sets:
        subprocess.run(["ipset", "destroy", name], capture_output=True, check=False)
    for path in sorted(now.files - before.files, reverse=True):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for name, value in before.sysctls.items():
        with suppress(OSError):
            (Path("/proc/sys") / name).write_text(value)
    return _differences(before, look(), folder)


def _differences(before: State, now: State, folder: Path) -> list[str]:
    left = [
        f"{name} is {now.sysctls.get(name)}" for name, value in before.sysctls.items() if now.sysctls[name] != value
    ]
    left += [" ".join(table) for table, rules in before.rules.items() if now.rules[table] != rules]
    left += [f"link {link}" for link in now.links - before.links]
    left += [f"set {name}" for name in now.sets - before.sets]
    left += [str(path) for path in now.files - before.files]
    left += [f"group {group}" for group in _groups()]
    return left + [f"mount {mount}" for mount in _mounts(folder, ())]


def end_shims(containerd: str) -> None:
    """Kill what holds containers of a containerd that is gone."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = path.read_bytes().decode(errors="replace").split("\0")
            if "containerd-shim" in words[0] and containerd in words:
                os.kill(int(path.parent.name), signal.SIGKILL)
    time.sleep(1)


def _mounts(folder: Path, files: Iterator[Path] | frozenset[Path] | tuple[()]) -> Iterator[str]:
    for line in Path("/proc/mounts").read_text().splitlines():
        if (where := line.split()[1]).startswith(f"{folder}/") or Path(where) in files:
            yield where


def _groups() -> Iterator[Path]:
    for pattern in GROUPS:
        yield from Path("/sys/fs/cgroup").glob(pattern)


def _remove_groups() -> None:
    """End the processes of pods that are left, and remove the groups, the innermost first."""
    groups = [path for root in _groups() for path in [*root.rglob("*"), root] if path.is_dir()]
    for process in {int(each) for group in groups for each in (group / "cgroup.procs").read_text().split()}:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    until = time.monotonic() + 5
    while (left := [group for group in groups if group.exists()]) and time.monotonic() < until:
        for group in sorted(left, reverse=True):
            with suppress(OSError):
                group.rmdir()
        time.sleep(0.1)


def _clear(program: str, table: str) -> None:
    """Delete the rules that lead to chains of the cluster, then the chains."""
    rules = [line for line in _rules(program, table) if any(f"{chain}-" in line for chain in CHAINS)]
    for kind, verb in (("-A", "-D"), ("-N", "-F"), ("-N", "-X")):
        for line in rules:
            words = shlex.split(line)
            if words[0] == kind:
                rest = words[1:] if kind == "-A" else words[1:2]
                subprocess.run([program, "--wait", "-t", table, verb, *rest], capture_output=True, check=False)


def _rules(program: str, table: str) -> list[str]:
    command = [program, "--wait", "-t", table, "-S"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
