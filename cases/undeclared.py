"""What holds of a programme where its declaration says nothing: it keeps and asks what every case does, and no more."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.views import CaseForStaff
from domain.actors import Actor
from domain.errors import FieldError
from domain.findings import Finding
from domain.forms import Form
from domain.languages import Language
from domain.working_days import Deadline
from policy.facts import Facts
from policy.pack import Pack
from policy.rerun import Rules
from store.rows.base import TableRow
from store.rows.register import CaseRow
from store.rows.work import DeadlineRow


def keep_nothing(form: Form, case: CaseRow) -> Mapping[str, Sequence[TableRow]]:
    """Return no rows beside those of any case."""
    return {}


def tell_nothing(file: CaseFile) -> Mapping[str, Any]:
    """Return nothing beside what is told of any case."""
    return {}


def say_no_more(file: CaseFile, track: str | None) -> Mapping[str, object]:
    """Return nothing that notices say beside what they say of any case."""
    return {}


async def gather_nothing(
    file: CaseFile, connection: AsyncConnection, form: Form, at: datetime, in_force: bool | None, on: date
) -> Facts:
    """Return no facts: the rules look at none."""
    return Facts()


def find_nothing(facts: Facts, pack: Pack, on: date) -> tuple[Finding, ...]:
    """Return no finding, so that every case is clear."""
    return ()


def find_nothing_of(facts: Facts, track: str, pack: Pack, on: date) -> tuple[Finding, ...]:
    """Return no finding of a track."""
    return ()


# Every case is clear, and an officer decides it.
NO_RULES = Rules(facts=Facts, assess=find_nothing, of_track=find_nothing_of, looked_at={})


def follow_nothing(file: CaseFile, actor: Actor, at: datetime, key: str | None) -> None:
    """Let nothing follow from a decision that has taken effect."""


def go_on_as_before(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Let nothing go on that had waited."""


async def begin_nothing(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    """Begin nothing once an approval can no longer be recalled: the case is in force."""


def ask_nothing(file: CaseFile) -> Sequence[tuple[str, str]]:
    """Ask officers nothing of a case that was decided."""
    return ()


def keep_nothing_known(file: CaseFile, at: datetime) -> None:
    """Keep nothing of what became known."""


async def weigh_nothing_again(file: CaseFile, connection: AsyncConnection, at: datetime) -> None:
    """Run nothing again after a fact came or went."""


def not_known_to_have_died(file: CaseFile) -> bool:
    """Return that nothing is known of a death."""
    return False


async def look_no_further(
    file: CaseFile, connection: AsyncConnection, at: datetime, language: Language, seen: CaseForStaff, two: bool | None
) -> CaseForStaff:
    """Return the case as it is shown, without what would stand in the way of what follows."""
    return seen


def nobody_acts_next(file: CaseFile) -> None:
    """Let nobody in particular act next on a case."""


def recount_no_further(file: CaseFile, at: datetime, row: DeadlineRow, deadline: Deadline) -> None:
    """Let nothing follow from a deadline that a loaded calendar moved."""


async def forget_nothing(connection: AsyncConnection, before: datetime, most: int) -> None:
    """Delete nothing: nothing is kept beside cases."""


def look_at_nothing(file: CaseFile, at: datetime, asked: Any) -> None:
    """Refuse nothing by what is asked alone."""


def ask_for_nothing_again(file: CaseFile, wanted: Mapping[str, Any]) -> frozenset[str]:
    """Take what is as it is for no change."""
    return frozenset()


def find_nothing_wrong(file: CaseFile, wanted: Mapping[str, Any]) -> Sequence[FieldError]:
    """Return nothing that is wrong with what is asked."""
    return ()


def keep_no_more(file: CaseFile, whole: Form) -> None:
    """Keep nothing of what is given beside the version of it."""


def leave_it_at_that(file: CaseFile, actor: Actor, at: datetime, fields: frozenset[str]) -> None:
    """Let nothing follow of a change that was taken."""


def no_tracks(file: CaseFile, whole: Form) -> Sequence[str]:
    """Return no track: its rules look at nothing that is given."""
    return ()


async def follow_no_change(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, taken: object
) -> None:
    """Let nothing follow of a change of an approved case."""


def as_it_was_proved(value: Any) -> Any:
    """Return what was proved elsewhere as what is proved here."""
    return value
