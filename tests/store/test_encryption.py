"""Sealed values: bound to their place and key, unreadable elsewhere, and readable after the key of keys rotated."""

import base64
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from cases.case.file import read_case
from cases.case.reads import get_case, open_person
from domain.errors import Defect, KeyUnknown, Refused
from domain.purposes import Purpose
from store.encryption import DataKey, WrappedKey, new_data_key, unwrap
from store.key_file import generate
from store.keyring import Keyring
from store.tables import applications, data_keys
from tests.cases.contexts import OFFICER
from tests.cases.driver import Park, china, open_park


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


def _rotated(document: dict[str, Any], *, keep: bool = True) -> dict[str, Any]:
    """Return a key file with another key-encryption key that writes; keep: those before it still open."""
    fresh = base64.b64encode(secrets.token_bytes(32)).decode()
    old = document["kek"]["keys"] if keep else {}
    return document | {"kek": {"current": "k2", "keys": {**old, "k2": fresh}}}


@pytest.mark.parametrize(
    "place", [("answers", "body", "r/1"), ("permits", "note", "r/1"), ("applications", "body", "r/2")]
)
def test_a_sealed_value_opens_in_its_place_only(place: tuple[str, str, str]) -> None:
    key = DataKey(uuid4(), secrets.token_bytes(32))
    sealed = key.seal("applications", "body", "r/1", b"x")
    assert key.open("applications", "body", "r/1", sealed) == b"x"
    with pytest.raises(Defect, match="sealed_value_altered"):
        key.open(*place, sealed)


def test_a_sealed_value_opens_under_its_own_key_id_only() -> None:
    key = DataKey(uuid4(), secrets.token_bytes(32))
    sealed = key.seal("applications", "body", "r/1", b"x")
    with pytest.raises(Defect):
        DataKey(uuid4(), key.secret).open("applications", "body", "r/1", sealed)


def test_the_same_value_is_never_sealed_alike() -> None:
    key = DataKey(uuid4(), secrets.token_bytes(32))
    assert key.seal("notices", "body", "r", b"x") != key.seal("notices", "body", "r", b"x")


def test_a_wrapped_key_cannot_be_moved_or_opened_without_its_key_encryption_key() -> None:
    keyring = Keyring.parse(generate())
    key, wrapped = new_data_key(keyring)
    assert unwrap(keyring, wrapped) == key
    with pytest.raises(Defect, match="data_key_altered"):
        unwrap(keyring, WrappedKey(uuid4(), wrapped.kek_id, wrapped.wrapped))
    with pytest.raises(KeyUnknown, match="key_unknown"):
        unwrap(keyring, WrappedKey(wrapped.key_id, "k9", wrapped.wrapped))
    with pytest.raises(Refused, match="facts_erased"):
        unwrap(keyring, WrappedKey(wrapped.key_id, wrapped.kek_id, None))


def test_the_key_encryption_key_rotates() -> None:
    document = generate()
    key, wrapped = new_data_key(Keyring.parse(document))
    rotated = Keyring.parse(_rotated(document))
    assert unwrap(rotated, wrapped) == key
    _, newer = new_data_key(rotated)
    assert newer.kek_id == "k2"
    with pytest.raises(KeyUnknown, match="key_unknown"):
        unwrap(Keyring.parse(_rotated(document, keep=False)), wrapped)


async def test_a_case_from_before_a_rotation_is_read_and_carried_on(park: Park) -> None:
    case = await park.review()
    before = park.context.keyring
    kek = replace(before.kek, current="k2", keys={**before.kek.keys, "k2": secrets.token_bytes(32)})
    park.context = replace(park.context, keyring=replace(before, kek=kek))
    await case.approve()
    assert await case.stage() == "approved"
    await park.review(identity_number="33010619860128072X")
    assert {row["kek_id"] for row in await park.rows(data_keys)} == {"k1", "k2"}


async def test_a_sealed_body_cannot_be_moved_between_rows(park: Park) -> None:
    case = await park.review(employment={"state_worker": True})
    other = await park.review(identity_number="33010619860128072X")
    async with park.context.database.begin() as connection:
        mine = select(applications.c.body).where(applications.c.reference == case.reference)
        body = (await connection.execute(mine)).scalar_one()
        theirs = update(applications).where(applications.c.reference == other.reference)
        await connection.execute(theirs.values(body=body))
    with pytest.raises(Defect, match="sealed_value_altered"):
        await open_person(park.context, OFFICER, other.reference, ("name_zh",), Purpose.CASE_REVIEW)


async def test_a_destroyed_key_leaves_nothing_to_read(park: Park) -> None:
    case = await park.review()
    key_id = (await read_case(park.context, case.reference)).person_key.key_id
    async with park.context.database.begin() as connection:
        await connection.execute(update(data_keys).where(data_keys.c.key_id == key_id).values(wrapped=None))
    person = vars((await get_case(park.context, OFFICER, case.reference)).person)
    assert person.pop("erased")
    assert set(person) >= {"name_zh", "identity_number", "language"}
    assert set(person.values()) == {None}
    with pytest.raises(Refused, match="facts_erased"):
        await open_person(park.context, OFFICER, case.reference, ("name_zh",), Purpose.CASE_REVIEW)


async def test_no_table_holds_what_was_given_in_clear(park: Park, clean_database: str) -> None:
    case = await park.issued(name_en="Feng Chengze")
    await case.answer("refused", "MO", reason_text="材料与事实不符")
    secrets_given = ("冯承泽", "Feng Chengze", "44030419900307123X", "C12345678", "feng@example.com", "材料与事实不符")
    async with park.context.database.begin() as connection:
        for table in applications.metadata.sorted_tables:
            rows = str((await connection.execute(select(table))).all())
            for value in secrets_given:
                assert value not in rows, (table.name, value)
                assert value.encode().hex() not in rows, (table.name, value)
