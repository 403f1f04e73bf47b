"""What the console's pages say around what the API says: their own words by page, counted ones, and dates."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from domain.clock import CHINA
from domain.languages import Language
from texts.catalogue import Groups, read_groups

# Files of the catalogue, each with groups of its own: what all pages say, and then page by page.
FILES: Final = (
    "console",
    "console_case",
    "console_home",
    "console_inbox",
    "console_open",
    "console_sign_in",
    "console_story",
)
_LOCALES: Final = {
    Language.EN: Locale.parse("en_GB"),
    Language.ZH_HANS: Locale.parse("zh_Hans_CN"),
    Language.ZH_HANT: Locale.parse("zh_Hant_HK"),
}
# Between the forms of a counted sentence, in the order in which the language's rules name them: one, other.
_FORMS: Final = " || "


@cache
def _groups() -> Mapping[str, Groups]:
    return {name: read_groups(name) for name in FILES}


def say(group: str, code: str, language: Language, **facts: Any) -> Markup:
    """Return a sentence of a page with its facts, each escaped as text; `n` picks the form of one that counts.

    Raises:
        KeyError: nobody says that code, or it needs a fact that is not given.
    """
    for groups in _groups().values():
        if (sentence := groups.find(group, code)) is not None:
            forms = sentence.in_language(language).split(_FORMS)
            plural = _LOCALES[language].plural_form(facts["n"]) if len(forms) > 1 else "other"
            form = forms[0] if plural == "one" else forms[-1]
            words = Markup(form)  # noqa: S704 - the catalogue's own
            return words.format(**{name: escape(value) for name, value in facts.items()})
    raise KeyError(f"{group}.{code}")


def day(value: date, language: Language, *, weekday: bool = False) -> str:
    """Return a day in full: 26 November 2026 (Thursday), 2026年11月26日（周四）."""
    locale = _LOCALES[language]
    written = format_date(value, "d MMMM y" if language is Language.EN else "y年M月d日", locale=locale)
    if not weekday:
        return written
    named = format_skeleton("EEE" if language is not Language.EN else "EEEE", value, locale=locale)
    return f"{named} {written}" if language is Language.EN else f"{written}（{named}）"


def moment(value: datetime, language: Language) -> str:
    """Return a moment in Beijing's time: 26 November 2026, 10:42."""
    there = value.astimezone(CHINA)
    time = format_time(there, "HH:mm", locale=_LOCALES[language], tzinfo=CHINA)
    return f"{day(there.date(), language)}{', ' if language is Language.EN else ' '}{time}"


def short_day(value: date, today: date) -> str:
    """Return a day for a column of a table: 11-26 in this year, 2029-11-08 in others."""
    return value.strftime("%m-%d") if value.year == today.year else value.isoformat()


def number(value: float, language: Language) -> str:
    """Return a number with its groups of digits."""
    return format_decimal(value, locale=_LOCALES[language])


def sayer(language: Language) -> Callable[..., Markup]:
    """Return what says a sentence in a language, by `group.code`."""

    def said(path: str, **facts: Any) -> Markup:
        group, _, code = path.partition(".")
        return say(group, code, language, **facts)

    return said
