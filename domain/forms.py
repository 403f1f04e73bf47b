"""What any form has that opens a case: the person whom it is about, and its fields as reasons and facts name them.

A programme's form is a model of its own below `Form`; the core asks of it what stands here and knows no other field.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, NamedTuple, Self, TypeGuard, TypeVar, get_args, get_origin

from pydantic import ValidationError

from domain.bodies import Body, Corrections, Parts
from domain.documents import Document, DocumentKind, document_of_eighteen, kept_document
from domain.errors import Defect, FieldError
from domain.field_errors import field_errors
from domain.fields import Label
from domain.languages import Language

# The name that the person of a form stands under, unless a form says otherwise.
_PERSON = "person"


class Subject(NamedTuple):
    """The person whom a case is about, as its form gives them."""

    name_zh: str
    name_en: str | None
    document: Document
    email: str | None
    phone: str | None
    language: Language

    def name_in(self, language: Language) -> str:
        """Return the name for a reader of a language."""
        return self.name_en if language is Language.EN and self.name_en else self.name_zh


class Form(Body):
    """What is given to open a case.

    Attributes:
        corrections: the parts of it that may be given again.
        fact_fields: the fields of which an officer may record what was seen, by path: never who the person is, nor how
            they are reached.
        past: the paths of days that have come when they are given, such as a birth date.
    """

    corrections: ClassVar[type[Corrections]]
    fact_fields: ClassVar[type[StrEnum]]
    past: ClassVar[tuple[str, ...]] = ()

    client_reference: Label | None = None

    @classmethod
    def subject_of(cls, given: Mapping[str, Any]) -> Subject:
        """Return the person of a form as it was stored; it was checked when it was taken on and is not again."""
        person = given[_PERSON]
        return Subject(
            name_zh=person["name_zh"],
            name_en=person.get("name_en"),
            document=cls.document_of(person),
            email=person.get("email"),
            phone=person.get("phone"),
            language=Language(person["language"]),
        )

    @classmethod
    def document_in(cls, given: Mapping[str, Any]) -> Document | None:
        """Return the person's document in parts of a form as they were stored, or None where they have none."""
        person = given.get(_PERSON) or {}
        return cls.document_of(person) if person.keys() & {"identity_number", "document"} else None

    @classmethod
    def document_of(cls, person: Mapping[str, Any]) -> Document:
        """Return the document by which the person of a form is known: `document` there, or `identity_number`."""
        if "document" in person:
            given = person["document"]
            return kept_document(DocumentKind(given["kind"]), given["place"], given["number"])
        return document_of_eighteen(person["identity_number"])

    @classmethod
    def name_of(cls, part: str) -> str:
        """Return the name of a part's class, under which the data map says what is kept of it."""
        found = _body_of(cls.model_fields[part].annotation)
        if found is None:
            raise KeyError(part)
        return found.__name__

    @property
    def subject(self) -> Subject:
        """The person whom the case is about."""
        person = getattr(self, _PERSON)
        document = self.document_of(person.model_dump(mode="json", include={"identity_number", "document"}))
        return Subject(person.name_zh, person.name_en, document, person.email, person.phone, person.language)

    @property
    def further_documents(self) -> tuple[Document, ...]:
        """The documents that the person has by now, beside the one that the case was opened with."""
        return ()

    @property
    def document_field(self) -> str:
        """The path of the field that the person is known by."""
        given = getattr(getattr(self, _PERSON), "document", None)
        return f"{_PERSON}.{'identity_number' if given is None else 'document'}"

    def with_contact(self, contact: Mapping[str, str | None]) -> Self:
        """Return the form with other addresses of its person, by the names of their fields."""
        return self.model_copy(update={_PERSON: getattr(self, _PERSON).model_copy(update=dict(contact))})

    @classmethod
    def fields_by_part(cls) -> Mapping[str, tuple[str, ...]]:
        """Return the fields of each part, which a purpose opens; what the person reads is no secret."""
        return _fields_by_part(cls)

    @classmethod
    def days(cls) -> frozenset[str]:
        """Return the fields of its parts that are days, by their names within the parts."""
        return _days_of(cls)

    @classmethod
    def paths(cls) -> tuple[str, ...]:
        """Return what a reason may be about, by path; whoever names a field may leave out the parts it lies in."""
        return _paths_of(cls)

    @classmethod
    def find_path(cls, name: str) -> str | None:
        """Return the whole path of a field, or None where the form has none of the name."""
        return next((path for path in cls.paths() if path == name or path.endswith(f".{name}")), None)

    @classmethod
    def read_field(cls, path: str, value: object) -> Any:
        """Return a value of a field with the type and in the form that the field has.

        Raises:
            pydantic.ValidationError: it is no value of the field.
        """
        part, _, name = path.partition(".")
        return getattr(getattr(cls._part_with(path, value), part), name)

    @classmethod
    def plain_field(cls, path: str, value: object) -> Any:
        """Return a value of a field as JSON, in the form that the field has.

        Raises:
            pydantic.ValidationError: it is no value of the field.
        """
        part, _, name = path.partition(".")
        return cls._part_with(path, value).model_dump(mode="json")[part][name]

    @classmethod
    def _part_with(cls, path: str, value: object) -> Parts:
        part, _, name = path.partition(".")
        return cls.corrections.model_validate({part: {name: value}})

    def given_of(self, path: str) -> Any:
        """Return what was given of a field, as JSON."""
        part, _, name = path.partition(".")
        return self.model_dump(mode="json")[part][name]

    def day_at(self, path: str) -> date | None:
        """Return a day that was given in a part, or None where it was not."""
        part, _, name = path.partition(".")
        day: date | None = getattr(getattr(self, part), name)
        return day

    def with_field(self, path: str, value: object) -> Self:
        """Return the form with another value of a field, whether or not it fits the others."""
        part, _, name = path.partition(".")
        changed = getattr(self, part).model_copy(update={name: self.read_field(path, value)})
        return self.model_copy(update={part: changed})

    def clashes(self, path: str | None = None, value: object = None) -> dict[str, FieldError]:
        """Return what does not hold together, by field: of the form as it is, or with another value of a field."""
        try:
            self._merged({} if path is None else self._part_with(path, value).model_dump(exclude_unset=True))
        except ValidationError as error:
            return {each.field: each for each in field_errors(error)}
        return {}

    def corrected(self, correction: Parts) -> Self:
        """Return the form with the parts that change.

        Raises:
            pydantic.ValidationError: the whole does not hold together, or a field that it needs was removed.
        """
        return self._merged(correction.model_dump(exclude_unset=True, exclude=set(correction.beside)))

    def differs_in(self, other: Self) -> tuple[str, ...]:
        """Return the paths of the fields in which another form of the kind says something else, in their order."""
        mine, others, parts = self.model_dump(mode="json"), other.model_dump(mode="json"), self.fields_by_part()
        found: list[str] = []
        for name, value in mine.items():
            theirs = others[name]
            if name in parts and isinstance(value, dict) and isinstance(theirs, dict):
                found += [f"{name}.{field}" for field in value if value[field] != theirs[field]]
            elif value != theirs:
                found.append(name)
        return tuple(found)

    def with_parts(self, parts: Mapping[str, Any]) -> Self:
        """Return the form with other values in its parts, whether or not an owner may give them again.

        Raises:
            pydantic.ValidationError: the whole does not hold together, or a field that it needs was removed.
        """
        return self._merged(parts)

    def _merged(self, changes: Mapping[str, Any]) -> Self:
        whole, parts = self.model_dump(exclude_none=True), self.fields_by_part()
        for name, change in changes.items():
            whole[name] = {**whole[name], **change} if name in parts and change is not None else change
        return type(self).model_validate(whole)


