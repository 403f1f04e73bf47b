"""Pages out of templates: what every template may use, in the language of its reader."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from console.entries import entries_of
from console.forms import field_id
from domain.languages import Language
from texts import console as texts
from texts.form_words import CORE, FormWords

_LANGUAGES: Final = {
    Language.ZH_HANS: ("简", "简体中文"),
    Language.ZH_HANT: ("繁", "繁體中文"),
    Language.EN: ("EN", "English"),
}


@cache
def served_assets() -> Mapping[str, str]:
    """Return the served names of styles and scripts, by their own."""
    made = orjson.loads((files("console") / "assets" / "vendored.json").read_bytes())
    return {name: f"/assets/{file['served']}" for name, file in made["files"].items()}


@cache
def environment() -> Environment:
    """Return where templates are, with what does not depend on who reads a page."""
    environment = Environment(
        loader=PackageLoader("console", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
    )
    environment.globals["assets"] = served_assets()
    environment.globals["languages"] = _LANGUAGES
    environment.filters["named"] = named
    environment.filters["field_id"] = field_id
    return environment


def render(request: Request, template: str, *, status: int = 200, **facts: Any) -> HTMLResponse:
    """Return a page; `facts` are what its template asks for by name."""
    return HTMLResponse(fragment(request, f"pages/{template}.html", **facts), status_code=status)


def fragment(request: Request, template: str, **facts: Any) -> str:
    """Return what a template makes of its facts, for a whole page or for a part that htmx takes in."""
    return environment().get_template(template).render(said_to(request), **facts)


def said_to(request: Request) -> dict[str, Any]:
    """Return what every template has by name: words, dates and numbers in the reader's language, and who reads."""
    language: Language = request.state.language
    session = request.state.session
    today = request.app.state.today()

    def written(value: date | datetime | str | None, *, weekday: bool = False) -> Markup:
        """A day or a moment, in an element that says it to machines too."""
        return _time(value, language, weekday=weekday)

    def short(value: date | str | None) -> Markup:
        if not value:
            return Markup("—")
        there = value if isinstance(value, date) else date.fromisoformat(value[:10])
        return Markup('<time datetime="{}">{}</time>').format(there.isoformat(), texts.short_day(there, today))

    return {
        "say": texts.sayer(language),
        "say_form": FormWords(CORE, language).say,
        "language": language,
        "session": session,
        "entries": entries_of(session, request.url.path),
        "path": request.url.path,
        "here": _here(request),
        "day": written,
        "short_day": short,
        "number": lambda value: texts.number(value, language),
        "today": today,
        "notes": request.app.state.notes(request),
    }


def _time(value: date | datetime | str | None, language: Language, *, weekday: bool) -> Markup:
    if not value:
        return Markup("—")
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if len(value) > len("2026-11-26") else date.fromisoformat(value)
    said = texts.moment(value, language) if isinstance(value, datetime) else texts.day(value, language, weekday=weekday)
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), said)


def _here(request: Request) -> str:
    """The address of the page without its language, to which a language is added by a link."""
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return f"{request.url.path}?{urlencode(query)}&" if query else f"{request.url.path}?"


def named(name: str | None) -> Markup:
    """Return a person's or a body's name as given, said to be Chinese where it has Han characters."""
    if not name:
        return Markup("—")
    is_han = any("\u3400" <= mark <= "\u9fff" for mark in name)
    return Markup('<span lang="{}">{}</span>').format("zh" if is_han else "en", name)
