"""Documents: found by the digest of their bytes, never changed, for those who may."""

from __future__ import annotations

import hashlib
import os
from uuid import uuid4

import httpx2
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tests.patience import AT_MOST_SECONDS
from tools.client.tokens import mint
from tools.deployment import grants
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
CONTENT = b"Synthetic document " + os.urandom(3_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def put(
    stack: Stack,
    service: str,
    digest: str,
    content: bytes,
    role: str = "secretariat",
    content_type: str | None = "application/pdf",
) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token(stack, role)}"}
    headers |= {"Content-Type": content_type} if content_type is not None else {}
    return httpx2.put(
        f"{stack.urls[service]}/documents/{digest}", content=content, headers=headers, timeout=AT_MOST_SECONDS
    )


def get(stack: Stack, service: str, digest: str, role: str = "secretariat") -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token(stack, role)}"}
    return httpx2.get(f"{stack.urls[service]}/documents/{digest}", headers=headers, timeout=AT_MOST_SECONDS)


def token(stack: Stack, role: str) -> str:
    """Mint a token for a role, or for the focal point of a member, as in `focal_point TUV`."""
    role, _, member = role.partition(" ")
    return mint(stack.home, role=role, subject="synthetic", member=member or ("FJI" if role == "focal_point" else None))


def test_a_document_is_given_back_as_it_was_put_and_stored_once(stack: Stack):
    assert put(stack, "meetings", DIGEST, CONTENT).status_code == 201
    assert put(stack, "meetings", DIGEST, CONTENT).json() == {"digest": DIGEST, "stored": False}
    answer = get(stack, "meetings", DIGEST, "expert")
    assert (answer.content, answer.headers["Content-Type"]) == (CONTENT, "application/pdf")


def test_bytes_that_are_not_those_of_the_digest_are_not_stored(stack: Stack):
    other = hashlib.sha256(b"Synthetic other").hexdigest()
    answer = put(stack, "meetings", other, CONTENT)
    assert (answer.status_code, answer.json()["rule"]) == (422, "DigestDiffers")
    assert get(stack, "meetings", other).status_code == 404


def test_a_note_verbale_is_put_by_a_government_and_read_by_it_and_the_secretariat_only(stack: Stack):
    note = b"Synthetic note verbale " + uuid4().bytes.hex().encode()
    digest = hashlib.sha256(note).hexdigest()
    assert put(stack, "nominations", digest, note, "focal_point").status_code == 201
    for reads in ("secretariat", "focal_point"):
        assert get(stack, "nominations", digest, reads).content == note
    assert get(stack, "nominations", digest, "auditor").status_code == 403
    others = get(stack, "nominations", digest, "focal_point TUV")
    unknown = get(stack, "nominations", "0" * 64, "focal_point TUV")
    assert (others.status_code, others.json()) == (unknown.status_code, unknown.json())
    assert others.status_code == 404


def test_a_service_cannot_change_a_stored_document(stack: Stack):
    with MongoClient[dict[str, object]](stack.mongodb_uri("meetings")) as client:
        files = client[grants.database("meetings")]["documents.files"]
        with pytest.raises(OperationFailure):
            files.delete_one({"filename": DIGEST})
        with pytest.raises(OperationFailure):
            files.update_one({"filename": DIGEST}, {"$set": {"filename": "0" * 64}})


@pytest.mark.parametrize(
    "given", ["text/plain; charset=windows-1252", "text/plain", "Text/HTML; Charset=ISO-8859-1", None]
)
def test_a_content_type_is_served_as_it_was_given_and_none_is_invented(given: str | None, stack: Stack):
    content = b"Synthetic caf\xe9 " + os.urandom(16)
    digest = hashlib.sha256(content).hexdigest()
    assert put(stack, "meetings", digest, content, content_type=given).status_code == 201
    answer = get(stack, "meetings", digest)
    assert (answer.headers.get("Content-Type"), answer.content) == (given, content)
