"""The declaration of the topics: their partitions and settings, as deploy/topics.yaml has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from shared.runtime.regular_file import read_text


@dataclass(frozen=True)
class Topics:
    """A declaration: partitions by topic, settings of all topics, and settings for new ones only."""

    partitions: Mapping[str, int]
    config: Mapping[str, str]
    replication: int
    config_when_created: Mapping[str, str]


def read_topics(path: Path, profile: str = "local") -> Topics:
    """Read a declaration, for a single node (`local`) or a cluster (`deployed`)."""
    content = yaml.safe_load(read_text(path))
    copies = {key: str(value) for key, value in content["replication"][profile].items()}
    return Topics(
        partitions={name: each["partitions"] for name, each in {**content["topics"], **content["checkpoints"]}.items()},
        config={key: str(value) for key, value in content["config"].items()},
        replication=int(copies.pop("factor")),
        config_when_created=copies,
    )
