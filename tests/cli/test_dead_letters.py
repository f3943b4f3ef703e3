"""A message that cannot be taken is listed, shown, tried again, and dismissed with a reason."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from tests.cli.terminal import output_of, throughline
from tests.patience import AT_MOST_SECONDS
from tools.client.connection import Connection
from tools.client.services import Services
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
PLACE = ("--service", "recommendations")


def sent(stack: Stack, value: bytes) -> str:
    """Put a message on a topic and return its place."""

    async def send() -> str:
        producer = AIOKafkaProducer(**stack.kafka_admin.client())
        await producer.start()
        try:
            record = await producer.send_and_wait("throughline.recommendations", value, key=b"nobody/knows")
            return f"{record.topic}/{record.partition}/{record.offset}"
        finally:
            await producer.stop()

    return asyncio.run(send())


def open_dead_letters(stack: Stack) -> list[str]:
    listing = throughline(stack, "dead-letters", "list", *PLACE, "--format", "json")
    return [dead_letter["_id"] for dead_letter in json.loads(listing.stdout)]


def is_listed(stack: Stack, dead_letter: str) -> bool:
    until = time.monotonic() + AT_MOST_SECONDS
    while dead_letter not in open_dead_letters(stack):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def test_a_dead_letter_is_shown_replayed_and_dismissed(loaded: Stack):
    dead_letter = sent(loaded, b"\xffgarbage")
    assert is_listed(loaded, dead_letter)
    assert dead_letter in throughline(loaded, "dead-letters", "list").stdout

    shown = throughline(loaded, "dead-letters", "show", dead_letter, *PLACE)
    assert json.loads(shown.stdout)["size"] == len(b"\xffgarbage")
    assert "value" not in json.loads(shown.stdout)
    assert datetime.fromisoformat(json.loads(shown.stdout)["at"]).utcoffset() == timedelta(0)

    again = throughline(loaded, "dead-letters", "replay", dead_letter, *PLACE, "--reason", "Synthetic")
    assert again.exit_code == 1
    assert "StillPoison" in output_of(again)
    assert dead_letter in open_dead_letters(loaded)

    replayed = throughline(loaded, "replay", "--compare")
    assert replayed.exit_code == 0
    assert f"{dead_letter} (unsigned)" in output_of(replayed)

    dismissed = throughline(loaded, "dead-letters", "dismiss", dead_letter, *PLACE, "--reason", "Synthetic")
    assert dismissed.exit_code == 0
    assert f"{dead_letter} is dismissed." in output_of(dismissed)
    assert dead_letter not in open_dead_letters(loaded)
    twice = throughline(loaded, "dead-letters", "dismiss", dead_letter, *PLACE, "--reason", "Synthetic")
    assert twice.exit_code == 1
    assert "OutOfOrder" in output_of(twice)


def test_dead_letters_are_listed_in_pages(loaded: Stack):
    dead_letters = [sent(loaded, b"\xffgarbage %d" % number) for number in range(3)]
    assert all(is_listed(loaded, each) for each in dead_letters)
    places: list[str] = []
    with Services(Connection(loaded.home, None), "operator") as services:
        page: dict[str, Any] = {"next": None}
        while "next" in page:
            page = services.get("recommendations", "/dead-letters", standing="all", limit=1, after=page["next"])
            assert len(page["items"]) <= 1
            places += [item["_id"] for item in page["items"]]
    assert set(dead_letters) <= set(places)
    assert len(places) == len(set(places))
    for each in dead_letters:
        throughline(loaded, "dead-letters", "dismiss", each, *PLACE, "--reason", "Synthetic")


def test_an_unknown_dead_letter_is_a_refusal(loaded: Stack):
    done = throughline(loaded, "dead-letters", "show", "throughline.meetings/0/999999", "--service", "meetings")
    assert done.exit_code == 1
    assert "NotOnRecord" in output_of(done)


def test_a_decision_needs_its_reason(loaded: Stack):
    done = throughline(loaded, "dead-letters", "dismiss", "throughline.meetings/0/1", "--service", "meetings")
    assert done.exit_code == 2
