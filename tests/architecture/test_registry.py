"""The registry of services is the only list of services that code holds; what is not derived from it is held to it."""

from __future__ import annotations

import ast
import configparser
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from shared.events.catalogue import EVENTS
from shared.events.services import REGISTRY, SERVICES, UnknownService, registered
from shared.ledger.checkpoint_topic import CHECKPOINTS, partition_of

CHECKOUT = Path(__file__).parents[2]
REGISTRY_FILE = CHECKOUT / "shared" / "events" / "services.py"
PEERS = CHECKOUT / "benchmarks" / "peers"  # programs of other environments, which import nothing of this one
TESTS = CHECKOUT / "tests"  # may hold expectations by service, and no bare list
HOW = "derive it from shared/events/services.py"


def topics() -> dict[str, dict[str, dict[str, object]]]:
    loaded: dict[str, dict[str, dict[str, object]]] = yaml.safe_load((CHECKOUT / "deploy" / "topics.yaml").read_text())
    return loaded


def contracts() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(CHECKOUT / ".importlinter")
    return parser


def literal_lists(source: str, *, tables: bool = True) -> Iterator[int]:
    """Yield the line of each tuple, list or set, and of each table of them, that holds every service's name."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
                parts = items
            case ast.Dict(keys=keys, values=values) if tables:
                parts = [*(key for key in keys if key), *values]
            case _:
                continue
        if set(SERVICES) <= {word for part in parts for word in _words(part, tables=tables)}:
            yield node.lineno


def _words(part: ast.expr, *, tables: bool) -> Iterator[str]:
    match part:
        case ast.Constant(value=str(word)):
            yield word
        case ast.Name(id=word):
            yield word
        case ast.Tuple(elts=items) | ast.List(elts=items) if tables:
            for item in items:
                yield from _words(item, tables=tables)
        case _:
            return


def sources() -> Iterator[Path]:
    for root in ("services", "shared", "tools", "benchmarks", "tests"):
        for path in sorted((CHECKOUT / root).rglob("*.py")):
            if path != REGISTRY_FILE and PEERS not in path.parents:
                yield path


def test_no_other_file_lists_the_services() -> None:
    listed = [
        f"{path.relative_to(CHECKOUT)}:{line}"
        for path in sources()
        if all(name in (text := path.read_text()) for name in SERVICES)
        for line in literal_lists(text, tables=TESTS not in path.parents)
    ]
    assert not listed, f"{HOW}: {listed}"


@pytest.mark.parametrize("listed", [repr(SERVICES), f"[{', '.join(SERVICES)}]", repr([(name, 1) for name in SERVICES])])
def test_a_list_of_the_services_is_found(listed: str) -> None:
    assert list(literal_lists(f"found = {listed}")) == [1]


def test_no_two_services_share_a_partition_of_the_checkpoints() -> None:
    declared = topics()["checkpoints"][CHECKPOINTS]["partitions"]
    assert sorted(service.checkpoint_partition for service in REGISTRY) == list(range(int(str(declared)))), (
        "deploy/topics.yaml: one partition of the topic of checkpoints for each service of the registry"
    )


def test_a_partition_of_the_checkpoints_never_changes() -> None:
    fixed = {"nominations": 0, "meetings": 1, "recommendations": 2, "notifications": 3}
    assert {name: partition_of(name) for name in fixed} == fixed


def test_an_unknown_service_has_no_partition() -> None:
    with pytest.raises(UnknownService, match="nobody: is not a service"):
        partition_of("nobody")
    with pytest.raises(UnknownService):
        registered("nobody")


def test_each_service_has_a_topic() -> None:
    declared = {name: row["service"] for name, row in topics()["topics"].items()}
    assert declared == {service.topic: service.name for service in REGISTRY}, "deploy/topics.yaml: one row each"


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_has_the_rights_on_kafka_that_it_uses(name: str) -> None:
    topic, consumed = registered(name).topic, import_module(f"services.{name}.projection").TOPICS
    rights = yaml.safe_load((CHECKOUT / "deploy" / "kafka.yaml").read_text())["users"][name]
    wanted = {"write": {topic, CHECKPOINTS}, "read": {topic, *consumed, CHECKPOINTS}, "join": {topic}}
    assert {right: set(names) for right, names in rights.items()} == wanted, f"deploy/kafka.yaml: the rights of {name}"


def test_nobody_else_than_a_service_may_write_to_kafka() -> None:
    users = yaml.safe_load((CHECKOUT / "deploy" / "kafka.yaml").read_text())["users"]
    assert {name: set(rights) for name, rights in users.items() if name not in SERVICES} == {"reader": {"read"}}
    assert set(users["reader"]["read"]) == {CHECKPOINTS, *(service.topic for service in REGISTRY)}


def test_each_service_has_a_contract_of_its_own() -> None:
    parser = contracts()
    layers = set(parser["importlinter:contract:services"]["layers"].replace("|", " ").split())
    assert layers == set(SERVICES), ".importlinter: the contract `services` lists each service"
    own = {section.rpartition(":")[2] for section in parser.sections()}
    assert set(SERVICES) <= own, ".importlinter: each service has a contract of its own name"


def test_each_service_is_a_package() -> None:
    folders = {path.parent.name for path in (CHECKOUT / "services").glob("*/app.py")}
    assert folders == set(SERVICES), "services/: one package for each service of the registry"


def test_the_readme_links_to_each_service() -> None:
    text = (CHECKOUT / "README.md").read_text()
    assert [name for name in SERVICES if f"services/{name}" not in text] == [], "README.md: its table of services"


@pytest.mark.parametrize("name", SERVICES)
def test_the_kinds_announced_are_kinds_of_the_service(name: str) -> None:
    own = import_module(f"services.{name}.projection").OWN
    service = registered(name)
    if service.announced_kinds:
        assert set(service.announced_kinds) == own.keys(), "shared/events/services.py: announced_kinds"
    assert service.person_kind is None or service.person_kind in own


def test_each_service_has_events() -> None:
    assert {event.service for event in EVENTS.values()} == set(SERVICES)


def test_the_registry_loads_nothing_else_of_the_project() -> None:
    code = "import sys, shared.events.services as _; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    heavy = ("shared.", "pydantic")
    loaded_heavy = {name for name in loaded.stdout.split() if name.startswith(heavy)}
    assert loaded_heavy == {"shared.events", "shared.events.services"}
