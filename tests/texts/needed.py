"""What each reader of a notice has to find in it, by programme: `needed_words/core.yaml` and a file of each programme.

A kind that a programme says itself stands in the file of its code, whole; of all others the core's words are needed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from domain.languages import Language
from domain.stages import PendingAct
from tests.programmes.declared import DECLARED
from texts.notices.catalogue import ROOMS
from texts.reasons import reason_sentence

# By kind, reader, and what is looked for: the words in simplified Chinese, traditional Chinese and English.
Needed = Mapping[str, Mapping[str, Mapping[str, list[str]]]]

FOLDER: Final = Path(__file__).parent / "needed_words"
_PLACES: Final = (Language.ZH_HANS, Language.ZH_HANT, Language.EN)


def _read(name: str) -> Needed:
    path = FOLDER / f"{name}.yaml"
    found: Needed = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


OF_CORE: Final = _read("core")
OWN: Final[Mapping[str, Needed]] = {code: _read(code) for code in DECLARED}
NEEDED: Final[Mapping[str, Needed]] = {code: {**OF_CORE, **own} for code, own in OWN.items()}


def words_for(code: str, kind: str, recipient: str, language: Language) -> list[str]:
    """Return what a reader of a programme's notice has to find in it."""
    room = ROOMS[DECLARED[code].texts].words[language]
    said = {
        "application-words": room["own"]["application"],
        "refuse-words": room["acts"][PendingAct.REFUSE],
        "end-reason": reason_sentence("contract_ended", language),
    }
    found = [words[_PLACES.index(language)] for words in NEEDED[code][kind][recipient].values()]
    return [said.get(each, each) for each in found]
