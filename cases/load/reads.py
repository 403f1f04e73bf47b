"""Reading load: counted in one transaction, as it stands at one time."""

from datetime import date

from cases.load.asked import load_asked
from cases.load.counts import count, employer_names, is_employer
from cases.load.series import Drawing, counted_acts, waited_for
from cases.load.views import Bucket, LoadView, ProgrammeLoadView
from cases.programme import programmes_of
from cases.shared.context import Context
from domain.clock import day_of, to_the_second
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.languages import Language

# The limit that promises are counted against, by the name of its parameter.
_PROMISE = "park_decision_days"


async def read_load(
    context: Context,
    *,
    first: date | None,
    last: date | None,
    bucket: Bucket,
    programme: str | None,
    employer_id: str | None,
    language: Language,
) -> LoadView:
    """Return what waits now, and what was done in the days asked for, for each programme.

    Raises:
        Refused: `invalid` for days that cannot be counted, or a programme that there is not; `not_found` for an
            employer that the register does not have.
    """
    at = context.clock()
    asked = load_asked(
        at, day_of(at), first=first, last=last, bucket=bucket, programme=programme, employer_id=employer_id
    )
    wanted = [each for each in programmes_of(context) if programme in (None, each.code)]
    if not wanted:
        known = tuple(each.code for each in programmes_of(context))
        wrong = FieldError("programme", FieldCode.UNKNOWN_VALUE, "There is no such programme.", allowed=known)
        raise Refused("invalid", "There is no such programme.", [wrong])
    tracks = [each for one in wanted for each in waited_for(one)]
    acts = {act for one in wanted for act in counted_acts(one)}
    async with context.database.begin() as connection:
        if employer_id is not None and not await is_employer(connection, employer_id):
            raise Refused("not_found", "The register has no employer of this id.")
        counted = await count(connection, asked, tracks, acts)
        rows = (*counted.waiting, *counted.decided)
        ids = {row.employer_id for row in rows if row.employer_id is not None}
        names = await employer_names(connection, ids, asked.last)
    drawn = [
        ProgrammeLoadView(
            programme=each.code,
            series=Drawing(each, asked, counted, _standing(context), names, language).draw(),
        )
        for each in wanted
    ]
    return LoadView(as_of=to_the_second(at), from_=asked.first, to=asked.last, bucket=asked.bucket, programmes=drawn)


def _standing(context: Context) -> str:
    return context.limits.standing_of(_PROMISE)
