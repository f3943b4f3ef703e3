"""Every overlay, with every option, taken by a real API of Kubernetes with the operators' own definitions.

Nothing runs there: no controller, no node. An apply is real, so that a second one and an upgrade meet what is stored.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.deploy.cluster import definitions
from tests.deploy.cluster.node import Node, NotReady, answering
from tests.deploy.report import Report
from tests.kubernetes.rendering import VARIANTS, rendered

UPGRADE = "0.2.0"
MISSPELT = """
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata: {name: misspelt, namespace: throughline, labels: {strimzi.io/cluster: kafka}}
spec: {partitions: many, replicas: 3}
"""


def run(folder: Path, program: Path, report: Report) -> None:
    """Apply each variant, again, and as an upgrade, on an API of its own."""
    schemas = definitions.files()
    report.versions["operators' schemas"] = definitions.VERSIONS
    for variant, (_, options) in VARIANTS.items():
        with (
            report.step(f"cluster's API: {variant}: applied, again, and as an upgrade") as remarks,
            answering(folder / variant.replace(" ", "-"), program) as api,
        ):
            if options:
                named = [f"--filename={file}" for file in schemas]
                api.kubectl("apply", "--server-side", *named)
                api.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
                _refuse(api)
            remarks.append(f"{_apply(api, variant)} objects")


def _apply(api: Node, variant: str) -> int:
    versions = (None,) if variant == "local" else (None, UPGRADE)
    for version in versions:
        objects = yaml.safe_dump_all(rendered(variant, version).objects)
        api.kubectl("apply", "--filename=-", text=objects)
        api.kubectl("apply", "--server-side", "--dry-run=server", "--force-conflicts", "--filename=-", text=objects)
        api.apply_again("--filename=-", text=objects)
    return len(rendered(variant).objects)


def _refuse(api: Node) -> None:
    """Show that the definitions refuse what is wrong."""
    api.kubectl("create", "namespace", "throughline")
    try:
        api.kubectl("apply", "--filename=-", text=MISSPELT)
    except NotReady as refused:
        if "spec.partitions" not in str(refused):
            raise
    else:
        raise NotReady("a topic with many partitions was admitted")
