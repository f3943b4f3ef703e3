"""The AsyncAPI 3.0 document of each service: its topics, and the messages that it publishes and consumes."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from shared.events.canonical import leaf_hash
from shared.events.catalogue import EVENTS, SERVICES
from shared.events.envelope import EVENT_LIMIT
from shared.events.event import Event
from shared.tlog.checkpoints import Checkpoint
from shared.tlog.merkle import EMPTY_ROOT

CLOUDEVENTS = "application/cloudevents+json; charset=UTF-8"
SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
SCHEMAS = "../../shared/events/schemas"
KAFKA_BINDING = "0.5.0"
ABOUT_EVENTS = (
    "An event is a CloudEvent in structured mode. Its bytes are RFC 8785 canonical JSON without nulls and floats, at "
    f"most {EVENT_LIMIT} of them, encoded once and identical in the store, on the topic and in an export. Its "
    "`streamversion` counts from 1 within its stream. Consumers must accept identical duplicates."
)
CHECKPOINTS = "throughline.checkpoints"
EXAMPLE_CHECKPOINT = Checkpoint("throughline.example/meetings", 0, EMPTY_ROOT).text
EXAMPLE_STREAM = "recommendation/CED/2022/R1"

HEADERS: dict[str, Any] = {
    "type": "object",
    "required": ["content-type", "position", "leaf", "proof"],
    "properties": {
        "content-type": {"type": "string", "const": CLOUDEVENTS},
        "position": {
            "type": "string",
            "pattern": "^(0|[1-9][0-9]{0,15})$",
            "description": "the event's place in its service's ledger, in decimal, from 0, without a gap",
            "examples": ["0"],
        },
        "leaf": {
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "description": "RFC 6962 leaf hash of the value's bytes, SHA-256 in hex",
            "examples": [leaf_hash(b"")],
        },
        "proof": {
            "type": "string",
            "format": "binary",
            "description": "proof that a key of this service's log signed these bytes for this position, in bytes: "
            "version 1 (1 byte), key id (4), first position of the batch (8), its size (2), Ed25519 signature (64), "
            "RFC 6962 inclusion path in the batch (32 each). A record without a valid proof is nothing: docs/proofs.md",
        },
    },
}
KEY: dict[str, Any] = {
    "type": "string",
    "maxLength": 300,
    "description": "the event's stream, which is its `subject`: the events of a stream keep their order",
    "examples": [EXAMPLE_STREAM],
}


def documents(topics: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the documents by service; `topics` is the content of deploy/topics.yaml."""
    return {
        declared["service"]: _document(topic, declared["service"], topics)
        for topic, declared in topics["topics"].items()
    }


def _document(own: str, service: str, topics: dict[str, Any]) -> dict[str, Any]:
    consumed: tuple[str, ...] = import_module(f"services.{service}.projection").TOPICS
    used = sorted({own, *consumed}, key=lambda topic: (topic != own, topic))
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:throughline:service:{service}",
        "info": {
            "title": f"Throughline: {service}",
            "version": "1.0.0",
            "description": f"The events that the service {service} publishes and consumes. {ABOUT_EVENTS}",
        },
        "defaultContentType": CLOUDEVENTS,
        "channels": {
            **{topic: _channel(topic, topics) if topic == own else _of_sibling(topic, topics) for topic in used},
            CHECKPOINTS: _checkpoints(topics),
        },
        "operations": {
            "publish": _operation("send", own, "The relay publishes every event of this service's event store."),
            "publish.checkpoints": _operation("send", CHECKPOINTS, "The signer publishes checkpoints of the ledger."),
            **{
                f"hear.{topic.rpartition('.')[2]}": _operation(
                    "receive", topic, "Journal and fold the events; see the table in this service's subscribers.py."
                )
                for topic in sorted(consumed)
            },
        },
        "components": {
            "messages": {event.type_name(): _message(event) for event in _events(own, topics)},
            "messageTraits": {"event": _TRAIT},
            "schemas": {"headers": HEADERS},
        },
    }


def _events(topic: str, topics: dict[str, Any]) -> list[type[Event]]:
    service = topics["topics"][topic]["service"]
    return [event for _, event in sorted(EVENTS.items()) if event.service == service]


def _channel(topic: str, topics: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": topic,
        "description": f"Every event of the service {topics['topics'][topic]['service']}, kept for ever.",
        "messages": {
            event.type_name(): {"$ref": f"#/components/messages/{event.type_name()}"}
            for event in _events(topic, topics)
        },
        "bindings": _bindings(topic, topics["topics"][topic]["partitions"], topics["config"]),
    }


def _checkpoints(topics: dict[str, Any]) -> dict[str, Any]:
    note = "A C2SP signed note: origin, size and root of a service's ledger, signed with its log's key (Ed25519)."
    return {
        "address": CHECKPOINTS,
        "description": "The signed checkpoints of every service; each service has a partition of its own.",
        "messages": {
            "checkpoint": {
                "name": "checkpoint",
                "summary": note,
                "contentType": "text/plain; charset=UTF-8",
                "payload": {"type": "string", "examples": [EXAMPLE_CHECKPOINT]},
                "bindings": {
                    "kafka": {"key": {"type": "string", "enum": [*SERVICES]}, "bindingVersion": KAFKA_BINDING}
                },
            }
        },
        "bindings": _bindings(CHECKPOINTS, topics["checkpoints"][CHECKPOINTS]["partitions"], topics["config"]),
    }


def _bindings(topic: str, partitions: int, config: dict[str, Any]) -> dict[str, Any]:
    return {
        "kafka": {
            "topic": topic,
            "partitions": partitions,
            "topicConfiguration": {**config, "cleanup.policy": [config["cleanup.policy"]]},
            "bindingVersion": KAFKA_BINDING,
        }
    }


def _of_sibling(topic: str, topics: dict[str, Any]) -> dict[str, Any]:
    return {"$ref": f"{topics['topics'][topic]['service']}.yaml#/channels/{topic}"}


def _operation(action: str, topic: str, summary: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{topic}"}, "summary": summary}


_TRAIT: dict[str, Any] = {
    "contentType": CLOUDEVENTS,
    "headers": {"$ref": "#/components/schemas/headers"},
    "correlationId": {
        "location": "$message.payload#/correlationid",
        "description": "the chain of cause and effect that the event belongs to",
    },
    "bindings": {"kafka": {"key": KEY, "bindingVersion": KAFKA_BINDING}},
}


def _message(event: type[Event]) -> dict[str, Any]:
    return {
        "name": event.type_name(),
        "title": event.__name__,
        "summary": inspect.getdoc(event),
        "traits": [{"$ref": "#/components/messageTraits/event"}],
        "payload": {
            "schemaFormat": SCHEMA_FORMAT,
            "schema": {"$ref": f"{SCHEMAS}/{event.type_name()}.json"},
        },
    }
