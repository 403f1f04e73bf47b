"""How what was given of a work permit is changed: contact at once, all else by an officer, within working days."""

from datetime import datetime
from typing import Final

from cases.case.file import CaseFile
from cases.programme import Changing
from domain.actors import Actor
from programmes.work_permit import ending
from programmes.work_permit.life_requests import WorkPermitChange


def _report_days(file: CaseFile) -> int:
    return file.pack.integer("change_report_days")


def _taken(file: CaseFile, actor: Actor, at: datetime, fields: frozenset[str]) -> None:
    if "contract_end" in fields:
        ending.plan(file)


CHANGING: Final = Changing(
    asks=WorkPermitChange,
    at_once=frozenset({"email", "phone"}),
    # A new post counts points again.
    ruled=frozenset({"position", "salary_year", "contract_end", "category"}),
    taken=_taken,
    report_days=_report_days,
)
