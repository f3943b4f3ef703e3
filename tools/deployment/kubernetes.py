"""Resources of Kubernetes operators, from deploy/: Strimzi's topics and users, MongoDB's rights, Prometheus's rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from shared.events.services import SERVICES
from shared.runtime.topic_declaration import read_topics
from tools.client.stack_home import database
from tools.deployment import kafka_users
from tools.files import CHECKOUT, write

TOPICS = CHECKOUT / "deploy/topics.yaml"
MONGODB = CHECKOUT / "deploy/mongodb.yaml"
RULES = CHECKOUT / "deploy/observability/prometheus/rules/throughline.yml"
OPTIONS = CHECKOUT / "deploy/kubernetes/options"
CLUSTER = {"strimzi.io/cluster": "kafka"}
API = "kafka.strimzi.io/v1"
HEAD = "# Made from deploy/{source} by `throughline deploy kubernetes`; the tests compare the two: change it there.\n"
_RESOURCES = {"write": "topic", "read": "topic", "join": "group"}
Resource = dict[str, Any]


def topics(declaration: Path = TOPICS) -> list[Resource]:
    """Return a KafkaTopic for each declared topic, as a cluster of three brokers has it."""
    declared = read_topics(declaration, "deployed")
    config = {**declared.config, **declared.config_when_created}
    return [
        _resource("KafkaTopic", name, {"partitions": partitions, "replicas": declared.replication, "config": config})
        for name, partitions in declared.partitions.items()
    ]


def users(declaration: Path = kafka_users.DECLARATION) -> list[Resource]:
    """Return a KafkaUser with the declared rights for each declared user; each logs in by SCRAM-SHA-512."""
    declared = yaml.safe_load(declaration.read_text(encoding="utf-8"))
    return [
        _resource("KafkaUser", user, {"authentication": _login(user), "authorization": _rights(declared, rights)})
        for user, rights in declared["users"].items()
    ]


def _resource(kind: str, name: str, spec: Resource) -> Resource:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, "labels": CLUSTER}, "spec": spec}


def _login(user: str) -> Resource:
    """Return the login of a user: the password of its own Secret, which a service reads as a file."""
    password = {"name": f"{user}-secrets", "key": "throughline_kafka_password"}
    return {"type": "scram-sha-512", "password": {"valueFrom": {"secretKeyRef": password}}}


def _rights(declared: Mapping[str, Any], rights: Mapping[str, Sequence[str]]) -> Resource:
    acls = [
        {
            "resource": {"type": _RESOURCES[right], "name": name, "patternType": "literal"},
            "operations": [_camel(operation) for operation in declared["operations"][right]],
        }
        for right, names in rights.items()
        for name in names
    ]
    return {"type": "simple", "acls": acls}


def _camel(operation: str) -> str:
    """Return an operation as Strimzi writes it: DESCRIBE_CONFIGS is DescribeConfigs."""
    return operation.title().replace("_", "")


def rights(declaration: Path = MONGODB) -> Resource:
    """Return the part of the MongoDBCommunity that has a role and a user for each service, and the deploying user."""
    declared = yaml.safe_load(declaration.read_text(encoding="utf-8"))
    roles = [
        {"role": service, "db": database(service), "privileges": _privileges(declared, service), "roles": []}
        for service in SERVICES
    ]
    services = [_user(name, database(name), f"{name}-secrets", name) for name in SERVICES]
    deploying = _user("admin", "admin", "mongodb-administrator", "dbAdminAnyDatabase")
    spec = {"security": {"roles": roles}, "users": [*services, deploying]}
    metadata = {"name": "mongodb"}
    return {
        "apiVersion": "mongodbcommunity.mongodb.com/v1",
        "kind": "MongoDBCommunity",
        "metadata": metadata,
        "spec": spec,
    }


def _privileges(declared: Mapping[str, Any], service: str) -> list[Resource]:
    """Return the privileges of a service in its own database, as MongoDB's createRole takes them."""
    actions = {"": declared["database"]["actions"]} | {
        collection: declared[kind]["actions"]
        for kind in ("insert_only", "read_write")
        for collection in declared[kind]["collections"]
    }
    return [
        {"resource": {"db": database(service), "collection": collection}, "actions": allowed}
        for collection, allowed in actions.items()
    ]


def _user(name: str, of: str, secret: str, role: str) -> Resource:
    return {
        "name": name,
        "db": of,
        "passwordSecretRef": {"name": secret, "key": "throughline_mongodb_password"},
        "roles": [{"name": role, "db": of}],
        "scramCredentialsSecretName": f"{name}-mongodb",
    }


def alerts(declaration: Path = RULES) -> Resource:
    """Return the PrometheusRule that has the groups of the rules which Prometheus reads elsewhere."""
    groups = yaml.safe_load(declaration.read_text(encoding="utf-8"))["groups"]
    metadata = {"name": "throughline"}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": metadata,
        "spec": {"groups": groups},
    }


class _WithoutAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Write a text of several lines as it is."""
        return self.represent_scalar("tag:yaml.org,2002:str", text, "|" if "\n" in text else None)


_WithoutAliases.add_representer(str, _WithoutAliases.represent_text)


def files() -> Iterator[tuple[Path, str]]:
    """Yield the path below deploy/kubernetes/options, and the content, of each file that is made."""
    yield Path("strimzi/topics.yaml"), _text("topics.yaml", topics())
    yield Path("strimzi/users.yaml"), _text("kafka.yaml", users())
    yield Path("mongodb/rights.yaml"), _text("mongodb.yaml", [rights()])
    yield Path("prometheus/rules.yaml"), _text("observability/prometheus/rules/throughline.yml", [alerts()])


def _text(source: str, resources: Sequence[Resource]) -> str:
    dumped = (yaml.dump(resource, Dumper=_WithoutAliases, sort_keys=False, width=120) for resource in resources)
    return HEAD.format(source=source) + "---\n".join(dumped)


def drift(options: Path = OPTIONS) -> list[Path]:
    """Return the files that are absent, or not as they would be made."""
    return [
        path
        for path, content in files()
        if not (options / path).is_file() or (options / path).read_bytes() != content.encode()
    ]


def make(options: Path = OPTIONS) -> list[Path]:
    """Write the files that differ, and return their paths. Raises OSError."""
    differing = drift(options)
    for path, content in files():
        if path in differing:
            write(options / path, content, mode=0o644)
    return differing
