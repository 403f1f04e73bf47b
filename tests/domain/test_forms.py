"""A form is asked what any form has, whatever its programme: its person, its fields by path, and how parts change."""

from enum import StrEnum

import pytest

from domain.bodies import Body, Corrections, Parts
from domain.errors import Defect
from domain.fields import Line, Name
from domain.forms import Form, find_path, need_form
from domain.languages import Language


class _Tenant(Body):
    name_zh: Name
    name_en: Name | None = None
    identity_number: str
    email: str | None = None
    phone: str | None = None
    language: Language


class _Flat(Body):
    rooms: int
    street: Line | None = None


class _FlatParts(Parts):
    rooms: int | None = None
    street: Line | None = None


class _Corrections(Corrections):
    flat: _FlatParts | None = None


class _Field(StrEnum):
    ROOMS = "flat.rooms"


class _Lease(Form):
    corrections = _Corrections
    fact_fields = _Field

    person: _Tenant
    flat: _Flat


LEASE = _Lease.model_validate(
    {
        "person": {"name_zh": "陈示例", "identity_number": "44030419900307123X", "email": "c@e.cn", "language": "en"},
        "flat": {"rooms": 2, "street": "示例路"},
    }
)


def test_the_person_is_the_same_as_given_and_as_stored() -> None:
    assert LEASE.subject == _Lease.subject_of(LEASE.model_dump(mode="json", exclude_none=True))
    assert (LEASE.subject.name_in(Language.EN), LEASE.subject.email) == ("陈示例", "c@e.cn")


def test_fields_are_named_by_path_and_opened_by_part() -> None:
    assert _Lease.find_path("rooms") == "flat.rooms"
    assert find_path((_Lease,), "work_site") is None
    assert _Lease.fields_by_part()["flat"] == ("rooms", "street")
    assert "language" not in _Lease.fields_by_part()["person"]
    assert _Lease.name_of("flat") == "_Flat"


def test_a_part_changes_alone_and_null_removes() -> None:
    changed = LEASE.corrected(_Corrections.model_validate({"flat": {"street": None}}))
    assert (changed.flat, changed.person) == (_Flat(rooms=2), LEASE.person)
    assert LEASE.with_field("flat.rooms", 3).given_of("flat.rooms") == 3
    assert LEASE.with_contact({"email": None}).subject.email is None


def test_what_does_not_hold_together_is_named() -> None:
    assert LEASE.clashes() == {}
    assert set(LEASE.clashes("flat.rooms", None)) == {"flat.rooms"}


def test_the_form_of_another_programme_is_a_defect() -> None:
    with pytest.raises(Defect):
        need_form(LEASE, type("_Other", (_Lease,), {}))
