"""Who has a part in an appraisal: the person who owns it, and the employer who confirms the employment."""

from typing import Final

from cases.case.parties import READS_CASE, TRIES_COMMANDS, DeclaredPart, PartPlace
from cases.case.reading import CaseReading
from cases.commands import objecting
from domain.commands import CommandKind
from domain.languages import Language
from domain.once_only import OnceOnlyCommand
from domain.parties import Part, Party
from programmes.appraisal import routes
from programmes.appraisal.tables import employment
from programmes.appraisal.views import AppraisedEmploymentView
from programmes.appraisal.words import AppraisalCommand, EmploymentStage

SEES: Final = (
    READS_CASE
    | TRIES_COMMANDS
    | {
        "appraisal_employments",
        "appraisal_recognitions",
        "appraisals",
        "evidence",
        "renewals",
    }
)
# What the person who owns a case asks of it.
ASKS: Final = (
    CommandKind.CHANGE,
    CommandKind.CONTEST,
    CommandKind.CONTEST_FACT,
    CommandKind.CORRECT,
    CommandKind.CORRECT_RENEWAL,
    CommandKind.RENEW,
    CommandKind.WITHDRAW,
    CommandKind.WITHDRAW_RENEWAL,
    OnceOnlyCommand.TAKE_OVER,
    *objecting.BY_PERSON,
)


def _shows(case: CaseReading, language: Language) -> AppraisedEmploymentView:
    row, given = employment(case), case.given()["employment"]
    return AppraisedEmploymentView(
        reference=case.reference,
        name=case.subject.name_in(language),
        position=given["position"],
        work_start=given["work_start"],
        stage=EmploymentStage(row.stage) if row and row.stage else None,
        due_at=row.due_at if row else None,
        last_day=row.last_day if row else None,
    )


OWNER: Final = DeclaredPart(part=Part.OWNER, kind=Party.PERSON, sees=SEES, asks=ASKS)
SUBJECT: Final = DeclaredPart(part=Part.SUBJECT, kind=Party.PERSON, sees=SEES)
CONFIRMER: Final = DeclaredPart(
    part=Part.CONFIRMER,
    kind=Party.EMPLOYER,
    sees=frozenset({"appraisal_employments"}),
    asks=(AppraisalCommand.CONFIRM, AppraisalCommand.DENY, AppraisalCommand.LEAVE),
    added_by=(CommandKind.START, CommandKind.ANSWER_TASK),
    named="employment.employer",
    hears=True,
    place=PartPlace(
        path=routes.EMPLOYMENT, shown=AppraisedEmploymentView, shows=_shows, lists=routes.LIST, reads=routes.READ
    ),
)
