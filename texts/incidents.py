"""What an incident is, what it asks of the operator and which command mends it, in three languages."""

from collections.abc import Mapping
from typing import Final

from domain.languages import Language
from texts.catalogue import Sentence, read_groups

INCIDENTS: Final[Mapping[str, Mapping[str, Sentence]]] = read_groups("incidents")
# A newer worker may know of a kind that this process does not.
_UNKNOWN: Final = "other"


def incident_help(kind: str, language: Language) -> dict[str, str]:
    """Return what an incident of a kind is (`says`), what to do (`to_do`), by which call or command (`by`), and where
    docs/operations.md has it (`anchor`).
    """
    known = kind if kind in INCIDENTS else _UNKNOWN
    said = {part: sentence.in_language(language) for part, sentence in INCIDENTS[known].items()}
    return {**said, "anchor": f"incident-{known.replace('_', '-')}"}
