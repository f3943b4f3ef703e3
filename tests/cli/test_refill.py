"""A refill adds nothing where nothing is missing, and says what is wrong with what it was given."""

from __future__ import annotations

import pytest

from tests.cli.terminal import said, throughline
from tools.local.stack import Stack


@pytest.mark.servers
def test_a_whole_store_is_left_as_it_is(stack: Stack):
    done = throughline(stack, "refill", "meetings")
    assert done.exit_code == 0, done.output
    assert said(done) == "Refilled meetings: 0 commits and 0 ledger entries."


@pytest.mark.servers
def test_a_kafka_that_is_not_there_is_said(stack: Stack):
    done = throughline(stack, "refill", "meetings", "--kafka", "127.0.0.1:1")
    assert (done.exit_code, "does not answer" in said(done)) == (3, True), done.output


def test_what_is_no_service_is_bad_input():
    assert throughline(None, "refill", "ministries").exit_code == 2


def test_without_a_stack_it_asks_where_mongodb_is():
    done = throughline(None, "refill", "meetings")
    assert (done.exit_code, "--mongodb URI" in said(done)) == (3, True), done.output
