"""Stored spellings: what was written by them is found, opened and verified, whatever tables and columns are called."""

import json
from uuid import UUID

import pytest
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload

import worker
from activities.deliveries import Deliveries
from cases.case import state
from domain import spellings
from domain.spellings import PLACES, STATE_FORM, STATE_FORMS, FirstForm
from programmes import CASE_TYPES, own_tables
from proof import statements
from store import tables
from store.encryption import WrappedKey, open_kept, unwrap
from temporal.codec import Codec
from tests.store.spellings import (
    KEY,
    KEYRING,
    PAYLOAD,
    PLAIN,
    ROW,
    STATEMENT,
    equal,
    kept,
    routes_with_a_key,
    stored_values,
)
from tests.workflows.test_replay import OWNERS

KEPT = kept()
NOW = dict(equal())


@pytest.mark.parametrize("name", sorted(KEPT.keys() & NOW.keys()))
def test_what_comes_out_alike_is_what_was_written(name: str) -> None:
    assert NOW[name] == KEPT[name]


def test_nothing_that_was_written_is_given_up_and_nothing_new_is_left_unheld() -> None:
    named = {
        name
        for name in KEPT
        if not name.startswith(("sealed ", "kept ", "values ", "wrapped key", "payload", "routes "))
    }
    assert (named - NOW.keys(), NOW.keys() - named) == (set(), set())
    assert {f"{table}.{column}" for table, column in PLACES} == {
        name.removeprefix("sealed ") for name in KEPT if name.startswith("sealed ")
    }


@pytest.mark.parametrize("place", sorted(name.removeprefix("sealed ") for name in KEPT if name.startswith("sealed ")))
def test_what_was_sealed_for_a_place_opens_there(place: str) -> None:
    table, column = place.split(".")
    assert KEY.open(table, column, ROW, bytes.fromhex(KEPT[f"sealed {place}"])) == PLAIN
    sealed = bytes.fromhex(KEPT[f"kept {place}"])
    assert open_kept(KEYRING.archive, "k1", table, column, ROW, sealed) == PLAIN


def test_nothing_is_sealed_or_looked_up_under_a_name_that_is_not_listed() -> None:
    with pytest.raises(LookupError, match=r"cases\.note"):
        KEY.seal("cases", "note", ROW, PLAIN)
    with pytest.raises(LookupError, match="party"):
        KEYRING.lookup_hash("party/emp-a", "value")


def test_wrapped_keys_payloads_and_statements_of_before_are_read() -> None:
    key_id, kek_id, wrapped, secret = json.loads(KEPT["wrapped key"])
    assert unwrap(KEYRING, WrappedKey(UUID(key_id), kek_id, bytes.fromhex(wrapped))).secret.hex() == secret
    payload = Payload.FromString(bytes.fromhex(KEPT["payload"]))
    assert Codec(KEYRING.codec).open_all([payload]) == [PAYLOAD]
    assert statements.verify(KEPT["statement"], KEYRING.statement_keys()) == STATEMENT


@pytest.mark.parametrize(("name", "values"), stored_values().items(), ids=stored_values())
def test_no_stored_value_of_an_enumeration_is_given_up(name: str, values: list[str]) -> None:
    """The core's own, or one that a programme declares."""
    assert set(KEPT[f"values {name}"]) <= set(values)


def test_what_temporal_calls_is_listed() -> None:
    named = {
        activity._Definition.must_from_callable(method).name
        for owner in (*OWNERS, Deliveries)
        for method in vars(owner).values()
        if callable(method) and hasattr(method, "__temporal_activity_definition")
    }
    assert named == spellings.ACTIVITIES
    defined = [
        workflow._Definition.must_from_class(each)
        for each in (*worker.case_workflows(CASE_TYPES), *worker.NOTICE_WORKFLOWS)
    ]
    listed = {value for name, value in vars(spellings).items() if name.endswith("_WORKFLOW")}
    assert {each.name for each in defined} == listed
    (case,) = [each for each in defined if each.name == spellings.REGISTRATION_WORKFLOW]
    assert set(case.signals) == {spellings.COMMAND_SIGNAL, spellings.DECISION_SIGNAL}
    assert set(case.updates) == {spellings.DECIDE_UPDATE}
    assert spellings.STATUS_QUERY in case.queries


def test_every_column_of_the_register_is_hashed_or_left_out_on_purpose() -> None:
    """A column that is added goes into the form that is written, where rows of before have it empty, or begins one."""
    form = STATE_FORMS[STATE_FORM]
    assert {state.COLUMN_OF.get(name, name) for name in form.case_names} == {
        each.name for each in tables.cases.c
    } - state.LEFT_OUT
    for programme, each in own_tables():
        columns = {column.name for column in each.table.c}
        assert each.unhashed <= columns
        assert {state.COLUMN_OF.get(name, name) for name in each.hashed} == columns - each.unhashed, programme


def test_every_name_of_the_first_form_is_read_of_a_row_still() -> None:
    form = STATE_FORMS[1]
    assert isinstance(form, FirstForm)
    own = {each.name: {column.name for column in each.table.c} for _, each in own_tables()}
    for names, columns in (
        (form.case_names, {each.name for each in tables.cases.c} | own[form.own]),
        ((*form.track_names, form.track_key), own[form.tracks]),
    ):
        assert {state.COLUMN_OF.get(name, name) for name in names} <= columns


def test_no_route_under_which_a_request_is_remembered_is_given_up() -> None:
    """A key counts for method and path as called: under another path the same request would be done once more."""
    assert set(KEPT["routes with a key"]) <= set(routes_with_a_key())
