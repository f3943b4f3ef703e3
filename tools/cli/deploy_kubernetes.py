"""`throughline deploy kubernetes`: the resources of Kubernetes operators that are made from deploy/."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tools.client.errors import BadInput, Failure, exits
from tools.deployment import kubernetes
from tools.render.terminal import print_line


def make(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The folder options of deploy/kubernetes.")
    ] = kubernetes.OPTIONS,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; name what differs.")] = False,
) -> None:
    """Make what deploy/ declares into resources of Kubernetes operators: topics, users, rights, alerts.

    Example: throughline deploy kubernetes --check

    Strimzi reads KafkaTopic and KafkaUser, the operator of MongoDB the roles and users of its set, that of Prometheus a
    PrometheusRule. What the jobs make on servers without an operator comes from the same declarations.

    Exit code: 0 when the files are as declared; 1 when --check finds one that is not; 2 for bad input.
    """
    with exits():
        if not folder.is_dir():
            raise BadInput(f"DIR: {folder} is no folder: name deploy/kubernetes/options.")
        differing = kubernetes.drift(folder) if check else _write(folder)
        listed = ", ".join(map(str, differing))
        if check and differing:
            raise Failure(f"Not as declared: {listed}. Run: throughline deploy kubernetes")
        print_line(f"Made: {listed}." if differing else "The resources of operators are as declared.")


def _write(folder: Path) -> list[Path]:
    try:
        return kubernetes.make(folder)
    except OSError as fault:
        raise BadInput(f"DIR: {fault}") from None
