"""Who has a part in a badge: the person who owns it, and the employer who confirms the employment."""

from typing import Final

from cases.case.parties import READS_CASE, TRIES_COMMANDS, DeclaredPart, PartPlace
from cases.case.reading import CaseReading
from domain.commands import CommandKind
from domain.languages import Language
from domain.once_only import OnceOnlyCommand
from domain.parties import Part, Party
from tests.programmes.badge import routes
from tests.programmes.badge.tables import employment
from tests.programmes.badge.views import EmploymentView
from tests.programmes.badge.words import BadgeCommand

SEES: Final = READS_CASE | TRIES_COMMANDS | {"badge_employments", "evidence"}
# What the person who owns a case asks of it.
ASKS: Final = (
    CommandKind.CONTEST,
    CommandKind.CONTEST_FACT,
    CommandKind.CORRECT,
    CommandKind.WITHDRAW,
    OnceOnlyCommand.TAKE_OVER,
)


def _shows(case: CaseReading, language: Language) -> EmploymentView:
    row, given = employment(case), case.given()["employment"]
    return EmploymentView(
        reference=case.reference,
        name=case.subject.name_in(language),
        position=given["position"],
        stage=row.stage if row else None,
        due_at=row.due_at if row else None,
    )


OWNER: Final = DeclaredPart(part=Part.OWNER, kind=Party.PERSON, sees=SEES, asks=ASKS)
SUBJECT: Final = DeclaredPart(part=Part.SUBJECT, kind=Party.PERSON, sees=SEES)
CONFIRMER: Final = DeclaredPart(
    part=Part.CONFIRMER,
    kind=Party.EMPLOYER,
    sees=frozenset({"badge_employments"}),
    asks=tuple(BadgeCommand),
    added_by=(CommandKind.START,),
    place=PartPlace(path=routes.PART, shown=EmploymentView, shows=_shows, lists=routes.LIST, reads=routes.READ),
)
