"""What the fields of forms are called where somebody fills them in: labels, hints, and the words of what is chosen.

They stand in the catalogue `form` of the core and of each room, whose words go before the core's. A field is found by
the end of its path, the longest first: `document.number` before `number`. One without a label here is called as the
person reads it (`texts.person`), and a choice without a word here by the word of rosters (`texts.roster`).
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from pydantic import TypeAdapter

from domain.languages import Language
from texts.catalogue import Sentence, read_catalogue, read_yaml
from texts.person import GROUPS as PERSON
from texts.roster import words_of

_Groups = dict[str, dict[str, Sentence]]
_CONTENT: Final = TypeAdapter(_Groups)
CORE: Final = "texts"  # the package whose forms no programme declares
# Fields whose codes are those of other fields, and are called so.
_CHOOSES_FIELD: Final = frozenset({"item", "field", "fields"})
_INDEX: Final = re.compile(r"\[[0-9]+\]")


class FormWords:
    """The words of the forms of one programme in one language."""

    def __init__(self, package: str, language: Language) -> None:
        self.language: Final = language
        self._room = package
        self._said = said_in(package)
        self._roster = words_of(package).values

    def label(self, path: str) -> str | None:
        """Return what a field or a part is called, as the beginning of a sentence; None where nobody says it."""
        said = self._find("labels", path) or PERSON.find("fields", _last(path), self._room)
        return None if said is None else _first_large(said.in_language(self.language))

    def hint(self, path: str) -> str | None:
        """Return what goes into a field, where that is said."""
        said = self._find("hints", path)
        return None if said is None else said.in_language(self.language)

    def word(self, path: str, code: str) -> str | None:
        """Return what a code is called that a field may hold; None where nobody says it."""
        for end in _ends(path):
            said = self._said.get(f"of_{end}", {}).get(code)
            if said is None and code in self._roster.get(end, ()):
                said = self._roster[end][code].word
            if said is not None:
                return said.in_language(self.language)
        if _last(path) in _CHOOSES_FIELD:
            return self.label(code)
        flag = self._roster["flag"].get(code)
        return None if flag is None or flag.word is None else flag.word.in_language(self.language)

    def word_hint(self, path: str, code: str) -> str | None:
        """Return what a code means, where its word does not say enough."""
        return self.hint(f"{path}.{code}")

    def say(self, code: str) -> str:
        """Return what any form says around its fields.

        Raises:
            KeyError: nobody says that.
        """
        return self._said["around"][code].in_language(self.language)

    def _find(self, group: str, path: str) -> Sentence | None:
        return next((said for end in _ends(path) if (said := self._said[group].get(end)) is not None), None)


@cache
def said_in(package: str) -> Mapping[str, Mapping[str, Sentence]]:
    """Return what the core and a room say of forms, by group and code."""
    core = _CONTENT.validate_python(read_catalogue("form"))
    file = files(package) / "texts" / "form.yaml"
    own: Any = _CONTENT.validate_python(read_yaml(file)) if file.is_file() else {}
    return {group: {**core.get(group, {}), **own.get(group, {})} for group in core.keys() | own.keys()}


def _ends(path: str) -> Iterator[str]:
    """Yield the ends of a path, the longest first, without the places in lists."""
    parts = _INDEX.sub("", path).split(".")
    for at in range(len(parts)):
        yield ".".join(parts[at:])


def _last(path: str) -> str:
    return _INDEX.sub("", path).rpartition(".")[2]


def _first_large(said: str) -> str:
    return said[:1].upper() + said[1:]
