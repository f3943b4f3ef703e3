"""Two versions at once on one Kafka and one MongoDB, under load: nothing lost, doubled or stuck, traces identical."""

from __future__ import annotations

import random
import re
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.cli.terminal import output_of, throughline
from tests.faults.rig.acknowledged import Acknowledged
from tests.faults.rig.comparison.findings import Findings
from tests.faults.rig.comparison.report import compare, render
from tests.faults.rig.injecting.histories import readers
from tests.faults.rig.instance import Instance
from tests.faults.rig.load import Load
from tests.faults.rig.patience import AT_MOST
from tests.faults.rig.platform import run_concurrently, running
from tests.faults.rig.rig import Rig
from tests.faults.rig.version import CURRENT, NotInThisClone, Version, earlier
from tools.client.tokens import mint
from tools.deployment import grants
from tools.local.stack import ALL_FOUR

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.drill]

WRITERS_FIRST = ALL_FOUR
READERS_FIRST = tuple(reversed(ALL_FOUR))
OTHER_SHAPES = "06898ae", {"AUDIENCE": "throughline"}
"""The version before the console: other shapes of every state and trace, fewer indexes, events, fields and words."""
SAME_SHAPES: tuple[str, dict[str, str]] = "1a98947", {}
"""The version with the console, before the parts for operators: the same shapes, events and indexes."""
SEVERAL = 5
UNDECLARED = re.compile(r"(\w+): the index (\S+) of (\S+) is .*, not declared")


def version(commit: str, settings: dict[str, str]) -> Version:
    try:
        return earlier(commit, **settings)
    except NotInThisClone as reason:
        pytest.fail(str(reason))


@contextmanager
def under_load(older: Version, *, older_words: bool) -> Iterator[Rig]:
    """Run two instances of each service of an earlier version, with clients; compare everything at the end.

    With `older_words` the clients begin with commands that the earlier version takes, too.
    """
    with (
        tempfile.TemporaryDirectory(prefix="throughline-rig-", ignore_cleanup_errors=True) as home,
        running(Path(home), lambda _: None, not_ready_after=25, version=older) as platform,
    ):
        platform.add_all()
        platform.version = CURRENT
        acknowledged = Acknowledged()
        load = Load(platform, acknowledged, 1, "up", 0.3)
        load.world.older.update(ALL_FOUR if older_words else ())
        rig = Rig(platform, load, acknowledged, Findings(), random.Random(1), print, long=True)
        with load.running():
            progress(rig)
            yield rig
            progress(rig)
        for error in load.errors:
            rig.findings.stick(f"a client failed: {error}")
        compare(rig)
        print("\n".join(render(rig.findings)), f"{acknowledged.retries} retries", f"{acknowledged.slowest:.1f} s")
        assert rig.findings.none, "\n".join(rig.findings.named())
        assert_nothing_left(rig)


def progress(rig: Rig, commands: int = 40) -> None:
    assert rig.load.await_progress(commands) is not None, f"clients were not served within {AT_MOST:.0f} s"


def replace(rig: Rig, instance: Instance, by: Version) -> None:
    """End an instance, and start the same one of another version; clients go on."""
    code = instance.end()
    assert code != -signal.SIGKILL, f"{instance.name} did not end"
    instance.version = by
    instance.restart()
    progress(rig)


def prepare(rig: Rig) -> None:
    """Give MongoDB the rights and indexes of this version, while the older one runs."""
    passwords = {service: rig.platform.stack.memory.password(service) for service in ALL_FOUR}
    grants.grant(rig.platform.stack.mongodb_admin_uri, passwords)
    code, output = CURRENT.ensure_indexes(rig.platform.stack)
    assert code == 0, output


def upgrade(rig: Rig, order: tuple[str, ...], *, then_newer_words: bool = False) -> None:
    """Do what docs/upgrade.md says: rights, indexes, one instance of each service, then the other.

    With `then_newer_words` each service is sent what only the newer version takes, once it is all of that version.
    """
    prepare(rig)
    for number in (0, 1):
        for service in order:
            replace(rig, rig.platform.instances[service][number], CURRENT)
            if number == 1 and then_newer_words:
                rig.load.world.older.discard(service)
                if service == "meetings":  # an older recommendations still reads it
                    met = rig.await_that(lambda: dead_letters(rig) >= SEVERAL, "older readers met all that is new")
                    assert met, rig.findings.named()


