"""What was typed into a form, as the body that the API takes; and what of it differs from what is known.

sent = read_form(RegistrationRequest, words, await request.form())
if not sent.is_sent: show the form again with `sent.body`, a row more or less
else: await api.ask(path, sent.body, key=…), and on a refusal show it again with `sent.body` and the refusal placed
"""

import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel
from starlette.datastructures import FormData

from console.forms import BESIDE, Field, Kind, fields_of
from texts.form_words import FormWords

# Buttons that change the form and send nothing: a row of a list more, for what is chosen beside it, or one less.
ADD: Final = "_add"
ADD_FOR: Final = "_add_for"
REMOVE: Final = "_remove"
ROWS: Final = "_rows."  # before the path of a list: how many rows of it the form was rendered with
_MOST_ROWS: Final = 200
_DAY_PARTS: Final = ("year", "month", "day")
_NOTHING: Final = object()


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form said: the body, and whether it was sent or only changed, by a row more or less."""

    body: dict[str, Any]
    is_sent: bool


def read_form(
    model: type[BaseModel],
    words: FormWords,
    form: FormData,
    *,
    only: Collection[str] | None = None,
    without: Collection[str] = BESIDE,
) -> Sent:
    """Return what a form said that was rendered from the fields of a model."""
    fields = fields_of(model, words, given=rows_in(form), only=only, without=without)
    changed = with_rows(fields, form)
    return Sent(body_of(fields, form), is_sent=True) if changed is None else Sent(changed, is_sent=False)


def body_of(fields: Sequence[Field], form: FormData) -> dict[str, Any]:
    """Return the body that a form says; what was left empty is left out, so that the API says whether it is needed.

    A part that the body has to have is there even when nothing of it was typed, so that each of its fields is named.
    What cannot be read goes on as it was typed, for the API to refuse and for the form to show again.
    """
    body: dict[str, Any] = {}
    for field in fields:
        if (read := _read(field, form)) is not _NOTHING:
            body[_name(field)] = read
    return body


def with_rows(fields: Sequence[Field], form: FormData) -> dict[str, Any] | None:
    """Return the body with a row more or less, where a button for that was pressed; None where the form was sent."""
    body = body_of(fields, form)
    for field in fields:
        if field.kind is not Kind.ROWS:
            continue
        rows: list[Any] = body.get(_name(field), [])
        if form.get(ADD) == field.path:
            item = form.get(f"{ADD_FOR}.{field.path}")
            rows.append({"item": item} if isinstance(item, str) and item else {})
            return {**body, _name(field): rows}
        for at, row in enumerate(field.rows):
            if form.get(REMOVE) == row.path:
                return {**body, _name(field): [*rows[:at], *rows[at + 1 :]]}
    return None


def rows_in(form: FormData) -> dict[str, Any]:
    """Return which rows of its lists a form was rendered with, as a body of nothing else."""
    lists: dict[str, Any] = {}
    for name, sent in form.multi_items():
        if name.startswith(ROWS) and isinstance(sent, str) and sent.isascii() and sent.isdigit():
            path = name.removeprefix(ROWS)
            items = [form.get(f"{path}[{at}].item") for at in range(min(int(sent[:4]), _MOST_ROWS))]
            lists[path] = [{"item": item} if isinstance(item, str) else {} for item in items]
    return lists


def changes(fields: Sequence[Field], known: Mapping[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed otherwise than it is known, as the body of a correction or a change.

    A field of a part that was emptied is null; a letter or a list goes as a whole.
    """
    changed: dict[str, Any] = {}
    for field in fields:
        name = _name(field)
        before, after = known.get(name), typed.get(name)
        if field.kind is Kind.GROUP and "." not in field.path:
            inner = _differing(field.parts, before or {}, after or {})
            if inner:
                changed[name] = inner
        elif not _is_same(before, after):
            changed[name] = after
    return changed


def _differing(fields: Iterable[Field], known: Mapping[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    names = [_name(field) for field in fields]
    return {name: typed.get(name) for name in names if not _is_same(known.get(name), typed.get(name))}


def _is_same(before: Any, after: Any) -> bool:
    return before == after or (before in (None, [], {}) and after in (None, [], {}))


def _read(field: Field, form: FormData) -> Any:
    if field.kind is Kind.GROUP:
        inner = body_of(field.parts, form)
        return inner if inner or field.is_required else _NOTHING
    if field.kind is Kind.ROWS:
        rows = [body_of(row.parts, form) for row in field.rows]
        return rows if rows or field.is_required else _NOTHING
    if field.kind is Kind.MANY:
        chosen = [each for each in form.getlist(field.path) if isinstance(each, str)]
        return chosen if chosen or field.is_required else _NOTHING
    if field.kind is Kind.DAY:
        typed = [_plain(form.get(f"{field.path}.{part}")) for part in _DAY_PARTS]
        return "-".join(_two(each) for each in typed) if any(typed) else _NOTHING
    typed_in = form.get(field.path)
    text = typed_in.strip() if isinstance(typed_in, str) else ""
    return _AS[field.kind](text) if text else _NOTHING


def _whole(text: str) -> Any:
    plain = _plain(text)
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < _DIGITS else text


def _sum(text: str) -> str:
    return _plain(text).replace(",", "").removeprefix("¥").removesuffix("元").strip() or text


def _flag(text: str) -> Any:
    return {"yes": True, "no": False}.get(text, text)


def _as_typed(text: str) -> str:
    return text


_DIGITS: Final = 12
_AS: Final[Mapping[Kind, Callable[[str], Any]]] = {
    Kind.TEXT: _as_typed,
    Kind.NOTE: _as_typed,
    Kind.ONE: _as_typed,
    Kind.FIXED: _as_typed,
    Kind.FLAG: _flag,
    Kind.WHOLE: _whole,
    Kind.SUM: _sum,
}


def _plain(typed: Any) -> str:
    """Return digits in their plain form: people type wide ones where they write Chinese."""
    return unicodedata.normalize("NFKC", typed).strip() if isinstance(typed, str) else ""


def _two(part: str) -> str:
    return part.zfill(2) if part.isascii() and part.isdigit() else part


def _name(field: Field) -> str:
    return field.path.rpartition(".")[2]
