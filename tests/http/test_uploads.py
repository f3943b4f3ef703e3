"""A role stores so many documents of such a size, and uploads so many at a time; each refusal names its limit."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorClient

from services.meetings.app import SERVICE
from services.nominations.api import GOVERNMENTS
from shared.http.app import make_app
from shared.http.auth import WRITERS, Principal
from shared.http.documents import LIMITS, MIB, UPLOADS, UPLOADS_OF_ONE, Documents, Limit, documents_router
from shared.runtime.process import lifespan_of
from shared.runtime.settings import Settings
from tests.http.asking import problem
from tests.http.attacked import ACTOR_KEY
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
SMALL = {"secretariat": Limit(2_000, 3, "the secretariat"), "focal_point": Limit(1_000, 2, "a member")}


class TokensInWords:
    """Tokens that say their caller in words: `role actor member`."""

    async def check(self, token: str, _peer: str) -> Principal:
        role, actor, member = f"{token}--".split("-")[:3]
        return Principal(actor, role, member or None)


@pytest.fixture
async def app(servers: Stack, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    monkeypatch.setattr("shared.http.documents.LIMITS", SMALL)
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(servers.mongodb_admin_uri)
    database = client[f"synthetic_{uuid4().hex[:12]}"]
    settings = Settings(
        kafka="127.0.0.1:1", mongodb=servers.mongodb_admin_uri, database=database.name, jwks="none", actor_key=ACTOR_KEY
    )
    router = documents_router(Documents(database), GOVERNMENTS, "nomination_document")
    running = make_app(SERVICE, settings, database, [router], [], lifespan_of(database, [], []))
    running.state.tokens = TokensInWords()
    yield running
    await client.drop_database(database.name)
    client.close()


async def put(app: FastAPI, content: Any, caller: str, digest: str = "") -> httpx2.Response:
    name = digest or hashlib.sha256(content).hexdigest()
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://synthetic") as web:
        return await web.put(f"/documents/{name}", content=content, headers={"Authorization": f"Bearer {caller}"})


FIJI, TUVALU, OFFICE = "focal_point-a-FJI", "focal_point-c-TUV", "secretariat-s"


async def test_a_document_past_the_size_of_the_role_is_refused(app: FastAPI) -> None:
    assert (await put(app, b"x" * 1_000, FIJI)).status_code == 201
    answer = await put(app, b"x" * 1_001, FIJI)
    assert "holds at most 1000 bytes" in problem(answer, 413, "BodyTooLarge")["detail"]
    assert (await put(app, b"x" * 1_001, OFFICE)).status_code == 201

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 999

    problem(await put(app, unannounced(), OFFICE, "0" * 64), 413, "BodyTooLarge")


async def test_documents_past_the_number_of_the_member_are_refused(app: FastAPI) -> None:
    assert (await put(app, b"Synthetic 1", FIJI)).status_code == 201
    assert (await put(app, b"Synthetic 2", "focal_point-b-FJI")).status_code == 201
    answer = await put(app, b"Synthetic 3", FIJI)
    assert problem(answer, 409, "TooManyDocuments")["detail"] == "a member may store 2 documents here, not more"
    assert (await put(app, b"Synthetic 1", FIJI)).json()["stored"] is False, "what is stored may be sent again"
    assert (await put(app, b"Synthetic 3", TUVALU)).status_code == 201
    assert (await put(app, b"Synthetic 4", OFFICE)).status_code == 201


async def test_uploads_at_a_time_are_limited_in_all_and_of_one_member(app: FastAPI) -> None:
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        await go_on.wait()

    async def begin(caller: str) -> asyncio.Task[httpx2.Response]:
        task = asyncio.create_task(put(app, slow(), caller, "0" * 64))
        await asyncio.sleep(0.2)
        return task

    begun = [await begin(FIJI) for _ in range(UPLOADS_OF_ONE)]
    problem(await put(app, b"Synthetic", "focal_point-b-FJI"), 503, "TooManyUploads")
    begun += [await begin(f"secretariat-s{n}") for n in range(UPLOADS - UPLOADS_OF_ONE)]
    refused = await put(app, b"Synthetic", TUVALU)
    assert "8 uploads at a time, 2 of one" in problem(refused, 503, "TooManyUploads")["detail"]
    assert refused.headers["Retry-After"] == "2"
    go_on.set()
    for each in await asyncio.gather(*begun):
        problem(each, 422, "DigestDiffers")
    assert (await put(app, b"Synthetic", TUVALU)).status_code == 201


def test_every_role_that_stores_has_its_limits() -> None:
    assert LIMITS.keys() == GOVERNMENTS | WRITERS
    assert LIMITS["focal_point"].size == 16 * MIB
