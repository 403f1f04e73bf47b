"""What a work permit takes over from other cases of the same person.

Which item proves which is ours, and unconfirmed. Only what means the same on both sides is taken over, and only what
is of the person and stays so: what is of the job, and what an officer has to see anew, is given with each case.
"""

from collections.abc import Mapping
from typing import Any, Final

from cases.programme import Taken
from domain import spellings
from programmes.work_permit.requests import WorkPermitItem, WorkPermitPaper
from programmes.work_permit.rules.claims import WorkPermitEducation

_APPRAISAL: Final = spellings.APPRAISAL
_SHARED: Final = frozenset({WorkPermitEducation.DOCTOR, WorkPermitEducation.MASTER, WorkPermitEducation.BACHELOR})


def _degree(proved: Any) -> Any:
    """Return a degree that both programmes know; that somebody has none proves nothing."""
    return proved if proved in _SHARED else None


def _own(item: WorkPermitItem, kind: WorkPermitPaper) -> Taken:
    return Taken(programme=spellings.WORK_PERMIT, item=item, kind=kind)


_I: Final = WorkPermitItem
_P: Final = WorkPermitPaper
TAKES: Final[Mapping[str, tuple[Taken, ...]]] = {
    _I.EDUCATION: (
        _own(_I.EDUCATION, _P.DIPLOMA),
        Taken(programme=_APPRAISAL, item="education", kind=_P.DIPLOMA, value=_degree),
    ),
    _I.EXPERIENCE_YEARS: (
        _own(_I.EXPERIENCE_YEARS, _P.EMPLOYER_LETTER),
        Taken(programme=_APPRAISAL, item="experience_years", kind=_P.EMPLOYER_LETTER),
    ),
    # Whoever is recognised was selected by a talent programme of the Park. That a paper of a list was proved does not
    # say that it stands on the list, so that no single achievement is taken over.
    _I.TALENT_PROGRAMME: (
        _own(_I.TALENT_PROGRAMME, _P.GOVERNMENT_LETTER),
        Taken(programme=_APPRAISAL, item="appraisal_recognition", kind=_P.GOVERNMENT_LETTER),
    ),
    _I.ACHIEVEMENT: (_own(_I.ACHIEVEMENT, _P.CERTIFICATE),),
    _I.LISTED: (_own(_I.LISTED, _P.CERTIFICATE),),
    _I.CHINESE: (_own(_I.CHINESE, _P.CERTIFICATE),),
    _I.BIRTH_DATE: (_own(_I.BIRTH_DATE, _P.PASSPORT),),
    _I.VOCATIONAL_CERTIFICATE: (_own(_I.VOCATIONAL_CERTIFICATE, _P.CERTIFICATE),),
}
