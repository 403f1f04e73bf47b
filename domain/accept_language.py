"""The language of an answer, chosen by `Accept-Language`."""

from typing import Final

from domain.languages import Language

_BY_TAG: Final = {
    "zh": Language.ZH_HANS,
    "zh-hans": Language.ZH_HANS,
    "zh-cn": Language.ZH_HANS,
    "zh-sg": Language.ZH_HANS,
    "zh-hant": Language.ZH_HANT,
    "zh-hk": Language.ZH_HANT,
    "zh-mo": Language.ZH_HANT,
    "zh-tw": Language.ZH_HANT,
    "en": Language.EN,
}
_MOST_RANGES: Final = 20
DEFAULT: Final = Language.EN


def negotiate(header: str | None) -> Language:
    """Return the language that the header likes best, English where it names none of the three (RFC 9110, 12.5.4)."""
    ranges = [_weighed(part) for part in (header or "").split(",")[:_MOST_RANGES]]
    for _, tag in sorted((entry for entry in ranges if entry[0] > 0), key=lambda entry: -entry[0]):
        language = _find(tag)
        if language is not None:
            return language
    return DEFAULT


def _weighed(part: str) -> tuple[float, str]:
    tag, _, parameter = part.partition(";")
    name, _, value = parameter.partition("=")
    if not name.strip():
        return 1.0, tag.strip().lower()
    try:
        weight = float(value)
    except ValueError:
        weight = 0.0
    return (weight if name.strip() == "q" and 0 <= weight <= 1 else 0.0), tag.strip().lower()


def _find(tag: str) -> Language | None:
    parts = tag.split("-")
    for length in range(len(parts), 0, -1):
        language = _BY_TAG.get("-".join(parts[:length]))
        if language is not None:
            return language
    return None
