"""What notices of an appraisal say beside what they say of any case."""

from datetime import date

from texts.notices import NoticeFacts


class AppraisalNoticeFacts(NoticeFacts):
    """What a notice of an appraisal may say; it is kept with the notice under these names, which never change."""

    certificate: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    # Codes of what a recognition is suspended for.
    suspended_for: tuple[str, ...] = ()
