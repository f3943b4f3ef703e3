"""Traces and coverage on the command line, and the exit codes that tell a script of a failure."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from services.recommendations.trace import trace_bytes
from tests.cli.terminal import output_of, throughline
from tests.journey.office import Desk
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


def test_a_trace_is_printed_as_text(loaded: Stack):
    done = throughline(loaded, "trace", "CED/2022/R1")
    assert done.exit_code == 0
    assert "Commission resolution 75/4: live citation (inferred)" in output_of(done)
    assert "Session 7: endorsed on 1 December 2022" in output_of(done)
    assert "rests on" not in output_of(done)
    behind = output_of(throughline(loaded, "trace", "CED/2022/R1", "--provenance"))
    assert "rests on recommendation/CED/2022/R1 v1" in behind
    assert "recommendation/CED/2022/R1: v1 at position" in behind


def test_a_trace_for_a_script_holds_the_compared_bytes(loaded: Stack):
    answer = json.loads(throughline(loaded, "trace", "CED/2020/R1", "--format", "json").stdout)
    listed = json.loads(
        throughline(loaded, "traces", "--provision", "71-1/committee-functions", "--format", "json").stdout
    )
    assert [trace_bytes(trace) for trace in listed] == [trace_bytes(answer["trace"])]


def test_a_trace_as_of_a_day_shows_what_had_happened_by_then(loaded: Stack):
    early = throughline(loaded, "trace", "CED/2022/R1", "--as-of", "2022-12-15")
    assert "as of 15 December 2022" in output_of(early)
    assert "endorsed on 1 December 2022" in output_of(early)
    assert "2 March 2023" not in output_of(early)


def test_a_trace_that_was_not_known_by_a_time_is_not_on_record(loaded: Stack):
    done = throughline(loaded, "trace", "CED/2022/R1", "--known-at", "2001-01-01T00:00:00Z")
    assert done.exit_code == 1
    assert "not on record for that time" in output_of(done)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (("--coverage", "deep", "--theme", "Clean air for all"), {"CED/2022/R1"}),
        (("--coverage", "shallow", "--theme", "Clean air for all"), {"CED/2020/R1"}),
        (("--standing", "suspect", "--theme", "Raising climate ambition"), {"CED/2020/R1"}),
        (("--disposition", "endorsed", "--provision", "75-4/technical-support"), {"CED/2022/R1"}),
        (("--stage", "disposed", "--standing", "suspect", "--theme", "Clean air for all"), {"CED/2020/R1"}),
        (("--stage", "drafted", "--theme", "Clean air for all"), set()),
        (("--text", "RAPAP"), {"CED/2022/R1"}),
        (("--text", "CED/2022/R1"), {"CED/2022/R1"}),
        (("--text", " ced/2022/r1 "), {"CED/2022/R1"}),
        (("--text", "-RAPAP"), {"CED/2022/R1"}),
        (("--theme", "No such theme"), set()),
    ],
)
def test_traces_are_filtered(loaded: Stack, filters: tuple[str, ...], expected: set[str]):
    listing = throughline(loaded, "traces", *filters, "--format", "json")
    assert {trace["recommendation"]["reference"] for trace in json.loads(listing.stdout)} == expected
    table = throughline(loaded, "traces", *filters)
    assert table.exit_code == 0
    assert all(reference in table.stdout for reference in expected)


def test_a_focal_point_reads_the_traces_that_were_adopted_and_no_draft(loaded: Stack):
    drafted = f"SYN/2031/R{uuid4().int % 99_999 + 1}"
    office = Desk(loaded)
    office.send("recommendations", "/recommendations", reference=drafted, title="Synthetic draft")
    office.query("recommendations", f"/traces/{drafted}", at_least=1, wait=20)
    token = throughline(loaded, "token", "--role", "focal_point", "--member", "FJI").stdout.strip()
    given = ("--token", token)
    assert "live citation (inferred)" in output_of(throughline(loaded, "trace", "CED/2022/R1", *given))
    listing = throughline(loaded, "traces", "--theme", "Clean air for all", *given)
    assert all(reference in listing.stdout for reference in ("CED/2020/R1", "CED/2022/R1"))
    assert "CED/2022/R1" in throughline(loaded, "traces", "--text", "CED/2022/R1", *given).stdout
    done = throughline(loaded, "trace", drafted, *given)
    assert (done.exit_code, f"{drafted} is not on record" in output_of(done)) == (1, True)
    assert output_of(throughline(loaded, "traces", "--text", drafted, *given)) == "No traces."


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        (("--standing", "transmitted"), "--standing transmitted: is not one of its words; --stage takes it."),
        (("--stage", "transmited"), "--stage transmited: is not one of its words; they are drafted,"),
        (("--coverage", "Shalow"), "did you mean 'shallow'?"),
        (("--disposition", "endorsed with changes"), "did you mean 'endorsed_with_changes'?"),
    ],
)
def test_a_word_that_is_not_in_the_list_is_bad_input(loaded: Stack, filters: tuple[str, ...], says: str):
    done = throughline(loaded, "traces", *filters)
    assert done.exit_code == 2
    assert says in output_of(done)


def test_dead_letters_by_a_word_that_is_not_in_the_list_are_bad_input(loaded: Stack):
    done = throughline(loaded, "dead-letters", "list", "--standing", "dismised")
    assert done.exit_code == 2
    assert "did you mean 'dismissed'?" in output_of(done)


def test_coverage_is_printed_both_ways(loaded: Stack):
    table = output_of(throughline(loaded, "coverage"))
    assert "71/1 (superseded)" in table
    assert "From the recommendations" in table
    matrix = json.loads(throughline(loaded, "coverage", "--format", "json").stdout)
    assert "CED/2022/R1" in matrix["recommendations"]["deep"]
    suspect = next(item for item in matrix["provisions"] if item["provision"] == "71-1/committee-functions")
    assert suspect["recommendations"] == [{"reference": "CED/2020/R1", "standing": "suspect"}]


def test_a_reference_that_is_not_on_record_has_its_own_exit_code(loaded: Stack):
    done = throughline(loaded, "trace", "CED/1999/R1")
    assert done.exit_code == 1
    assert "CED/1999/R1 is not on record" in output_of(done)


@pytest.mark.parametrize(
    "command",
    [
        ("trace", "R1"),
        ("trace", "CED/2022/R1", "--as-of", "2022-12"),
        ("trace", "CED/2022/R1", "--known-at", "yesterday"),
        ("trace", "CED/2022/R1", "--format", "xml"),
        ("traces", "--colour", "red"),
        ("rebuild", "--service", "archives"),
        ("republish", "archives"),
        ("dead-letters", "show", "not-a-place", "--service", "meetings"),
        ("dead-letters", "list", "--service", "archives"),
    ],
)
def test_bad_input_is_refused_before_any_request(command: tuple[str, ...]):
    assert throughline(None, *command, THROUGHLINE_TOKEN="x").exit_code == 2


def test_without_a_stack_the_message_says_how_to_start_one():
    done = throughline(None, "traces")
    assert done.exit_code == 3
    assert "throughline stack up" in output_of(done)


def test_a_service_that_does_not_answer_is_unreachable(loaded: Stack):
    url = {"THROUGHLINE_URL_RECOMMENDATIONS": "http://127.0.0.1:9", "THROUGHLINE_TOKEN": "any"}
    done = throughline(loaded, "traces", **url)
    assert done.exit_code == 3
    assert "does not answer" in output_of(done)


def test_another_address_needs_a_token_of_its_own(loaded: Stack):
    url = loaded.urls["recommendations"]
    done = throughline(loaded, "traces", THROUGHLINE_URL_RECOMMENDATIONS=url)
    assert done.exit_code == 2
    assert "THROUGHLINE_TOKEN" in output_of(done)


def test_a_token_that_is_not_accepted_is_a_refusal(loaded: Stack):
    done = throughline(loaded, "traces", "--token", "not.a.token")
    assert done.exit_code == 1
    assert "TokenNotAccepted" in output_of(done)


def test_a_token_is_issued_for_a_role_and_is_accepted(loaded: Stack):
    done = throughline(loaded, "token", "--role", "expert", "--lifetime", "5m")
    assert throughline(loaded, "traces", "--token", done.stdout.strip()).exit_code == 0


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--role", "king"), 2),
        (("--role", "system"), 2),
        (("--role", "focal_point"), 2),
        (("--role", "focal_point", "--member", "USX"), 2),
        (("--role", "expert", "--lifetime", "ever"), 2),
        (("--role", "expert"), 1),
    ],
)
def test_no_token_is_issued_for_an_unknown_role_or_without_a_local_stack(options: tuple[str, ...], code: int):
    assert throughline(None, "token", *options).exit_code == code


def test_nothing_secret_is_on_standard_output_but_the_token(loaded: Stack):
    done = throughline(loaded, "token", "--role", "focal_point", "--member", "FJI")
    assert done.stdout.count("\n") == 1
    assert done.stdout.count(".") == 2
