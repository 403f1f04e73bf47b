"""Evidence for what a form says: pieces, each for one item, given with the form and seen by an officer.

What a form declares stays as it was given; what a piece proves stands beside it. A recorded fact (`domain.case_facts`)
is something else: what an officer saw in the place of what was given, of a field that no item stands for.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Generic, Self, TypeVar

from pydantic import Field, JsonValue, TypeAdapter, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from domain.bodies import Body, Corrections, example
from domain.data_map import ALL, DataClass, DataRow, Kept, Retention, rows
from domain.decisions import Reasons, Round
from domain.field_errors import field_errors
from domain.fields import Day, Label, Line, Note, refusal
from domain.forms import Form
from domain.notices import BOTH, plan
from domain.reasons import NONE_FOUND, ReasonStanding, reason
from domain.words import Words

MOST: Final = 60  # pieces that a case has at one time
_NUMBER: Final = Field(ge=1, le=10_000, strict=True)


class EvidenceState(StrEnum):
    """Whether a piece is among those that are given now, or was left out when they were given again."""

    GIVEN = "given"
    LEFT_OUT = "left_out"


class EvidenceResult(StrEnum):
    """What came of a piece: an officer saw that it proves, or does not; or what was proved fell later."""

    PROVED = "proved"
    NOT_PROVED = "not_proved"
    FALLEN = "fallen"


class SeenResult(StrEnum):
    """What an officer says of a piece that they saw."""

    PROVED = "proved"
    NOT_PROVED = "not_proved"


class EvidenceCommand(StrEnum):
    """What staff asks about the evidence of a case."""

    SEE = "see_evidence"
    FALL = "let_evidence_fall"


class EvidenceUse(StrEnum):
    """What a reason is given for of evidence."""

    FALL = "L"


class EvidenceReason(StrEnum):
    """Why what evidence proved counts no more; a programme may add others."""

    FALSE = "evidence_false"
    REVOKED = "evidence_revoked"
    MISREAD = "evidence_misread"
    # Of what was taken over: an officer does not take it as proved here, or it does not hold where it came from.
    SOURCE_REFUSED = "evidence_source_refused"
    SOURCE_FELL = "evidence_source_fell"


class EvidenceNotice(StrEnum):
    """What is told of evidence."""

    SOURCE_FELL = "evidence_source_fell"


_WHY: Final = {
    str(code): reason(code, [EvidenceUse.FALL], NONE_FOUND, ReasonStanding.UNCONFIRMED, grounds=())
    for code in EvidenceReason
}
# Of a programme whose cases have evidence, beside those of any.
EVIDENCE_WORDS: Final = Words(reasons=_WHY, uses=tuple(EvidenceUse), notices={EvidenceNotice.SOURCE_FELL: plan(BOTH)})


class EvidenceGiven(Body):
    """A piece of evidence for one item, as it is given.

    A programme has a class of its own below this one, whose `item` and `kind` are its own words.

    Attributes:
        values: the type of what each item claims and proves, as Pydantic reads it; an item without one has no value,
            and is proved or not.
    """

    values: ClassVar[Mapping[str, object]] = {}

    item: Label
    kind: Label
    issuer: Line
    number: Label | None = None
    date: Annotated[Day, Field(description="The day of the paper.")]
    value: JsonValue = Field(default=None, description="What it is to prove, where the item has a value.")

    @field_validator("value")
    @classmethod
    def _of_the_item(cls, value: JsonValue, info: ValidationInfo) -> JsonValue:
        item = info.data.get("item")
        return value if item is None or value is None else cls.read_value(item, value)

    @classmethod
    def read_value(cls, item: str, value: JsonValue) -> JsonValue:
        """Return the value of an item in the form in which it is kept, as JSON.

        Raises:
            PydanticCustomError: it is none of the item, or the item has none.
        """
        if item not in cls.values:
            raise refusal("unknown_field", "This item has no value: it is proved or not. Leave the value out.")
        try:
            read: JsonValue = _reader(cls, item).dump_python(_reader(cls, item).validate_python(value), mode="json")
        except ValidationError as error:
            wrong = field_errors(error)[0]
            raise PydanticCustomError(wrong.code, wrong.message, {"allowed": wrong.allowed}) from None
        return read

    def days_told(self) -> Mapping[str, Day]:
        """Return the days that a piece tells of, by field: none of them is to come."""
        return {"date": self.date}

    @classmethod
    def kinds_of(cls, field: str) -> tuple[str, ...]:
        """Return the words of `item` or `kind`."""
        words = cls.model_fields[field].annotation
        return tuple(words) if isinstance(words, type) and issubclass(words, StrEnum) else ()


_Piece = TypeVar("_Piece", bound=EvidenceGiven)
_SAME: Final = "The same piece of evidence stands in the list twice."


def _need_each_once(pieces: Iterable[EvidenceGiven]) -> None:
    papers = [(each.item, each.kind, each.issuer, each.number, each.date) for each in pieces]
    if len(set(papers)) < len(papers):
        raise refusal("unknown_value", _SAME)


class WithEvidence(Body, Generic[_Piece]):
    """What a form has beside its parts whose items are proved by evidence."""

    evidence: Annotated[tuple[_Piece, ...], Field(max_length=MOST)] = ()

    @field_validator("evidence")
    @classmethod
    def _each_once(cls, pieces: tuple[_Piece, ...]) -> tuple[_Piece, ...]:
        _need_each_once(pieces)
        return pieces


class EvidenceAgain(Corrections, Generic[_Piece]):
    """What the corrections of such a form have: all pieces that are given from now on, and not the new ones alone."""

    evidence: Annotated[
        tuple[_Piece, ...] | None,
        Field(max_length=MOST, description="All that is given from now on; what is left out counts no more."),
    ] = None

    @field_validator("evidence")
    @classmethod
    def _each_once(cls, pieces: tuple[_Piece, ...] | None) -> tuple[_Piece, ...] | None:
        _need_each_once(pieces or ())
        return pieces


def pieces_of(form: Form) -> tuple[EvidenceGiven, ...]:
    """Return the pieces of evidence that a form gives; none of one that takes none."""
    given: tuple[EvidenceGiven, ...] = getattr(form, "evidence", ())
    return given


def rows_of_evidence(form: str, corrections: str, piece: str) -> tuple[DataRow, ...]:
    """Return what the data map says of the evidence in a form, in its corrections, and in the class of its pieces."""
    until, why = Retention.CASE, "what proves what a form says"
    return (
        *rows(form, "evidence", why, ALL, of=DataClass.PERSONAL, kept=Kept.SEALED, until=until),
        *rows(corrections, "evidence", why, ALL, of=DataClass.PERSONAL, kept=Kept.SEALED, until=until),
        *rows(piece, "item kind issuer date", why, ALL, of=DataClass.PERSONAL, kept=Kept.IN_BODY, until=until),
        *rows(piece, "number value", why, ALL, of=DataClass.SENSITIVE, kept=Kept.IN_BODY, until=until),
    )


class EvidenceSeenRequest(Body):
    """What an officer says of a piece of evidence that they saw, and what it proves where its item has a value."""

    model_config = example({"result": "proved", "seen_in": "the original, at the counter", "round": 1})

    result: SeenResult
    value: JsonValue = Field(default=None, description="What it proves, where its item has a value.")
    seen_in: Note
    round: Round
    note: Note | None = None

    @model_validator(mode="after")
    def _proves_a_value(self) -> Self:
        if self.result is SeenResult.NOT_PROVED and self.value is not None:
            raise refusal("unknown_value", "What is not proved has no value: leave it out.")
        return self


class EvidenceFallenRequest(Body):
    """Why what a piece of evidence proved counts no more."""

    model_config = example({"reasons": [{"code": "evidence_revoked", "field": None, "note": None}], "note": None})

    reasons: Reasons
    note: Note | None = None


@cache
def _reader(piece: type[EvidenceGiven], item: str) -> TypeAdapter[Any]:
    of: Any = piece.values[item]
    return TypeAdapter(of)
