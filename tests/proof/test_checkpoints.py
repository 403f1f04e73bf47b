"""Checkpoints in signed-note form: published examples, rotation, cosignatures, and everything that is refused."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from proof.checkpoints import (
    COSIGNATURE,
    BrokenNoteError,
    Checkpoint,
    Note,
    cosign,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    parse_verifier_key,
    sign,
    verifier_key,
    verify_cosignature,
    verify_note,
)

ORIGIN = "permits.example/ledger"
LOG, NEXT_LOG, WITNESS = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3))
LOG_KEY, NEXT_KEY = verifier_key(ORIGIN, LOG), verifier_key(ORIGIN, NEXT_LOG)
WITNESS_KEY = verifier_key("witness.example/w1", WITNESS, COSIGNATURE)
CHECKPOINT = Checkpoint(ORIGIN, 20852163, bytes(range(32)))
AT = datetime(2026, 3, 2, 4, 5, 6, tzinfo=UTC)

# The worked example of c2sp.org/tlog-cosignature.
PUBLISHED = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501


def _note() -> Note:
    signed = sign(CHECKPOINT, LOG)
    return Note(signed.text, (*signed.signatures, cosign(signed.text, WITNESS_KEY.name, WITNESS, AT)))


def test_the_published_example_reads_and_writes_the_same() -> None:
    note = parse_note(PUBLISHED)
    assert str(note) == PUBLISHED
    assert parse_checkpoint(note.text).text == note.text
    assert int.from_bytes(note.signatures[1].content[:8], "big") == 1679315147


def test_a_published_key_and_note_verify() -> None:
    # From the documentation of Go's golang.org/x/mod/sumdb/note.
    key = parse_verifier_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert str(key) == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    line = (
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    note = parse_note(f"{text}\n{line}")
    assert verify_note(note, [key]) == [(key, None)]
    with pytest.raises(BrokenNoteError, match="does not verify"):
        verify_note(Note(text.replace("answer", "question"), note.signatures), [key])


def test_a_cosigned_checkpoint_names_its_signers_and_the_witness_s_time() -> None:
    opened = open_checkpoint(parse_note(str(_note())), ORIGIN, [NEXT_KEY, LOG_KEY], [WITNESS_KEY])
    assert opened.checkpoint == CHECKPOINT
    assert opened.signers == (LOG_KEY,)
    assert [(each.name, each.at) for each in opened.cosigned] == [(WITNESS_KEY.name, AT)]
    assert open_checkpoint(_note(), ORIGIN, [LOG_KEY]).cosigned == ()


def test_after_a_rotation_old_and_new_notes_verify_by_their_own_keys() -> None:
    for key, public in ((LOG, LOG_KEY), (NEXT_LOG, NEXT_KEY)):
        assert open_checkpoint(sign(CHECKPOINT, key), ORIGIN, [LOG_KEY, NEXT_KEY]).signers == (public,)
    with pytest.raises(BrokenNoteError, match="no known key of the log signed"):
        open_checkpoint(sign(CHECKPOINT, LOG), ORIGIN, [NEXT_KEY])


@given(where=st.integers(0, 10_000), bit=st.integers(0, 6))
def test_a_note_with_an_altered_character_does_not_verify(where: int, bit: int) -> None:
    text = str(_note())
    where %= len(text)
    altered = text[:where] + chr(ord(text[where]) ^ 1 << bit) + text[where + 1 :]
    try:
        opened = open_checkpoint(parse_note(altered), ORIGIN, [LOG_KEY], [WITNESS_KEY])
    except BrokenNoteError:
        return
    # What is left where only the name or id of a signature changed: the other one, over the same text.
    assert opened.checkpoint == CHECKPOINT
    assert not opened.cosigned


def test_a_known_key_s_broken_signature_spoils_the_note() -> None:
    note = _note()
    broken = Note(note.text.replace("20852163", "20852164"), note.signatures)
    with pytest.raises(BrokenNoteError, match="does not verify"):
        open_checkpoint(broken, ORIGIN, [LOG_KEY], [WITNESS_KEY])
    with pytest.raises(BrokenNoteError, match="does not verify"):
        verify_cosignature(broken.text, note.signatures[1], WITNESS_KEY)
    with pytest.raises(BrokenNoteError, match="is of the log"):
        open_checkpoint(note, "another.example/log", [LOG_KEY])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text without signature\n",
        "text\n\n",
        "text\n\n- dash AAAAAAAA\n",
        "text\n\n— name\n",
        "text\n\n— na+me AAAAAAAA\n",
        "text\n\n— name AAAA\n",
        "text\n\n— name AAAAAAB=\n",
        "te\txt\n\n— name AAAAAAAA\n",
        "text\n\n— name AAAAAAAA",
        "text\n\n" + "— name AAAAAAAA\n" * 65,
        "x" * 70_000,
    ],
)
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(BrokenNoteError):
        parse_note(text)


@pytest.mark.parametrize(
    "text",
    [
        "o\n1\n",
        "\n1\nAAAA\n",
        "o\n01\n" + "A" * 43 + "=\n",
        "o\n-1\n" + "A" * 43 + "=\n",
        "o\n1\nAAAA\n",
        "o\n1\n" + "A" * 43 + "=",
        "o\n٣\n" + "A" * 43 + "=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BrokenNoteError):
        parse_checkpoint(text)


def test_a_verifier_key_with_another_s_id_is_refused() -> None:
    name, key_id, key = str(LOG_KEY).split("+", 2)
    assert parse_verifier_key(str(WITNESS_KEY)) == WITNESS_KEY
    for broken in (
        f"{name}+00000000+{key}",
        f"{name}+{key_id}",
        name,
        f"{name}+{key_id}+{key[:-8]}",
        f"a b+{key_id}+{key}",
    ):
        with pytest.raises(BrokenNoteError):
            parse_verifier_key(broken)
