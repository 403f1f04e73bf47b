"""Forms out of the models of the API's bodies: which fields there are, what they are called, and what stands in them.

A page names a model (a programme's form, its corrections, a change, the body of a command), and takes its fields as
the published schema has them. What was typed becomes a body (`console.typed`), and a body, whether a draft, the facts
in force or what was just refused, becomes what the fields show. So a form is filled in anew from what was typed, to
the last character, and each refusal of the API stands at the field that it is about.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any, Final, get_args

from pydantic import BaseModel, TypeAdapter

from console.calling import ProblemError, WrongField
from domain.bodies import Parts
from domain.evidence import EvidenceGiven
from texts.form_words import FormWords

# What a page gives by itself, and nobody types.
BESIDE: Final = frozenset({"round", "reference"})
_MOST_RADIOS: Final = 8
_A_NOTE: Final = 500  # characters from which on a text has several lines
_SHORT: Final = 64
_MONEY: Final = "{1,2})?$"  # how the pattern of a sum ends: digits behind the point
_NOT_IN_IDS: Final = re.compile(r"[^A-Za-z0-9_]+")
_INDEX: Final = re.compile(r"\[[0-9]+\]$")


class Kind(StrEnum):
    """How a field is filled in."""

    TEXT = "text"
    NOTE = "note"
    DAY = "day"
    FLAG = "flag"
    ONE = "one"
    MANY = "many"
    WHOLE = "whole"
    SUM = "sum"
    GROUP = "group"
    ROWS = "rows"
    FIXED = "fixed"  # goes with the form and is not filled in: the item that a piece of evidence is for


@dataclass(frozen=True, slots=True)
class Option:
    """What may be chosen."""

    value: str
    words: str
    hint: str | None = None
    lang: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a form, or a group of fields, with what stands in it.

    Attributes:
        path: where it stands in the body, as the API's refusals name it; the name of its input too.
        is_required: whether the body has to have it.
        is_marked: whether it says that it may be left empty: where most of what stands around it may not.
        has_default: whether the body has a value of its own where none is given, which is then what stands in it.
        longest: the most characters that it may have.
        lang: the language of what is typed, where the field says it.
        value: what it shows: a text; of a day its year, month and day as typed; of several choices their codes.
        parts: the fields of a group.
        rows: the fields of each row of a list, of which each row is one group.
        addable: what a row may be added for.
    """

    path: str
    kind: Kind
    label: str
    hint: str | None = None
    is_required: bool = False
    is_marked: bool = False
    has_default: bool = False
    options: tuple[Option, ...] = ()
    longest: int | None = None
    inputmode: str | None = None
    input_type: str = "text"
    autocomplete: str = "off"
    lang: str | None = None
    value: Any = ""
    parts: tuple["Field", ...] = ()
    rows: tuple["Field", ...] = ()
    addable: tuple[Option, ...] = ()

    @property
    def id(self) -> str:
        """What its element, or the first one of several, is found by."""
        return field_id(self.focus.path) + ("-year" if self.focus.kind is Kind.DAY else "")

    @property
    def focus(self) -> "Field":
        """The field that is filled in first of it."""
        inner = [each for each in (*self.rows, *self.parts) if each.kind is not Kind.FIXED]
        return inner[0].focus if inner else self

    @property
    def width(self) -> int | None:
        """How many characters its box is wide, of the widths that there are; None for the whole column."""
        if self.kind is Kind.WHOLE:
            return 4
        if self.kind is Kind.SUM:
            return 10
        return 20 if self.longest is not None and self.longest <= _SHORT else None

    @property
    def is_long(self) -> bool:
        """Whether its choices are too many to be all in view."""
        return len(self.options) > _MOST_RADIOS

    @property
    def offered(self) -> list[tuple[str, str, str | None, str | None]]:
        """What may be chosen, as templates take it: the value, its words, what it means, its language."""
        return [(each.value, each.words, each.hint, each.lang) for each in self.options]

    def leaves(self) -> Iterator["Field"]:
        """Yield the fields that are filled in, of groups and rows too."""
        inner = (*self.parts, *self.rows)
        if self.kind in (Kind.GROUP, Kind.ROWS):
            for each in inner:
                yield from each.leaves()
        else:
            yield self


