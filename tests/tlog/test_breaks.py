"""A declared break says what it says under both keys, and bytes that anybody else made are none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.tlog.breaks import LogBreak, is_break, names_old_key, old_signers
from shared.tlog.checkpoints import Checkpoint
from shared.tlog.notes import NotANote, Note, Signer

OLD, NEW, THIEF = (Signer.generate(f"throughline.{name}/meetings") for name in ("old", "new", "new"))
OTHER_OLD = Signer.generate(OLD.name)
AT = datetime(2041, 1, 2, 3, 4, 5, tzinfo=UTC)
BREAK = LogBreak(NEW.verifier, OLD.name, 7, b"r" * 32, AT, ("events from position 7 on", "uploaded documents"))


def test_a_break_that_both_keys_sign_is_read_back() -> None:
    raw = BREAK.signed(NEW, OLD)
    assert is_break(raw)
    assert LogBreak.opened(raw) == BREAK
    assert old_signers(raw, [NEW.verifier, OTHER_OLD.verifier, OLD.verifier]) == (OLD.verifier,)
    assert names_old_key(raw) == OLD.verifier.key_id.hex()


def test_without_the_old_key_nobody_has_signed_for_the_old_log() -> None:
    raw = BREAK.signed(NEW, None)
    assert LogBreak.opened(raw) == BREAK
    assert old_signers(raw, [OLD.verifier]) == ()
    assert names_old_key(raw) is None


def test_the_signature_of_another_key_of_that_name_is_not_the_old_logs() -> None:
    raw = BREAK.signed(NEW, OTHER_OLD)
    assert old_signers(raw, [OLD.verifier]) == ()
    assert names_old_key(raw) == OTHER_OLD.verifier.key_id.hex()


def test_a_signature_under_the_old_keys_id_that_is_not_its_own_is_no_note() -> None:
    true, false = OLD.sign(BREAK.text), OTHER_OLD.sign(BREAK.text)
    forged = Note(BREAK.text, (NEW.sign(BREAK.text), type(true)(OLD.name, true.key_id, false.signed))).raw()
    with pytest.raises(NotANote, match="not that of its key"):
        old_signers(forged, [OLD.verifier])


def test_the_new_key_must_sign_it() -> None:
    for note in (Note(BREAK.text, (OLD.sign(BREAK.text),)), Note(BREAK.text, (THIEF.sign(BREAK.text),))):
        with pytest.raises(NotANote, match="the key of the new log"):
            LogBreak.opened(note.raw())


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("/v1", "/v2"),
        lambda text: text.replace("\n7\n", "\n-7\n"),
        lambda text: text.replace("\n7\n", "\n07\n"),
        lambda text: text.replace("2041-01-02T", "2041-1-2T"),
        lambda text: text.replace("lost: uploaded", "uploaded"),
        lambda text: text.replace(OLD.name, NEW.name),
        lambda text: "\n".join(text.split("\n")[:4]) + "\n",
    ],
)
def test_a_text_of_another_form_is_no_break(change) -> None:  # type: ignore[no-untyped-def]
    text = change(BREAK.text)
    assert text != BREAK.text
    with pytest.raises(NotANote):
        LogBreak.opened(Note(text, (NEW.sign(text), OLD.sign(text))).raw())


def test_a_break_is_never_taken_for_a_checkpoint_nor_the_other_way_round() -> None:
    with pytest.raises(NotANote):
        Checkpoint.parse(BREAK.text)
    checkpoint = Checkpoint(NEW.name, 7, b"r" * 32).signed(NEW).raw()
    assert not is_break(checkpoint)
    with pytest.raises(NotANote):
        LogBreak.opened(checkpoint)
