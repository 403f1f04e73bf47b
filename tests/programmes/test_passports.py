"""A programme whose form knows its person by a passport: found again by it, seen masked, sought by its last four."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from pydantic import ValidationError

from cases.case import reads
from cases.commands.intake import Accepted, accept
from domain.bodies import Body
from domain.document_fields import PersonDocument
from domain.errors import Refused
from domain.field_errors import field_errors
from domain.fields import Name
from domain.forms import Form
from domain.languages import Language
from programmes import PROGRAMMES
from store import tables
from tests.cases.contexts import EMPLOYER_A, EMPLOYER_B, key, packs
from tests.cases.driver import Park, china, open_park
from tests.programmes.toy.programme import TOY
from tests.programmes.toy.requests import ToyRequest, Wish

HKID = {"kind": "hk_identity_card", "number": "a123456(3)"}
PASSPORT = {"kind": "passport", "place": "GB", "number": "123 456 789"}


class Traveller(Body):
    """Whom it is for."""

    name_zh: Name
    name_en: Name | None = None
    document: PersonDocument
    email: str | None = None
    phone: str | None = None
    language: Language = Language.ZH_HANS


class TravellersToy(Form):
    """A toy for a person with a passport."""

    corrections = ToyRequest.corrections
    fact_fields = ToyRequest.fact_fields
    person: Traveller
    wish: Wish


TRAVELLERS = replace(TOY, form=TravellersToy)


def _form(document: dict[str, Any] = PASSPORT) -> TravellersToy:
    person = {"name_zh": "欧阳娜", "document": document}
    return TravellersToy.model_validate({"person": person, "wish": {"toy": "木马"}})


@pytest_asyncio.fixture
async def park(toy_database: str) -> AsyncIterator[Park]:
    async with open_park(toy_database, china("2026-03-02")) as park:  # a Monday
        both = {**PROGRAMMES, TRAVELLERS.code: TRAVELLERS}
        park.context = replace(park.context, programmes=both, packs=packs(both))
        yield park


async def _take_on(park: Park, document: dict[str, Any] = PASSPORT, by: Any = EMPLOYER_A) -> Accepted:
    return await accept(park.context, TRAVELLERS, by, _form(document), key())


async def test_one_person_is_found_by_a_passport_and_has_one_live_case(park: Park) -> None:
    taken = await _take_on(park)
    with pytest.raises(Refused) as refused:
        await _take_on(park, PASSPORT | {"number": "123456789"})
    assert taken.reference in refused.value.detail
    with pytest.raises(Refused) as refused:
        await _take_on(park, by=EMPLOYER_B)
    assert refused.value.code == "live_registration_exists"
    assert taken.reference not in refused.value.detail
    # The same number of another country's is another person.
    await _take_on(park, PASSPORT | {"place": "FR"})
    await _take_on(park, HKID)
    kinds = {(row["kind"], row["place"]) for row in await park.rows(tables.person_documents)}
    assert kinds == {("passport", "GB"), ("passport", "FR"), ("hk_identity_card", "HK")}


async def test_the_document_is_shown_masked_and_sought_by_its_last_four(park: Park) -> None:
    passport, card = await _take_on(park), await _take_on(park, HKID)
    person = (await reads.get_case(park.context, EMPLOYER_A, card.reference, Language.EN)).person
    assert (person.identity_number, vars(person.document)) == (
        None,
        {"kind": "hk_identity_card", "place": "HK", "number": "A*****63"},
    )
    for q, reference in (("4563", card.reference), ("6789", passport.reference)):
        found, _ = await reads.list_cases(park.context, EMPLOYER_A, q=q)
        assert [each.reference for each in found] == [reference]


def test_what_is_wrong_with_a_document_is_named() -> None:
    for document, field, code in (
        ({"kind": "passport", "number": "123456789"}, "place", "required"),
        (PASSPORT | {"number": "1234567890"}, "number", "too_long"),
        (HKID | {"number": "A123456(4)"}, "number", "check_digit"),
        (HKID | {"place": "MO"}, "place", "unknown_value"),
        ({"kind": "library_card", "number": "1"}, "kind", "unknown_value"),
    ):
        with pytest.raises(ValidationError) as wrong:
            _form(document)
        found = [(each.field, each.code) for each in field_errors(wrong.value)]
        assert found == [(f"person.document.{field}", code)]
        assert str(document["number"]) not in field_errors(wrong.value)[0].message


def test_a_document_is_kept_in_the_form_that_is_read_again() -> None:
    for document in (HKID, PASSPORT, {"kind": "mainland_travel_permit", "number": "h01234567 01"}):
        form = _form(document)
        again = TravellersToy.model_validate(form.model_dump(mode="json", exclude_none=True))
        stored = TravellersToy.subject_of(form.model_dump(mode="json", exclude_none=True)).document
        assert (again, stored) == (form, form.subject.document)
    assert stored.is_same_person(_form({"kind": "mainland_travel_permit", "number": "H0123456702"}).subject.document)
