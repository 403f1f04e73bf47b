"""The data map has a row for every body field and every column, and its page is the generated one."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary

import domain
from cli.docs import all_bodies, all_columns, generated_pages
from domain.bodies import Body
from domain.data_map import Basis, DataClass, Kept, Retention, by_name, rows
from programmes import PROGRAMMES, own_tables
from store import forgetting
from store.tables import metadata

PAGE = Path(__file__).parents[2] / "docs" / "data-map.md"
# Made by the engine of what an employer or officer sent, never sent themselves.
OF_THE_ENGINE = {"PermitAct"}
# What the bodies of programmes are made from; nobody sends one.
BASES = {"Claims", "Form", "FactAsked", "OwnChanges", "Corrections", "ChangeAsked"}
BASES |= {"WithEvidence", "EvidenceAgain", "EvidenceGiven"}


def _bodies(of: type[Body] = Body) -> Iterator[type[Body]]:
    for body in of.__subclasses__():
        yield from (body, *_bodies(body))


def _sent() -> set[str]:
    for module in pkgutil.iter_modules(domain.__path__):
        importlib.import_module(f"domain.{module.name}")
    assert PROGRAMMES
    ours = [body for body in _bodies() if body.__module__.startswith(("domain.", "programmes."))]
    sent = [body for body in ours if body.__name__.partition("[")[0] not in OF_THE_ENGINE | BASES]
    return {f"{body.__name__}.{field}" for body in sent for field in body.model_fields}


def test_every_body_field_has_a_row_and_every_row_a_body_field() -> None:
    assert set(by_name(all_bodies())) == _sent()


def test_every_column_has_a_row_and_every_row_a_column() -> None:
    stored = {f"{table.name}.{column.name}" for table in metadata.sorted_tables for column in table.c}
    assert set(by_name(all_columns())) == stored


def test_a_column_of_bytes_is_sealed_hashed_or_wrapped() -> None:
    table = by_name(all_columns())
    plain = {"ledger.previous", "ledger.hash", "ledger.rule_hash", "ledger.statement_hash"}  # hashes of codes
    plain |= {"seal_leaves.hash", "seal_nodes.hash", "checkpoints.root", "stamps.token"}  # hashes of those
    of_bytes = {
        f"{t.name}.{c.name}"
        for t in metadata.sorted_tables
        for c in t.c
        if isinstance(getattr(c.type, "item_type", c.type), LargeBinary)
    } - plain
    assert {name for name in of_bytes if table[name].kept is Kept.CLEAR} == set()
    assert {name for name, row in table.items() if row.kept is not Kept.CLEAR} == of_bytes


def test_no_sensitive_field_is_kept_in_clear() -> None:
    every = (*all_bodies(), *all_columns())
    assert [r.name for r in every if r.data_class is DataClass.SENSITIVE and r.kept is Kept.CLEAR] in (
        [],
        ["AuthorityAnswer.reason_code"],
    )


def test_whatever_is_about_a_person_names_its_basis() -> None:
    for row in (*all_bodies(), *all_columns()):
        assert (row.data_class is DataClass.PLAIN) == (row.basis is Basis.NONE), row.name


def test_two_rows_about_one_field_are_refused() -> None:
    twice = (*rows("a", "b", "c", frozenset()), *rows("a", "b", "d", frozenset()))
    with pytest.raises(ValueError, match="twice"):
        by_name(twice)


def test_the_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == generated_pages()["data-map.md"]


# How an erasure takes away what is kept of a person as long as the case or shorter (`store.forgetting`): the key that
# seals it is destroyed, or the statement names it. What stands here and nowhere in that statement is told beside it.
_SEALED_BY_THE_PERSON = {
    "applications.body", "assessments.facts", "case_facts.body", "commands.body", "legal_holds.paper",
    "cases.earlier_addresses", "evidence.fallen", "evidence.given", "evidence.seen",
    "tasks.detail",  # its free text
}  # fmt: skip
_BY_ITSELF = {
    "objections.person_id",  # a random id, which names nobody after it
    "roster_rows.body",  # emptied by `register.rosters.contents`
    "roster_intake.body",  # gone with its transaction
    "messages_seen.body_hash",  # of a machine's message, gone after thirty days
    "cases.ended_on", "cases.end_reason",  # times and codes, which stay
    "rosters.actor", "idempotency.subject",  # of the employer's staff
    # Over within twelve hours, and opened by the browser's own secret alone.
    "browser_sessions.session_hash", "browser_sessions.subject_hash", "browser_sessions.content",
}  # fmt: skip


def test_whatever_is_kept_of_a_person_goes_with_an_erasure() -> None:
    statement = " ".join(str(forgetting.statement(own_tables())).split())
    for row in all_columns():
        ends = row.retention not in (Retention.CODES, Retention.LOG, Retention.EMPLOYER, Retention.REFERENCE)
        if row.data_class is DataClass.PLAIN or not ends or row.name in _SEALED_BY_THE_PERSON | _BY_ITSELF:
            continue
        emptied = re.search(rf"UPDATE {row.place} \w+ SET (?:(?!UPDATE|DELETE).)*\b{row.field} = ", statement)
        assert emptied or f"DELETE FROM {row.place} " in statement, row.name
