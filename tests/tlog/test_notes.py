"""Signed notes, checkpoints and cosignatures, against the examples of golang.org/x/mod/sumdb/note and C2SP."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import pytest

from shared.tlog.checkpoints import Checkpoint, cosign, cosigned, opened
from shared.tlog.notes import COSIGNATURE, NotAKey, NotANote, Note, Signer, Verifier, verified

SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
SUM_DB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
COSIGNED = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
NOW = datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)
LOG, OTHER = Signer.generate("synthetic.example/log"), Signer.generate("synthetic.example/log")
WITNESS = Signer.generate("synthetic.example/witness", COSIGNATURE)
CHECKPOINT = Checkpoint(LOG.name, 7, b"\1" * 32)


def test_keys_are_those_of_the_go_example() -> None:
    signer = Signer.parse(SKEY)
    assert signer.skey == SKEY
    assert signer.verifier.vkey == VKEY
    assert Verifier.parse(VKEY + "\n") == signer.verifier
    assert Verifier.parse(SUM_DB).vkey == SUM_DB


def test_a_note_is_that_of_the_go_example() -> None:
    note = Note.parse(NOTE.encode())
    assert note.raw() == NOTE.encode()
    assert verified(note, [Verifier.parse(VKEY), Verifier.parse(SUM_DB)]) == (Verifier.parse(VKEY),)
    assert Note(note.text, (Signer.parse(SKEY).sign(note.text),)) == note


def test_a_private_key_is_not_shown() -> None:
    assert SKEY[-20:] not in repr(Signer.parse(SKEY)) + str(Signer.parse(SKEY))


@pytest.mark.parametrize("text", [NOTE.replace("answer", "question"), NOTE.replace("x08go/ZJ", "x08go/ZK")])
def test_a_note_that_was_changed_is_not_verified(text: str) -> None:
    with pytest.raises(NotANote, match="PeterNeumann"):
        verified(Note.parse(text.encode()), [Verifier.parse(VKEY)])


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"text\n", b"text\n\n", b"text\n\n\n", b"text\n\nno signature\n", b"text\n\n\xe2\x80\x94 n AAAA\n"),
        *(b"\xff\n\n", NOTE.encode()[:-1], NOTE.replace("— ", "- ").encode(), NOTE.replace(",", ",\r").encode()),
        NOTE.replace("nAM=", "nAN=").encode(),
        *(NOTE.encode() + b"\n", NOTE.encode() + NOTE.encode().split(b"\n\n")[1] * 100, NOTE.encode() + b"x"),
    ],
)
def test_an_invalid_note_is_refused(raw: bytes) -> None:
    with pytest.raises(NotANote):
        Note.parse(raw)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "a+b",
        "a b+00000000+AAAA",
        VKEY.replace("c74f", "c74e"),
        VKEY.replace("Peter", "Paul"),
        VKEY[:-4],
        f"{VKEY}!",
    ],
)
def test_an_invalid_key_is_refused(key: str) -> None:
    with pytest.raises(NotAKey):
        Verifier.parse(key)
    with pytest.raises(NotAKey) as refused:
        Signer.parse(f"PRIVATE+KEY+{key}")
    assert not key or key not in str(refused.value)
    with pytest.raises(NotAKey, match="not a private key"):
        Signer.parse(key)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_a_name_that_no_key_has(name: str) -> None:
    with pytest.raises(NotAKey):
        Signer.generate(name)


def test_a_checkpoint_is_signed_and_opened() -> None:
    raw = CHECKPOINT.signed(LOG).raw()
    assert opened(raw, [OTHER.verifier, LOG.verifier])[::2] == (CHECKPOINT, (LOG.verifier,))
    assert opened(raw, [OTHER.verifier])[2] == ()
    assert raw.startswith(f"synthetic.example/log\n7\n{b64encode(b'1' * 0 + bytes([1]) * 32).decode()}\n\n".encode())


@pytest.mark.parametrize(
    "text", ["", "a\n", "a\n1\n", "\n1\nAA==\n", "a\n01\nAA==\n", "a\n-1\nAA==\n", "a\n1\nAA==\n", "a\n1\n!\n", "a\n1"]
)
def test_an_invalid_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NotANote):
        Checkpoint.parse(text)


def test_the_example_of_a_cosigned_checkpoint_is_read() -> None:
    checkpoint, note, keys = opened(COSIGNED.encode(), [])
    assert (checkpoint.origin, checkpoint.size, keys) == ("example.com/behind-the-sofa", 20852163, ())
    assert [signature.name for signature in note.signatures] == [checkpoint.origin, "witness.example.com/w1"]
    assert int.from_bytes(note.signatures[1].signed[:8], "big") == 1679315147


def test_a_witness_vouches_for_a_checkpoint() -> None:
    note = cosign(CHECKPOINT.signed(LOG), WITNESS, NOW)
    vouching = cosigned(Note.parse(note.raw()), [LOG.verifier, WITNESS.verifier])
    assert [(each.witness.name, each.at) for each in vouching] == [("synthetic.example/witness", NOW)]
    assert opened(note.raw(), [LOG.verifier])[2] == (LOG.verifier,)
    assert len(cosign(note, WITNESS, NOW).signatures) == 2
    assert Signer.parse(WITNESS.skey) == WITNESS


def test_a_cosignature_of_another_checkpoint_is_refused() -> None:
    note = cosign(CHECKPOINT.signed(LOG), WITNESS, NOW)
    moved = Note(note.text.replace("\n7\n", "\n8\n"), note.signatures)
    with pytest.raises(NotANote, match="witness"):
        cosigned(moved, [WITNESS.verifier])
    with pytest.raises(ValueError, match="not a witness's"):
        cosign(note, LOG, NOW)