def field_id(path: str) -> str:
    """Return the id of the element that a field of a path is filled in by."""
    return f"f-{_NOT_IN_IDS.sub('-', path).strip('-')}"


def fields_of(
    model: type[BaseModel],
    words: FormWords,
    *,
    given: Mapping[str, Any] | None = None,
    only: Collection[str] | None = None,
    without: Collection[str] = BESIDE,
    offered: Mapping[str, Collection[str]] | None = None,
    is_own: bool = False,
) -> tuple[Field, ...]:
    """Return the fields of a model, filled in.

    Args:
        model: the body that is sent.
        words: what its fields are called.
        given: what they show, as a body of the model, which need not be a whole or a right one.
        only: the paths of what is asked, where that is not all: of a part all its fields.
        without: the paths of what is not asked.
        offered: what may be chosen by path, where that is less than the schema has; a single code is not asked.
        is_own: whether whoever fills it in tells of themself, so that the browser may fill in what it knows.
    """
    schema, rows = _schema_of(model)
    walk = _Walk(schema.get("$defs", {}), words, rows, is_own, issubclass(model, Parts), offered or {})
    built = sorted(_parts(walk, schema, "", given or {}), key=lambda each: each.kind is Kind.ROWS)
    return tuple(kept for each in built if (kept := _kept(each, only, without)) is not None)


def field_at(
    model: type[BaseModel], path: str, words: FormWords, *, name: str, given: Any = None, is_required: bool = True
) -> Field:
    """Return the field of a path of a model under another name: the value of a fact of a case, say.

    Raises:
        KeyError: the model has none.
    """
    schema, _ = _schema_of(model)
    walk, at = _plain_walk(schema, words), schema
    for part in path.split("."):
        at, _ = walk.plain(at["properties"][part])
    return replace(_field(walk, at, path, name, given), is_required=is_required)


def value_field(
    piece: type[EvidenceGiven], item: str, words: FormWords, *, name: str = "value", given: Any = None
) -> Field | None:
    """Return the field for what a piece of evidence for an item proves; None for an item that is proved or not."""
    if item not in piece.values:
        return None
    schema = _value_schema(piece, item)
    walk = _plain_walk(schema, words)
    at, _ = walk.plain(schema)
    return replace(_field(walk, at, item, name, given), is_required=True)


def placed(problem: ProblemError | None, fields: Sequence[Field]) -> ProblemError | None:
    """Return a refusal with each of its errors at the field of the page that it is about, and with the field's label.

    What is wrong with a part as a whole stands at its first field; what is of no field here keeps its path.
    """
    if problem is None or not problem.errors:
        return problem
    return ProblemError(
        status=problem.status,
        code=problem.code,
        title=problem.title,
        detail=problem.detail,
        errors=[_placed(each, fields) for each in problem.errors],
        facts=problem.facts,
    )


def _placed(wrong: WrongField, fields: Sequence[Field]) -> WrongField:
    path = wrong.field
    while path:
        for field in _all(fields):
            if field.path == path:
                return replace(wrong, field=field.focus.path, at=field.id, label=field.label)
        path = _INDEX.sub("", path) if _INDEX.search(path) else path.rpartition(".")[0]
    return wrong


