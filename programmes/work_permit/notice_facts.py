"""What notices of a work permit say beside what they say of any case."""

from datetime import date

from cases.case.file import CaseFile
from texts.notices import NoticeFacts


class WorkPermitNoticeFacts(NoticeFacts):
    """What a notice of a work permit may say; it is kept with the notice under these names, which never change."""

    permit_number: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    apply_by: date | None = None
    ended_on: date | None = None


def told(file: CaseFile, destination: str | None) -> dict[str, object]:
    """Return what is the case's or the track's own of that: nothing; each step says its own."""
    return {}