def go_back(rig: Rig, older: Version) -> None:
    """Do what docs/upgrade.md says of an older version: stop all, drop the indexes that it names, start it."""
    for instance in rig.platform.every():
        assert instance.end() != -signal.SIGKILL
    _, output = older.ensure_indexes(rig.platform.stack)
    with MongoClient[dict[str, Any]](rig.platform.stack.mongodb_admin_uri) as client:
        for service, index, collection in UNDECLARED.findall(output):
            client[grants.database(service)][collection].drop_index(index)
    code, output = older.ensure_indexes(rig.platform.stack)
    assert code == 0, output
    for instance in rig.platform.every():
        instance.version = older
    run_concurrently([instance.restart for instance in rig.platform.every()])
    progress(rig)


def rebuild(rig: Rig) -> None:
    for service in ALL_FOUR:
        rebuild_by(rig, rig.platform.first(service))


def rebuild_by(rig: Rig, instance: Instance) -> None:
    answer = rig.client("operator", instance).operate(instance.service, "/operations/rebuild")
    assert answer is not None
    assert '"finished":true' in answer.text, answer.text[-200:]


def dead_letters(rig: Rig) -> int:
    """Return how many records some service could not decode, whatever became of them."""
    count = 0
    for service in ALL_FOUR:
        with rig.database(service) as database:
            count += database["dead_letters"].count_documents({"reason": {"$in": ["unknown_type", "schema_violation"]}})
    return count


def assert_nothing_left(rig: Rig) -> None:
    """Assert that Kafka makes the live traces again, and that no dead letter is open."""
    for service in ALL_FOUR:
        with rig.database(service) as database:
            assert database["dead_letters"].count_documents({"standing": "open"}) == 0
    urls = {f"THROUGHLINE_URL_{service.upper()}": rig.platform.first(service).url for service in ALL_FOUR}
    token = mint(rig.platform.stack.home, role="auditor", subject="synthetic")
    replayed = throughline(
        rig.platform.stack, "replay", "--from", "kafka", "--compare", THROUGHLINE_TOKEN=token, **urls
    )
    assert replayed.exit_code == 0, replayed.output
    assert "identical" in output_of(replayed)


def test_an_older_version_of_the_same_shapes_is_replaced_one_instance_after_another() -> None:
    with under_load(version(*SAME_SHAPES), older_words=False) as rig:
        upgrade(rig, READERS_FIRST)


def test_an_older_version_of_other_shapes_is_replaced_and_had_back_and_replaced_again() -> None:
    older = version(*OTHER_SHAPES)
    with under_load(older, older_words=True) as rig:
        upgrade(rig, READERS_FIRST)
        rebuild(rig)
        go_back(rig, older)
        upgrade(rig, READERS_FIRST)
        rebuild(rig)


def test_another_shape_is_rebuilt_by_three_instances_under_live_writes() -> None:
    with under_load(version(*OTHER_SHAPES), older_words=True) as rig:
        prepare(rig)
        for _ in range(6):
            progress(rig, 50)
        instances = rig.platform.instances["recommendations"]
        for instance in instances:
            replace(rig, instance, CURRENT)
        rig.platform.add("recommendations").await_ready()
        with readers(rig) as holes:
            for _ in range(3):
                run_concurrently([partial(rebuild_by, rig, each) for each in instances])
                progress(rig)
        assert not holes, holes[:3]
        for service in ("notifications", "meetings", "nominations"):
            for instance in rig.platform.instances[service]:
                replace(rig, instance, CURRENT)


def test_what_an_older_reader_does_not_know_waits_for_the_newer_one() -> None:
    with under_load(version(*OTHER_SHAPES), older_words=True) as rig:
        upgrade(rig, WRITERS_FIRST, then_newer_words=True)
        rebuild(rig)
