"""The three languages of everything that people read."""

from enum import StrEnum


class Language(StrEnum):
    """A language of the catalogue, named as `Accept-Language` and `<html lang>` name it."""

    ZH_HANS = "zh-Hans"
    ZH_HANT = "zh-Hant"
    EN = "en"
