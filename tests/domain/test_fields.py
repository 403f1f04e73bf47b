"""Texts as they are kept: what cannot be seen is refused, and what is a name in a later Unicode is taken."""

import unicodedata
from datetime import datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.fields import Label, Line, Name, Note, Until, as_stored

KINDS = {"name": TypeAdapter(Name), "line": TypeAdapter(Line), "label": TypeAdapter(Label), "note": TypeAdapter(Note)}
INVISIBLE = {
    "hangul filler": "\u3164",
    "halfwidth filler": "\uffa0",
    "choseong filler": "\u115f",
    "jungseong filler": "\u1160",
    "braille blank": "\u2800",
    "ideographic variation": "\U000e0100",
    "variation selector": "\ufe00",
    "grapheme joiner": "\u034f",
    "khmer inherent vowel": "\u17b4",
    "mongolian selector": "\u180b",
    "reserved ignorable": "\ufff0",
    "tag plane": "\U000e0fff",
    "soft hyphen": "\u00ad",
    "zero width joiner": "\u200d",
    "lost on the way": "\ufffd",
}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("mark", sorted(INVISIBLE))
@pytest.mark.parametrize("around", ["{}", "张{}伟", "{}张伟"])
def test_what_cannot_be_seen_is_refused_in_every_text(kind: str, mark: str, around: str) -> None:
    with pytest.raises(ValidationError) as refused:
        KINDS[kind].validate_python(around.format(INVISIBLE[mark]))
    assert [error["type"] for error in refused.value.errors()] == ["bad_characters"]


@pytest.mark.parametrize(
    "ideograph",
    ["\U00030edd", "\U00031350", "\U000323af", "\U0002ebf0", "\U0002ee5d", "\U000323b0", "\U00033479", "\U00020000"],
    ids=["G", "H", "H end", "I", "I end", "J", "J end", "B"],
)
def test_ideographs_are_taken_whatever_version_of_unicode_brought_them(ideograph: str) -> None:
    assert KINDS["name"].validate_python(f"王{ideograph}") == f"王{ideograph}"


@pytest.mark.parametrize("mark", ["\U0002ffff", "\U0003fffe", "\uffff", "\ufdd0", "\U000f0000", "\ue000", "\u0378"])
def test_what_is_no_character_is_refused(mark: str) -> None:
    with pytest.raises(ValidationError):
        KINDS["name"].validate_python(f"王{mark}")


def test_a_note_may_have_an_emoji_as_a_picture() -> None:
    assert KINDS["note"].validate_python("Thanks \u2764\ufe0f") == "Thanks \u2764\ufe0f"


@pytest.mark.parametrize("sent", [" 金秀兰 ", "\uf90a秀兰", unicodedata.normalize("NFD", "José")])
def test_a_text_is_looked_up_in_the_form_in_which_it_is_kept(sent: str) -> None:
    assert as_stored(sent) == KINDS["name"].validate_python(sent)


def test_the_last_day_may_be_the_end_of_a_period_and_the_day_after_may_not() -> None:
    until: TypeAdapter[datetime] = TypeAdapter(Until)
    assert until.validate_python("2199-12-31") == datetime.fromisoformat("2200-01-01T00:00:00+08:00")
    for after in ("2200-01-01", "2200-01-01T00:00:01+08:00"):
        with pytest.raises(ValidationError):
            until.validate_python(after)