def _all(fields: Sequence[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from _all((*field.parts, *field.rows))


def _kept(field: Field, only: Collection[str] | None, without: Collection[str]) -> Field | None:
    """Return a field as far as it is asked; a row of a list is asked with its list."""
    if field.path in without:
        return None
    if only is None or field.path in only:
        if field.kind is not Kind.GROUP or not without:
            return field
        return replace(field, parts=tuple(each for each in field.parts if each.path not in without))
    parts = tuple(kept for each in field.parts if (kept := _kept(each, only, without)) is not None)
    return replace(field, parts=parts) if parts else None


@dataclass(frozen=True, slots=True)
class _Walk:
    """What is carried along the walk through a schema.

    Attributes:
        defs: the schemas that others refer to.
        words: what fields are called.
        rows: the classes of pieces of evidence, by the field that lists them.
        is_own: whether whoever fills it in tells of themself.
        is_of_parts: whether all may be left out, so that nothing says so of itself.
        offered: what may be chosen by path, where that is less than the schema has.
    """

    defs: Mapping[str, Any]
    words: FormWords
    rows: Mapping[str, type[EvidenceGiven]]
    is_own: bool
    is_of_parts: bool
    offered: Mapping[str, Collection[str]]

    def plain(self, schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
        """Return what a schema refers to, and whether it may be null."""
        is_nullable = False
        while True:
            if "$ref" in schema:
                schema = self.defs[schema["$ref"].rpartition("/")[2]]
            elif "anyOf" in schema:
                some = [each for each in schema["anyOf"] if each.get("type") != "null"]
                is_nullable = is_nullable or len(some) < len(schema["anyOf"])
                schema = some[0]
            else:
                return schema, is_nullable


def _plain_walk(schema: Mapping[str, Any], words: FormWords) -> _Walk:
    return _Walk(schema.get("$defs", {}), words, {}, is_own=False, is_of_parts=False, offered={})


def _parts(walk: _Walk, schema: Mapping[str, Any], within: str, given: Any) -> tuple[Field, ...]:
    """Return the fields of an object."""
    given = given if isinstance(given, Mapping) else {}
    required = schema.get("required", ())
    found = []
    for name, of in schema.get("properties", {}).items():
        path = f"{within}.{name}" if within else name
        if path in BESIDE:
            continue
        plain, _ = walk.plain(of)
        if plain.get("type") == "array" and "enum" not in walk.plain(plain["items"])[0]:
            built = _rows(walk, plain, name, path, given.get(name))
        else:
            built = _field(walk, plain, path, path, given.get(name))
        found.append(_standing(walk, built, of, is_required=name in required))
    return tuple(found)


def _standing(walk: _Walk, built: Field, schema: Mapping[str, Any], *, is_required: bool) -> Field:
    """Return a field with whether it may be left out, and with what stands in it by itself.

    A text that has a value of its own is not asked, such as the version of what is signed: it goes as it was shown.
    """
    default = schema.get("default")
    if isinstance(default, str) and built.kind in (Kind.TEXT, Kind.ONE):
        kind = Kind.FIXED if built.kind is Kind.TEXT else built.kind
        return replace(built, kind=kind, value=built.value or default, is_required=is_required, has_default=True)
    is_marked = not is_required and not walk.is_of_parts and built.kind not in (Kind.GROUP, Kind.ROWS, Kind.FIXED)
    return replace(built, is_required=is_required, is_marked=is_marked)


def _rows(walk: _Walk, schema: Mapping[str, Any], name: str, path: str, given: Any) -> Field:
    """Return a list of objects: a group of fields for each that is given, and what another can be added for."""
    items, _ = walk.plain(schema["items"])
    piece = walk.rows.get(name)
    label = walk.words.label(path) or path
    rows = []
    for at, one in enumerate(given if isinstance(given, Sequence) and not isinstance(given, str) else ()):
        here = f"{path}[{at}]"
        parts = _parts(walk, items, here, one)
        titled = f"{label} {at + 1}"
        if piece is not None:
            parts, titled = _piece(walk, piece, parts, one, here, titled)
        rows.append(Field(path=here, kind=Kind.GROUP, label=titled, parts=parts, is_required=True))
    addable = _options(walk, f"{path}.item", piece.kinds_of("item")) if piece is not None else ()
    return Field(path=path, kind=Kind.ROWS, label=label, hint=walk.words.hint(path), rows=tuple(rows), addable=addable)


def _piece(
    walk: _Walk, piece: type[EvidenceGiven], parts: tuple[Field, ...], given: Any, path: str, titled: str
) -> tuple[tuple[Field, ...], str]:
    """Return the fields of a piece of evidence with its value as the item has one, and what the piece is called."""
    item = str(given.get("item") or "") if isinstance(given, Mapping) else ""
    value = value_field(piece, item, walk.words, name=f"{path}.value", given=given.get("value") if item else None)
    if value is not None:
        value = replace(value, label=walk.words.label("evidence.value") or value.label, hint=value.hint)
    kept = [
        replace(each, kind=Kind.FIXED) if item and each.path == f"{path}.item" else each
        for each in parts
        if each.path != f"{path}.value"
    ]
    word = walk.words.word("evidence.item", item)
    return (
        *kept,
        *([value] if value is not None else []),
    ), f"{titled}{walk.words.say('colon')}{word}" if word else titled


def _field(walk: _Walk, schema: Mapping[str, Any], path: str, name: str, given: Any) -> Field:
    """Return the field of a plain schema, called by its path and filled in under its name."""
    words = walk.words
    label, hint = words.label(path) or path.rpartition(".")[2], words.hint(path)
    built = Field(path=name, kind=Kind.TEXT, label=label, hint=hint, value=_typed(given))
    kind, last = schema.get("type"), path.rpartition(".")[2]
    if kind == "object":
        parts = _parts(walk, schema, name, given)
        return replace(built, kind=Kind.GROUP, value="", parts=tuple(_called(walk, each, path, name) for each in parts))
    if kind == "array":
        codes = walk.plain(schema["items"])[0]["enum"]
        chosen = tuple(map(str, given)) if isinstance(given, list | tuple) else ()
        return replace(built, kind=Kind.MANY, options=_options(walk, path, codes), value=chosen)
    if kind == "boolean":
        options = _options(walk, path, ("yes", "no"))
        shown = {True: "yes", False: "no"}.get(given, "") if isinstance(given, bool) else _typed(given)
        return replace(built, kind=Kind.FLAG, options=options, value=shown)
    if "enum" in schema:
        codes = walk.offered.get(name) or schema["enum"]
        if len(codes) == 1:
            return replace(built, kind=Kind.FIXED, value=next(iter(codes)))
        return replace(built, kind=Kind.ONE, options=_options(walk, path, codes))
    if kind == "integer":
        return replace(built, kind=Kind.WHOLE, inputmode="numeric")
    if schema.get("format") == "date":
        year, month, day = (*_typed(given).split("-", 2), "", "", "")[:3]
        return replace(built, kind=Kind.DAY, value=(year, month, day), hint=hint or words.say("day_hint"))
    if schema.get("pattern", "").endswith(_MONEY):
        return replace(built, kind=Kind.SUM, inputmode="decimal")
    longest = schema.get("maxLength")
    return replace(
        built,
        kind=Kind.NOTE if longest is not None and longest >= _A_NOTE else Kind.TEXT,
        longest=longest,
        inputmode="numeric" if "[0-9]{" in schema.get("pattern", "") else None,
        input_type=_INPUT_TYPES.get(last, "text"),
        autocomplete=_OWN.get(last, "off") if walk.is_own else "off",
        lang={"zh": "zh", "en": "en"}.get(last.rpartition("_")[2]),
    )


def _called(walk: _Walk, field: Field, path: str, name: str) -> Field:
    """Return a field of a group that stands under another name, called by its own path."""
    own = f"{path}{field.path.removeprefix(name)}"
    return field if own == field.path else replace(field, label=walk.words.label(own) or field.label)


def _options(walk: _Walk, path: str, codes: Collection[str]) -> tuple[Option, ...]:
    """Return what a field may hold, in words; a language in its own."""
    words = walk.words
    return tuple(
        Option(
            code,
            words.word(path, code) or code,
            words.word_hint(path, code),
            lang=code if path.rpartition(".")[2] == "language" else None,
        )
        for code in codes
    )


def _typed(given: Any) -> str:
    return given if isinstance(given, str) else "" if given is None or isinstance(given, Mapping | list) else str(given)


_INPUT_TYPES: Final = {"email": "email", "phone": "tel"}
# What a browser may fill in of whoever fills in the form (WCAG 2.2, 1.3.5).
_OWN: Final = {"email": "email", "phone": "tel", "name_zh": "name", "birth_date": "bday"}


@cache
def _schema_of(model: type[BaseModel]) -> tuple[Mapping[str, Any], Mapping[str, type[EvidenceGiven]]]:
    """Return the published schema of a model, and the classes of the evidence that it lists."""
    rows = {name: piece for name, of in model.model_fields.items() if (piece := _piece_in(of.annotation)) is not None}
    return model.model_json_schema(mode="validation"), rows


@cache
def _value_schema(piece: type[EvidenceGiven], item: str) -> Mapping[str, Any]:
    of: Any = piece.values[item]
    return TypeAdapter(of).json_schema()


def _piece_in(annotation: Any) -> type[EvidenceGiven] | None:
    if isinstance(annotation, type) and issubclass(annotation, EvidenceGiven):
        return annotation
    return next((piece for each in get_args(annotation) if (piece := _piece_in(each)) is not None), None)
