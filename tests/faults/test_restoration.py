"""A store and ledger put back from a log's entries: the same commits and positions, in an empty database only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest

from shared.ledger.commit_feed import bytes_of
from shared.ledger.ledger import Ledger
from shared.ledger.restoration import CannotRestore, Restoration
from shared.tlog.breaks import LogBreak
from shared.tlog.keys import LogKeys
from shared.tlog.merkle import leaf_hash, root_of
from shared.tlog.notes import Signer
from tests.faults.relaying import Site, a_site, running
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


def quiet(_done: int, _of: int) -> None:
    """Show nothing."""


class KilledError(Exception):
    """The process was killed."""


def killed_after(count: int, entries: list[bytes]) -> Iterator[bytes]:
    yield from entries[:count]
    raise KilledError


async def commits_of(site: Site) -> list[dict[str, Any]]:
    """Return the commits, without the digests of their commands, which no event holds."""
    return await site.database.commits.find({}, {"command_digest": 0}).sort("_id", 1).to_list(None)


async def a_lost_log(site: Site) -> tuple[list[bytes], list[dict[str, Any]]]:
    """Publish events, lose database and topic; return the entries in their order, and the commits that were."""
    async with running(site.relay()):
        await site.append(streams=6, commits=3)
        await site.until(site.appended)
    entries = [entry async for batch in Ledger(site.database).since(0) for entry in batch.entries]
    raws = await bytes_of(site.database, entries)
    commits = await commits_of(site)
    for name in ("commits", "ledger", "relay"):
        await site.database[name].delete_many({})
    await site.delete_topic()
    await site.create_topic()
    return [raws[entry.stream, entry.version] for entry in entries], commits


def a_break(site: Site, entries: list[bytes]) -> bytes:
    """Give the site's log a new origin and key, and declare the break."""
    old, new = site.keys.signer, Signer.generate(f"throughline.synthetic-2/{site.service}")
    site.keys = LogKeys(new)
    root = root_of([leaf_hash(raw) for raw in entries])
    return LogBreak(new.verifier, old.name, len(entries), root, datetime(2041, 1, 2, tzinfo=UTC)).signed(new, old)


async def test_a_restored_log_has_its_commits_and_positions_and_is_published_again(servers: Stack):
    async with a_site(servers) as site:
        entries, commits = await a_lost_log(site)
        declared, restoration = a_break(site, entries), Restoration(site.database, site.service)
        assert await restoration.declared() == []
        async with restoration.alone():
            assert await restoration.run([declared], entries, quiet) == len(entries)
        assert await restoration.declared() == [declared]
        assert await commits_of(site) == commits
        async with running(site.relay()):
            await site.append(streams=6, commits=1)
            await site.until(site.appended)
        await site.verify()


async def test_an_interrupted_restoration_goes_on_and_another_one_is_refused(servers: Stack):
    async with a_site(servers) as site:
        entries, commits = await a_lost_log(site)
        declared, restoration = a_break(site, entries), Restoration(site.database, site.service)
        with patch("shared.ledger.restoration.BATCH_ENTRIES", 4), pytest.raises(KilledError):
            await restoration.run([declared], killed_after(12, entries), quiet)
        forged = [entries[0].replace(b"Synthetic", b"Forgeries"), *entries[1:]]
        with pytest.raises(CannotRestore, match="holds another event at position 0"):
            await restoration.run([declared], forged, quiet)
        assert 0 < await restoration.run([declared], entries, quiet) < len(entries)
        assert await restoration.run([declared], entries, quiet) == 0
        assert await commits_of(site) == commits


async def test_a_database_in_use_or_not_empty_is_left_as_it_is(servers: Stack):
    async with a_site(servers) as site:
        restoration = Restoration(site.database, site.service)
        async with running(site.relay()):
            await site.append(streams=1, commits=1)
            await site.until(site.appended)
            with pytest.raises(CannotRestore, match="stop all services first"):
                async with restoration.alone():
                    pass
        with pytest.raises(CannotRestore, match="holds commits, ledger"):
            await restoration.declared()
