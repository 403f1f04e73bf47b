"""Tasks and notices follow from the rows of a table: elsewhere only what a row cannot say, each with its reason."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cases.moves.apart import need_apart
from cases.moves.front_half import Event
from domain.stages import PendingAct
from programmes import PROGRAMMES
from tests.cases.moves.test_walk import EVERY_PROGRAMME

ROOT: Final = Path(__file__).parents[3]
_OF_FILE: Final = frozenset({"open_task", "share_task", "close_tasks", "cancel_tasks"})
# By the function that does it, why no row says it.
_OUTSIDE: Final = {
    "cases/commands/sweeper.py:_tell": "tells workflows, and nobody",
    "cases/case/parts.py:share_task": "what it is made of",
    "cases/moves/moving.py:_close": "the columns themselves",
    "cases/moves/moving.py:_open": "the columns themselves",
    "cases/moves/moving.py:_tell": "the columns themselves",
    "cases/commands/advance.py:_tell_refused": "a command that is refused moves nothing; who asked is told",
    "cases/commands/recount.py:_tell_moved": "a loaded calendar moves days, and no case",
    "cases/commands/verbs.py:_answer_task": "a task of which no programme says what its answer does just closes",
    "cases/commands/verbs.py:_resume": "an operator's task about a defect, opened beneath the tables",
    "cases/incidents/stopped.py:_stop_read": "a case that could not be worked is in no state to be moved (R31)",
    "cases/notices/compose.py:nobody_reached": "a notice without a channel, whatever row caused it",
    "programmes/talent_permit/authority/lost_acts.py:_ask_for_signature": "of an answer that is no case's until signed",
    "programmes/talent_permit/permits.py:give_up": "a task about one permit, where its row may be of a term alone",
    "programmes/talent_permit/permits.py:registration_ended": "a task about one permit, whichever row ends it",
    "programmes/talent_permit/permits.py:send_again": "one task of several permits closes once, for all of them",
    "privacy/joining.py:_tell": "two persons are joined or parted, and no case moves",
    "privacy/objections.py:answer": "an objection is the person's, and moves no case",
    "privacy/objections.py:write": "an objection is the person's, and moves no case",
    "privacy/transfers.py:_tell": "what a person agrees to moves no case before somebody makes use of it",
    "privacy/sign_in.py:_tell": "a link that a person asks for",
}


def _outside() -> Iterator[str]:
    for room in ("cases", "programmes", "privacy", "record", "register"):
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and _acts(function):
                    yield f"{name}:{function.name}"


def _acts(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    called = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return any(
        each.attr in _OF_FILE if isinstance(each, ast.Attribute) else isinstance(each, ast.Name) and each.id == "tell"
        for each in called
    )


def test_a_task_or_a_notice_that_no_row_says_has_its_reason() -> None:
    assert set(_outside()) == set(_OUTSIDE)


@EVERY_PROGRAMME
def test_what_takes_a_second_signature_has_its_rows(code: str) -> None:
    """It is proposed, given and not given by rows of the table, whose notices go to signers and to who proposed."""
    programme = PROGRAMMES[code]
    proposed = {row.event for row in programme.moves if any(each.kind == "confirm" for each in row.opens)}
    # Whoever decides alone has seen no evidence of the case, and is no second signer for that.
    signed = {
        row.event for row in programme.moves if "confirm" in row.closes and row.who.need not in (None, need_apart)
    }
    assert len(proposed) == len(programme.signatures) + 2
    rejected = {signature.rejected for signature in programme.signatures.values()} | {Event.REJECT}
    assert rejected <= signed
    # Setting aside has a row for each decision that it may be about, anything else that is proposed has its one.
    set_aside = {each.event for each in programme.contestable.values()}
    assert set_aside <= signed
    # Of a case that follows another one an approval, by one person or two, has rows of its own.
    follows = programme.transfer is not None
    given = set(programme.signatures) - {PendingAct.SET_ASIDE}
    assert len(signed - rejected - set_aside) == len(given) + 2 + 2 * follows
    assert not set(programme.signatures) & {PendingAct.APPROVE, PendingAct.REFUSE}
