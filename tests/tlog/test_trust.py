"""A batch signature covers its entries at their positions in their log, and nothing else; rotations move the trust."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.tlog.batches import MAX_BATCH, NotAProof, prove, signed_root
from shared.tlog.checkpoints import Checkpoint, opened
from shared.tlog.merkle import check_inclusion, leaf_hash, root_of
from shared.tlog.notes import NotANote, Note, Signer, Verifier, verified
from shared.tlog.trust import LogTrust, Rotation, UnknownKey

ORIGIN = "throughline.synthetic/meetings"
KEY, NEW, NEWEST, THIEF = (Signer.generate(ORIGIN) for _ in range(4))


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(f"synthetic {n}".encode()) for n in range(count)]


def believes(trust: LogTrust, signer: Signer, position: int, service: str = "meetings") -> bool:
    leaf = leaf_hash(b"synthetic")
    try:
        trust.check(service, position, leaf, next(prove(signer, position, [leaf])))
    except NotAProof:
        return False
    return True


@pytest.mark.slow
@given(st.integers(1, 3 * MAX_BATCH + 1), st.integers(0, 2**53))
def test_every_entry_of_every_batch_is_proven_as_rfc_6962_does(count: int, first: int) -> None:
    trust = LogTrust([KEY.verifier])
    for n, (leaf, proof) in enumerate(zip(leaves(count), prove(KEY, first, leaves(count)), strict=True)):
        trust.check("meetings", first + n, leaf, proof)
        batch = signed_root(proof, first + n, leaf)
        entries = leaves(count)[batch.first - first : batch.end - first]
        assert batch.root == root_of(entries)
        path = [proof[at : at + 32] for at in range(79, len(proof), 32)]
        check_inclusion(leaf, first + n - batch.first, batch.size, batch.root, path)


@given(st.integers(1, MAX_BATCH), st.data())
def test_no_other_bytes_position_or_proof_are_believed(count: int, data: st.DataObject) -> None:
    proofs = list(prove(KEY, 7, leaves(count)))
    at = data.draw(st.integers(0, count - 1))
    trust = LogTrust([KEY.verifier])
    trust.check("meetings", 7 + at, leaves(count)[at], proofs[at])
    other = data.draw(st.integers(0, 2 * count).filter(lambda position: position != 7 + at))
    with pytest.raises(NotAProof):
        trust.check("meetings", other, leaves(count)[at], proofs[at])
    with pytest.raises(NotAProof):
        trust.check("meetings", 7 + at, leaf_hash(b"forged"), proofs[at])
    flipped = bytearray(proofs[at])
    flipped[data.draw(st.integers(0, len(flipped) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(NotAProof):
        trust.check("meetings", 7 + at, leaves(count)[at], bytes(flipped))
    with pytest.raises(NotAProof):
        trust.check("meetings", 7 + at, leaves(count)[at], proofs[at] + bytes(data.draw(st.integers(1, 64))))


@given(st.binary(max_size=300), st.integers(0, 2**53))
def test_garbage_is_no_proof(proof: bytes, position: int) -> None:
    with pytest.raises(NotAProof):
        LogTrust([KEY.verifier]).check("meetings", position, leaf_hash(b"synthetic"), proof)


def test_a_proof_counts_for_the_log_of_its_key_only() -> None:
    trust = LogTrust([KEY.verifier, Signer.generate("throughline.synthetic/nominations").verifier])
    assert believes(trust, KEY, 3)
    assert not believes(trust, KEY, 3, "nominations")
    assert not believes(trust, THIEF, 3)


def test_a_batch_signature_is_no_checkpoint_and_a_checkpoint_signs_no_batch() -> None:
    leaf = leaf_hash(b"synthetic")
    batch = signed_root(next(prove(KEY, 0, [leaf])), 0, leaf)
    text = batch.message(ORIGIN).decode()
    with pytest.raises(NotANote):
        opened(Note(text, (KEY.sign(text),)).raw(), [KEY.verifier])
    checkpoint = Checkpoint(ORIGIN, 1, batch.root)
    assert not KEY.verifier.verifies(checkpoint.text.encode(), batch.signature)
    assert not KEY.verifier.verifies(batch.message(ORIGIN), KEY.signature(checkpoint.text.encode()))


def test_a_rotation_bounds_the_old_key_and_introduces_the_new_one() -> None:
    trust = LogTrust([KEY.verifier])
    assert not believes(trust, NEW, 10)
    assert trust.follow(Rotation(10, KEY.verifier, NEW.verifier))
    assert [believes(trust, KEY, position) for position in (9, 10)] == [True, False]
    assert [believes(trust, NEW, position) for position in (9, 10)] == [True, True]
    assert trust.is_replaced(KEY.verifier)
    assert not trust.is_replaced(NEW.verifier)


def test_a_key_believed_before_its_rotation_is_not_believed_past_it_after() -> None:
    trust = LogTrust([KEY.verifier])
    assert believes(trust, KEY, 12)
    trust.follow(Rotation(10, KEY.verifier, NEW.verifier))
    assert not believes(trust, KEY, 12)


def test_an_unknown_key_says_so_that_a_rotation_may_be_looked_for() -> None:
    leaf = leaf_hash(b"synthetic")
    with pytest.raises(UnknownKey):
        LogTrust([KEY.verifier]).check("meetings", 0, leaf, next(prove(NEW, 0, [leaf])))


@pytest.mark.parametrize("pinned", [KEY, NEW, NEWEST])
def test_a_chain_of_rotations_is_followed_from_any_of_its_keys(pinned: Signer) -> None:
    trust = LogTrust([pinned.verifier])
    rotations = [Rotation(10, KEY.verifier, NEW.verifier), Rotation(20, NEW.verifier, NEWEST.verifier)]
    for rotation in (*rotations, *reversed(rotations)):
        trust.follow(rotation)
    assert [believes(trust, KEY, position) for position in (9, 10)] == [True, False]
    assert [believes(trust, NEW, position) for position in (9, 19, 20)] == [True, True, False]
    assert believes(trust, NEWEST, 20)


def test_a_rotation_that_one_of_its_keys_did_not_sign_is_none() -> None:
    rotation = Rotation(10, KEY.verifier, NEW.verifier)
    assert Rotation.opened(rotation.signed(KEY, NEW)) == rotation
    elsewhere = Signer.generate("throughline.synthetic/nominations")
    notes = [rotation.signed(old, new) for old, new in ((KEY, THIEF), (THIEF, NEW), (THIEF, THIEF))]
    for note in (*notes, Rotation(10, KEY.verifier, elsewhere.verifier).signed(KEY, elsewhere), b"synthetic"):
        with pytest.raises(NotANote):
            Rotation.opened(note)


def test_a_rotation_between_unknown_keys_is_not_followed() -> None:
    trust = LogTrust([KEY.verifier])
    assert not trust.follow(Rotation(10, THIEF.verifier, NEW.verifier))
    assert not believes(trust, NEW, 10)


def test_a_replaced_key_vouches_for_no_position_past_its_own() -> None:
    trust = LogTrust([KEY.verifier])
    trust.follow(Rotation(10, KEY.verifier, NEW.verifier))
    trust.follow(Rotation(1_000_000, THIEF.verifier, KEY.verifier))
    assert not trust.trusts(THIEF.verifier)
    assert not believes(trust, THIEF, 10)
    trust.follow(Rotation(10, THIEF.verifier, KEY.verifier))
    assert [believes(trust, THIEF, position) for position in (9, 10)] == [True, False]


def test_a_rotation_has_two_signatures_and_a_bounded_size() -> None:
    raw = Rotation(10, KEY.verifier, NEW.verifier).signed(KEY, NEW)
    for note in (raw + raw.splitlines(keepends=True)[-1], raw + b"\xe2\x80\x94 synthetic " + b"A" * 4_000 + b"\n"):
        with pytest.raises(NotANote):
            Rotation.parse(note)


def test_only_the_first_signature_of_a_key_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []
    monkeypatch.setattr(Verifier, "verifies", lambda _key, _message, signed: checked.append(signed) or True)
    note = Note("synthetic\n", (KEY.sign("synthetic\n"),) * 50)
    assert verified(note, [KEY.verifier, NEW.verifier]) == (KEY.verifier,)
    assert len(checked) == 1


def test_the_first_rotation_of_a_key_counts() -> None:
    trust = LogTrust([KEY.verifier])
    trust.follow(Rotation(10, KEY.verifier, NEW.verifier))
    trust.follow(Rotation(5, KEY.verifier, THIEF.verifier))
    assert believes(trust, KEY, 9)
    assert not believes(trust, THIEF, 20)


def test_a_key_called_compromised_counts_for_nothing_and_introduces_no_other() -> None:
    trust = LogTrust([KEY.verifier, NEW.verifier], distrusted=[KEY.verifier.key_id.hex()])
    trust.follow(Rotation(10, KEY.verifier, THIEF.verifier))
    assert not believes(trust, KEY, 3)
    assert not believes(trust, THIEF, 20)
    assert believes(trust, NEW, 3)
