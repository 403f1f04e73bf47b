"""Every programme declares what is asked of its cases and what time does to them, and the core has no word of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from pydantic import BaseModel

from cases.case.evidence import EVIDENCE
from cases.commands import objecting, timers, verbs
from cases.commands.changing import change_commands
from cases.commands.renewals import renewal_commands
from cases.moves.evidence import EVIDENCE_MOVES
from cases.programme import EVERYBODY, Programme
from domain import spellings
from domain.commands import CommandKind
from domain.deadlines import DeadlineKind
from domain.evidence import EVIDENCE_WORDS, EvidenceAgain, EvidenceCommand, WithEvidence
from domain.once_only import OnceOnlyCommand
from domain.parties import Part, Party
from domain.stages import PendingAct
from domain.tasks import TaskKind
from programmes import PROGRAMMES
from tests.programmes.badge.programme import BADGE
from tests.programmes.declared import DECLARED
from texts.findings import FINDINGS
from texts.roster import words_of

ROOT: Final = Path(__file__).parents[2]
# What is to know no programme, nor where one stands.
_FREE: Final = ("cases", "record", "privacy", "register", "api", "workflows", "activities", "policy")
ALL: Final = {**DECLARED, BADGE.code: BADGE}
# The decisions that need two signatures in any case.
_OF_ANY_CASE: Final = {PendingAct.APPROVE, PendingAct.REFUSE}
_EVERY: Final = pytest.mark.parametrize("programme", PROGRAMMES.values(), ids=PROGRAMMES)


def _lines_that_name_one() -> Iterator[tuple[str, str]]:
    words = [each.replace("_", "[ _]") for each in PROGRAMMES]
    named = re.compile("|".join([*words, r"(?-i:(?<![.\w])programmes\.\w)"]), re.IGNORECASE)
    for room in _FREE:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            for line in path.read_text(encoding="utf-8").splitlines():
                if named.search(line):
                    yield name, line


# What is the talent permit's alone, with what it may still be found in: a stored or published spelling, each with why.
_OWN_WORDS: Final = re.compile(r"\bDestination\b|PermitStage|PERMIT_FINAL|list_entr|undertaking|card_lost|contract_end")
_CORE: Final = (*_FREE, "texts", "temporal", "domain", "store")
_KEPT: Final = {
    "domain/spellings.py": "stored names",
}


def _files_with_own_words() -> set[str]:
    found = set()
    for room in _CORE:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts and _OWN_WORDS.search(path.read_text(encoding="utf-8")):
                found.add(path.relative_to(ROOT).as_posix())
    return found


def test_words_of_one_programme_stand_in_its_room() -> None:
    assert _files_with_own_words() == set(_KEPT)


def test_what_is_of_all_programmes_names_none() -> None:
    assert [f"{name}: {line.strip()}" for name, line in _lines_that_name_one()] == []


def test_programmes_stand_under_the_code_that_cases_carry() -> None:
    assert {each.code for each in PROGRAMMES.values()} == set(PROGRAMMES)
    assert set(PROGRAMMES) <= {each for each in vars(spellings).values() if isinstance(each, str)}


@_EVERY
def test_a_programme_says_what_each_deadline_does(programme: Programme) -> None:
    assert set(programme.timers) == set(programme.words.deadlines) - {
        DeadlineKind.SETTLED,
        DeadlineKind.RENEWAL_SETTLED,
    }
    assert set(DeadlineKind) <= set(programme.words.deadlines)
    assert {kind: programme.timers[kind] for kind in timers.TIMERS} == timers.TIMERS


@_EVERY
def test_a_programme_takes_all_that_any_case_takes(programme: Programme) -> None:
    assert set(verbs.COMMANDS) <= set(programme.commands)
    assert (
        set(verbs.ANSWERS)
        <= set(programme.answers)
        <= {kind for kind, each in programme.words.tasks.items() if each.answers}
    )
    assert set(TaskKind) <= set(programme.words.tasks)
    assert not set(programme.signatures) & _OF_ANY_CASE


@_EVERY
def test_a_command_that_may_be_awaited_or_named_is_given_something(programme: Programme) -> None:
    for kind, command in programme.commands.items():
        assert command.acts.acts, f"{kind} leaves nothing in the ledger"
        assert command.waits <= EVERYBODY
        if command.waits or command.named:
            assert command.body is not None, f"{kind} is asked with nothing"
        if command.body is not None:
            assert not set(command.named) & set(command.body.model_fields) - {"fact"}


@pytest.mark.parametrize("programme", ALL.values(), ids=ALL)
def test_a_programme_declares_every_command_of_the_core(programme: Programme) -> None:
    """Those of what it does not declare alone are left out: objections, renewals, a change of employer, changes."""
    left_out = {
        *(() if programme.contestable else objecting.COMMANDS.keys() - verbs.COMMANDS.keys()),
        *(() if programme.renewal else renewal_commands(BaseModel)),
        *(() if programme.transfer else verbs.TRANSFER_COMMANDS),
        *(() if programme.transfer and programme.transfer.runs_on else verbs.runs_on_commands("none")),
        *(() if programme.changing else change_commands(BaseModel).keys() - verbs.COMMANDS.keys()),
    }
    assert set(CommandKind) - left_out == set(CommandKind) & set(programme.commands)


@pytest.mark.parametrize("programme", DECLARED.values(), ids=DECLARED)
def test_a_programme_with_evidence_has_all_that_it_takes_and_no_other_has(programme: Programme) -> None:
    has = programme.evidence is not None
    assert (EVIDENCE in programme.tables) is has
    assert issubclass(programme.form, WithEvidence) is has
    assert issubclass(programme.form.corrections, EvidenceAgain) is has
    assert (set(EvidenceCommand) <= set(programme.commands)) is has
    assert set(EVIDENCE_WORDS.reasons) <= set(programme.words.reasons) or not has
    assert (set(EVIDENCE_MOVES) <= set(programme.moves)) is has
    if programme.evidence is None:
        return
    piece = programme.evidence.of
    assert set(piece.values) <= set(piece.kinds_of("item")), "a value of no item"
    assert piece.kinds_of("kind")
    # A field is seen in the place of what was given, or proved beside it (ADR 0024).
    shown = {each.partition(".")[2] for each in programme.form.fact_fields}
    assert not shown & set(piece.kinds_of("item"))


@_EVERY
def test_a_programme_declares_parts_that_ask_and_are_added_by_its_commands(programme: Programme) -> None:
    parts = {(each.part, each.kind): each for each in programme.parts}
    assert len(parts) == len(programme.parts)
    for each in programme.parts:
        assert {*each.asks, *each.added_by} <= set(programme.commands)
        assert bool(each.added_by) is (each.part is Part.CONFIRMER)
    # An employer that owns a case needs no declaration, and a person who does cannot do without one.
    owners = {kind for part, kind in parts if part is Part.OWNER}
    assert owners == ({Party.PERSON} if programme.party is Party.PERSON else set())


@_EVERY
def test_a_programme_says_what_its_rules_find_and_in_which_words(programme: Programme) -> None:
    rules = programme.rules
    assert set(rules.looked_at) | rules.about_answers <= rules.codes <= set(FINDINGS)


@_EVERY
def test_a_programme_has_words_for_all_that_its_rosters_hold(programme: Programme) -> None:
    said = words_of(programme.texts)
    for roster in programme.rosters.values():
        columns = [column.name for column in roster.columns]
        assert len(set(columns)) == len(columns)
        assert roster.person in columns
        assert set(columns) <= set(said.columns)
        assert all(column.name in said.values for column in roster.columns if column.joins)
        assert len(said.headers_of(columns)) == sum(len(said.headers_of([name])) for name in columns), "of two columns"
        assert roster.asks is None or roster.asks in programme.commands


def test_no_two_programmes_have_a_roster_of_one_name() -> None:
    acts = [act for each in PROGRAMMES.values() for act in each.rosters]
    assert len(set(acts)) == len(acts)


def test_what_any_case_takes_is_called_by_no_word_of_one_programme() -> None:
    for command in verbs.COMMANDS.values():
        for route in filter(None, (command.route, command.own)):
            assert "registration" not in f"{route.name} {route.summary} {route.says}".lower()


@pytest.mark.parametrize("programme", ALL.values(), ids=ALL)
def test_a_programme_takes_over_what_another_one_vouches_for(programme: Programme) -> None:
    for word in programme.vouches:
        assert OnceOnlyCommand.VOUCH in programme.commands, word
    asked = {OnceOnlyCommand.TAKE_OVER, OnceOnlyCommand.SOURCE_FELL} & set(programme.commands)
    assert bool(asked) == bool(programme.takes)
    for item, ways in programme.takes.items():
        assert programme.evidence is not None
        assert item in programme.evidence.of.kinds_of("item")
        for taken in ways:
            assert taken.kind in programme.evidence.of.kinds_of("kind")
            source = ALL[taken.programme]
            items = () if source.evidence is None else source.evidence.of.kinds_of("item")
            assert taken.item in {*items, *source.vouches}, f"{taken.programme} vouches for no {taken.item}"
            assert OnceOnlyCommand.VOUCH in source.commands
