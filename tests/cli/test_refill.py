"""A refill adds nothing where nothing is missing, and says what is wrong with what it was given."""

from __future__ import annotations

import pytest

from tests.cli.terminal import output_of, throughline
from tools.local.stack import Stack


@pytest.mark.servers
def test_a_whole_store_is_left_as_it_is(stack: Stack):
    done = throughline(stack, "refill", "meetings")
    assert done.exit_code == 0, done.output
    assert output_of(done) == "Refilled meetings: 0 commits and 0 ledger entries."


@pytest.mark.servers
def test_an_absent_kafka_is_unreachable(stack: Stack):
    done = throughline(stack, "refill", "meetings", "--kafka", "127.0.0.1:1")
    assert (done.exit_code, "does not answer" in output_of(done)) == (3, True), done.output


def test_an_unknown_service_is_bad_input():
    assert throughline(None, "refill", "ministries").exit_code == 2


def test_without_a_stack_the_address_of_mongodb_is_required():
    done = throughline(None, "refill", "meetings")
    assert (done.exit_code, "--mongodb URI" in output_of(done)) == (3, True), done.output
