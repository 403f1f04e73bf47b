"""What a work permit takes over from other cases of the same person: what does not change with the employer."""

from collections.abc import Mapping
from typing import Final

from cases.programme import Taken
from domain import spellings
from programmes.work_permit.requests import WorkPermitItem, WorkPermitPaper

_I: Final = WorkPermitItem
_P: Final = WorkPermitPaper


def _before(item: WorkPermitItem, kind: WorkPermitPaper) -> Taken:
    """Return what another work permit vouches for, of this or of another employer."""
    return Taken(programme=spellings.WORK_PERMIT, item=item, kind=kind)


# The degrees of an appraisal are those of a work permit, by the same words.
TAKES: Final[Mapping[str, tuple[Taken, ...]]] = {
    _I.EDUCATION: (
        Taken(programme=spellings.APPRAISAL, item="education", kind=_P.DIPLOMA),
        _before(_I.EDUCATION, _P.DIPLOMA),
    ),
    _I.CHINESE: (_before(_I.CHINESE, _P.CERTIFICATE),),
    _I.BIRTH_DATE: (_before(_I.BIRTH_DATE, _P.PASSPORT),),
}
