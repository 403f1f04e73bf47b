"""The points that an employer is asked to mend, kept with the case until it answers: codes in clear, notes sealed."""

from collections.abc import Sequence
from typing import Any, Final

from cases.case.file import CaseFile
from cases.case.reading import CaseReading
from cases.case.signers import notes_of
from cases.case.views import OpenPointView
from domain.errors import Refused
from domain.languages import Language
from domain.open_points import OpenPoint
from texts.fields import field_names
from texts.findings import sentence_of
from texts.notices import Reason
from texts.reasons import reason_sentence

# Beside the named defects of a case that has lapsed: a stored spelling.
_PUT_AWAY: Final = "open"


def keep(file: CaseFile, points: Sequence[OpenPoint], notes: Sequence[str | None]) -> None:
    """Keep the points of a request to correct, each with the note written for the employer."""
    place = _place(file.reference, file.round)
    sealed = notes_of(file, "registrations", place, list(notes)) if any(notes) else None
    listed = [point.model_dump(mode="json", exclude_none=True) for point in points]
    file.row.open_points = {"points": listed, "round": file.round, "notes": sealed}


def clear(file: CaseFile) -> None:
    """Forget the points, once the employer has answered or the case has ended."""
    file.row.open_points = None


def put_away(file: CaseFile) -> None:
    """Ask the employer for nothing any more, and keep what was asked beside the named defects."""
    if file.row.open_points is not None:
        file.row.named_defects = {**file.row.named_defects, _PUT_AWAY: file.row.open_points}
        clear(file)


def take_out(file: CaseFile) -> bool:
    """Ask again for what was put away; False where nothing was."""
    if _PUT_AWAY not in file.row.named_defects:
        return False
    file.row.open_points = file.row.named_defects[_PUT_AWAY]
    file.row.named_defects = {name: kept for name, kept in file.row.named_defects.items() if name != _PUT_AWAY}
    return True


def spoken(file: CaseFile | CaseReading, language: Language) -> tuple[Reason, ...]:
    """Return the points as their reader's language says them, with the officer's notes."""
    kept = file.row.open_points
    if kept is None:
        return ()
    points = [OpenPoint.model_validate(each) for each in kept["points"]]
    return tuple(_speak(point, note, language) for point, note in zip(points, _notes(file, kept), strict=True))


def point_views(file: CaseFile | CaseReading, language: Language) -> tuple[OpenPointView, ...]:
    """Return the points as a case shows them."""
    return tuple(
        OpenPointView(
            code=each.code,
            message=each.sentence,
            field=each.fields[0] if each.fields else None,
            fields=tuple(each.fields),
            note=each.note,
        )
        for each in spoken(file, language)
    )


def _speak(point: OpenPoint, note: str | None, language: Language) -> Reason:
    if point.outcome is None:
        sentence = reason_sentence(point.code, language)
    else:
        sentence = sentence_of(point.code, point.outcome, language)
    names = field_names(point.fields, language)
    return Reason(code=point.code, sentence=sentence, fields=point.fields, field_names=names, note=note)


def _notes(file: CaseFile | CaseReading, kept: dict[str, Any]) -> list[str | None]:
    """Return the notes; none where there are none, or after an erasure."""
    nothing: list[str | None] = [None] * len(kept["points"])
    if kept["notes"] is None:
        return nothing
    try:
        opened: list[str | None] = file.open(
            "registrations", "note", _place(file.reference, kept["round"]), bytes.fromhex(kept["notes"])
        )
    except Refused:
        return nothing
    return opened


def _place(reference: str, round_: int) -> str:
    return f"{reference}/{round_}/open"
