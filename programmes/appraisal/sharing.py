"""What an appraisal vouches for beside its evidence, and what it takes over from other cases of the same person.

Which item proves which is ours, and unconfirmed. Only what means the same on both sides is taken over.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from cases.case.file import CaseFile
from cases.programme import Taken, Vouched, VouchedFact
from cases.undeclared import as_it_was_proved
from domain import spellings
from domain.errors import need
from domain.stages import Stage
from programmes.appraisal.requests import AppraisalPaper
from programmes.appraisal.rules.claims import AppraisalEducation, AppraisalItem
from programmes.appraisal.rules.lists import LISTS
from programmes.appraisal.tables import recognition
from programmes.appraisal.words import RecognitionStage

RECOGNISED: Final = "appraisal_recognition"
# Who says that somebody is recognised, as a paper has it that an officer of another programme reads.
_ISSUER: Final = "深圳园区 Hetao Shenzhen Park"
_DEGREES: Final = frozenset(AppraisalEducation) - {AppraisalEducation.NONE}


def _is_recognised(file: CaseFile) -> bool:
    """Whether a recognition is valid, and the decision stands by which it was given."""
    row = recognition(file)
    return file.stage is Stage.APPROVED and row is not None and row.stage == RecognitionStage.VALID


def _said(file: CaseFile) -> VouchedFact:
    row = need(recognition(file), "recognition")
    since = file.row.approved_at or file.row.accepted_at
    return VouchedFact(_ISSUER, need(row.valid_from, "valid_from"), since, number=row.certificate)


def _degree(proved: Any) -> Any:
    """Return a degree that both programmes know; that somebody has none proves nothing."""
    return proved if proved in _DEGREES else None


def _taken(
    item: str, kind: AppraisalPaper, *programmes: str, value: Callable[[Any], Any] = as_it_was_proved
) -> tuple[Taken, ...]:
    return tuple(Taken(programme=each, item=item, kind=kind, value=value) for each in programmes)


_OWN: Final = (spellings.APPRAISAL,)
_BOTH: Final = (spellings.APPRAISAL, spellings.WORK_PERMIT)
VOUCHES: Final[Mapping[str, Vouched]] = {RECOGNISED: Vouched(holds=_is_recognised, fact=_said)}
# The names of the lists are looked up again, by the pack of the case that takes them over.
TAKES: Final[Mapping[str, tuple[Taken, ...]]] = {
    **{item: _taken(item, AppraisalPaper.CERTIFICATE, *_OWN) for item in LISTS},
    AppraisalItem.EDUCATION: _taken("education", AppraisalPaper.DIPLOMA, *_BOTH, value=_degree),
    AppraisalItem.EXPERIENCE: _taken("experience_years", AppraisalPaper.LETTER, *_BOTH),
}
