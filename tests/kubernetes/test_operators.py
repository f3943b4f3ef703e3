"""The resources of operators are as topics.yaml, kafka.yaml, mongodb.yaml and the rules of Prometheus declare them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.runtime.topic_declaration import read_topics
from tests.cli.terminal import output_of, throughline
from tools.deployment import kafka_users, kubernetes
from tools.local.stack import ALL_FOUR, grants

OPERATIONS = {3: "Read", 4: "Write", 10: "DescribeConfigs"}
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
KINDS = {2: "topic", 3: "group"}


@pytest.fixture
def options(tmp_path: Path) -> Path:
    """A copy of deploy/kubernetes/options."""
    return Path(shutil.copytree(kubernetes.OPTIONS, tmp_path / "options"))


def loaded(file: Path) -> list[dict[str, Any]]:
    return list(yaml.load_all(file.read_text(), Loader=LOADER))


def test_the_files_in_git_are_as_declared() -> None:
    assert kubernetes.drift() == [], "run: throughline deploy kubernetes"


def test_strimzi_is_told_the_topics_that_a_service_wants_to_find(options: Path) -> None:
    declared = read_topics(kubernetes.TOPICS, "deployed")
    topics = {each["metadata"]["name"]: each["spec"] for each in loaded(options / "strimzi/topics.yaml")}
    assert {name: spec["partitions"] for name, spec in topics.items()} == dict(declared.partitions)
    for spec in topics.values():
        assert spec["replicas"] == 3
        assert spec["config"] == {**declared.config, "min.insync.replicas": "2"}


def test_strimzi_gives_the_rights_that_the_job_gives(options: Path) -> None:
    given = {
        (f"User:{user['metadata']['name']}", acl["resource"]["type"], acl["resource"]["name"], operation)
        for user in loaded(options / "strimzi/users.yaml")
        for acl in user["spec"]["authorization"]["acls"]
        for operation in acl["operations"]
    }
    assert given == {
        (acl.principal, KINDS[acl.resource], acl.name, OPERATIONS[acl.operation]) for acl in kafka_users.rights()
    }


def test_the_operator_of_mongodb_gives_the_rights_that_the_local_stack_gives(options: Path) -> None:
    (resource,) = loaded(options / "mongodb/rights.yaml")
    roles = {role["role"]: role for role in resource["spec"]["security"]["roles"]}
    assert {name: role["privileges"] for name, role in roles.items()} == {
        name: grants.privileges(name) for name in ALL_FOUR
    }
    users = {user["name"]: user for user in resource["spec"]["users"]}
    for service in ALL_FOUR:
        assert users[service]["roles"] == [{"name": service, "db": users[service]["db"]}]
        assert roles[service]["db"] == users[service]["db"] == grants.database(service)


def test_a_file_that_is_changed_by_hand_is_named_and_made_anew(options: Path) -> None:
    users = options / "strimzi/users.yaml"
    users.write_text(users.read_text().replace("- Read\n", "- Write\n", 1))
    (options / "strimzi/topics.yaml").unlink()
    (options / "mongodb/rights.yaml").write_bytes(b"\xff")
    checked = throughline(None, "deploy", "kubernetes", str(options), "--check")
    assert checked.exit_code == 1
    assert "strimzi/topics.yaml, strimzi/users.yaml, mongodb/rights.yaml." in output_of(checked)
    written = throughline(None, "deploy", "kubernetes", str(options))
    assert (written.exit_code, kubernetes.drift(options)) == (0, [])
    again = throughline(None, "deploy", "kubernetes", str(options))
    assert "are as declared" in output_of(again)


def test_a_folder_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    refused = throughline(None, "deploy", "kubernetes", str(tmp_path / "absent"))
    assert refused.exit_code == 2
    assert "name deploy/kubernetes/options" in output_of(refused)