_Form = TypeVar("_Form", bound=Form)


def need_form(given: Form, form: type[_Form]) -> _Form:
    """Return what was given as the form of its programme, which nobody else asks for.

    Raises:
        Defect: it is another programme's.
    """
    if not isinstance(given, form):
        raise Defect("facts_malformed")
    return given


def find_path(forms: Iterable[type[Form]], name: str) -> str | None:
    """Return the whole path of a field of one of the forms, or None where none has one of the name."""
    return next((path for form in forms if (path := form.find_path(name)) is not None), None)


@cache
def _fields_by_part(form: type[Form]) -> Mapping[str, tuple[str, ...]]:
    parts = {name: _body_of(field.annotation) for name, field in form.model_fields.items()}
    return {
        name: tuple(field for field in part.model_fields if field != "language")
        for name, part in parts.items()
        if part is not None
    }


@cache
def _days_of(form: type[Form]) -> frozenset[str]:
    parts = (_body_of(field.annotation) for field in form.model_fields.values())
    return frozenset(
        name
        for part in parts
        if part is not None
        for name, field in part.model_fields.items()
        if _is_day(field.annotation)
    )


@cache
def _paths_of(form: type[Form]) -> tuple[str, ...]:
    return tuple(_paths(form))


def _paths(body: type[Body], within: str = "") -> Iterator[str]:
    for name, field in body.model_fields.items():
        inner = _body_of(field.annotation)
        if inner is None or within:
            yield f"{within}{name}"
        if inner is not None:
            yield from _paths(inner, f"{within}{name}.")


def _is_day(annotation: object) -> bool:
    return annotation is date or any(map(_is_day, get_args(annotation)))


def _body_of(annotation: object) -> type[Body] | None:
    if get_origin(annotation) is tuple:
        return None  # a list is given again as a whole, and is no part with fields of its own
    return next((each for each in (annotation, *get_args(annotation)) if _is_body(each)), None)


def _is_body(of: object) -> TypeGuard[type[Body]]:
    return isinstance(of, type) and issubclass(of, Body)
