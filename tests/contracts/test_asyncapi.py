"""The AsyncAPI documents: every reference resolves, and the content agrees with the code and topics.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.consumer.decoding import decode_record
from shared.consumer.record import ConsumedEvent
from shared.events.catalogue import EVENTS, SERVICES
from shared.events.envelope import EVENT_LIMIT
from shared.ledger.checkpoint_topic import CHECKPOINTS, partition_of
from shared.ledger.relay import CONTENT_TYPE
from shared.tlog.checkpoints import Checkpoint
from tests.contracts.corpus import golden
from tests.history import History
from tests.proofs import TRUST
from tools.contracts.files import CHECKOUT, DOCUMENTS, TOPICS

FOLDER = CHECKOUT / DOCUMENTS
DECLARED = yaml.safe_load(TOPICS.read_text())


class Dangling(Exception):
    """A reference that does not resolve."""


def document(path: Path) -> Any:
    """Return the parsed document; JSON is YAML."""
    if not path.exists():
        raise Dangling(f"there is no {path}")
    return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


def resolve(reference: str, home: Path) -> tuple[Any, Path]:
    """Return the target of a reference, through further references, and the file of the target."""
    file, _, pointer = reference.partition("#")
    where = (home.parent / file).resolve() if file else home
    target = document(where)
    for step in pointer.split("/")[1:]:
        if step not in target:
            raise Dangling(f"{reference} in {home.name}: there is no {step}")
        target = target[step]
    return resolve(target["$ref"], where) if isinstance(target, dict) and "$ref" in target else (target, where)


def references(value: Any) -> Iterator[str]:
    """Yield every reference in a document."""
    match value:
        case {"$ref": reference}:
            yield reference
        case dict():
            for member in value.values():
                yield from references(member)
        case list():
            for item in value:
                yield from references(item)


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def home(service: str) -> Path:
    return FOLDER / f"{service}.yaml"


def test_there_is_one_document_for_each_service() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{service}.yaml" for service in SERVICES}


def test_every_reference_resolves(home: Path) -> None:
    refs = list(references(document(home)))
    assert len(refs) > len(EVENTS) / 4
    assert all(resolve(reference, home)[0] for reference in refs)


def test_a_dangling_reference_is_noticed(home: Path) -> None:
    for broken in ("#/components/messages/throughline.archives.Lost.v1", "../../shared/events/schemas/lost.json"):
        with pytest.raises(Dangling):
            resolve(broken, home)


def test_a_service_publishes_all_its_own_events_and_no_other(service: str, home: Path) -> None:
    content = document(home)
    sends = [operation for operation in content["operations"].values() if operation["action"] == "send"]
    assert [operation["channel"]["$ref"] for operation in sends] == [
        f"#/channels/throughline.{service}",
        "#/channels/throughline.checkpoints",
    ]
    published = content["channels"][f"throughline.{service}"]["messages"]
    assert published.keys() == {name for name, event in EVENTS.items() if event.service == service}


def test_a_service_consumes_the_topics_that_its_projection_names(service: str, home: Path) -> None:
    content = document(home)
    receives = [operation for operation in content["operations"].values() if operation["action"] == "receive"]
    channels = [resolve(operation["channel"]["$ref"], home)[0] for operation in receives]
    assert sorted(channel["address"] for channel in channels) == sorted(
        import_module(f"services.{service}.projection").TOPICS
    )
    for channel in channels:
        owner = channel["address"].removeprefix("throughline.")
        assert channel["messages"].keys() == {name for name, event in EVENTS.items() if event.service == owner}


def test_every_message_has_its_schema_and_the_common_trait(home: Path) -> None:
    messages = document(home)["components"]["messages"]
    for name, message in messages.items():
        schema, where = resolve(message["payload"]["schema"]["$ref"], home)
        assert (schema["$id"], where.parent.name) == (f"urn:throughline:schema:{name}", "schemas")
        assert message["payload"]["schemaFormat"] == "application/schema+json;version=draft-2020-12"
        trait, _ = resolve(message["traits"][0]["$ref"], home)
        assert trait["contentType"].startswith("application/cloudevents+json")
        assert trait["bindings"]["kafka"]["key"]["type"] == "string"
        headers, _ = resolve(trait["headers"]["$ref"], home)
        assert headers["required"] == ["content-type", "position", "leaf", "proof"]
        assert trait["correlationId"]["location"].removeprefix("$message.payload#/") in schema["required"]


def test_a_channel_is_the_topic_that_the_deployment_declares(service: str, home: Path) -> None:
    channel = document(home)["channels"][f"throughline.{service}"]
    kafka = channel["bindings"]["kafka"]
    assert kafka["topic"] == channel["address"] == f"throughline.{service}"
    assert kafka["partitions"] == DECLARED["topics"][f"throughline.{service}"]["partitions"]
    settings = kafka["topicConfiguration"]
    assert settings["retention.ms"] == settings["retention.bytes"] == -1
    assert settings["max.message.bytes"] == DECLARED["config"]["max.message.bytes"] > EVENT_LIMIT
    assert ",".join(settings["cleanup.policy"]) == DECLARED["config"]["cleanup.policy"]


def test_the_checkpoint_topic_has_the_partition_of_each_service(home: Path) -> None:
    channel = document(home)["channels"][CHECKPOINTS]
    assert channel["address"] == CHECKPOINTS
    assert channel["bindings"]["kafka"]["partitions"] == DECLARED["checkpoints"][CHECKPOINTS]["partitions"]
    assert sorted(partition_of(service) for service in SERVICES) == list(
        range(channel["bindings"]["kafka"]["partitions"])
    )
    Checkpoint.parse(channel["messages"]["checkpoint"]["payload"]["examples"][0])


def test_the_headers_are_those_that_the_relay_sends_and_a_consumer_requires(home: Path) -> None:
    content = document(home)
    headers = content["components"]["schemas"]["headers"]["properties"]
    assert ("content-type", headers["content-type"]["const"].encode()) == CONTENT_TYPE
    name, raw = next((name, raw) for name, raw in golden().items() if name in content["components"]["messages"])
    record = History().record("synthetic/example", raw, EVENTS[name].service)
    assert {header for header, _ in record.headers} | {"content-type"} == headers.keys()
    assert isinstance(decode_record(record, TRUST), ConsumedEvent)
    for header in ("position", "proof"):
        incomplete = replace(record, headers=tuple(pair for pair in record.headers if pair[0] != header))
        assert decode_record(incomplete, TRUST).reason == "unsigned"
