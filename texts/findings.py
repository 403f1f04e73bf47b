"""What a finding says to its reader."""

from collections.abc import Mapping
from typing import Final

from domain.findings import Finding, FindingOutcome
from domain.languages import Language
from texts.catalogue import Sentence, read_groups

FINDINGS: Final[Mapping[str, Mapping[str, Sentence]]] = read_groups("findings")


def finding_sentence(finding: Finding, language: Language) -> str:
    """Return the sentence of a finding in a language."""
    return sentence_of(finding.code, finding.outcome, language)


def sentence_of(code: str, outcome: FindingOutcome, language: Language) -> str:
    """Return the sentence of a finding's code and outcome in a language."""
    return FINDINGS[code][outcome].in_language(language)
