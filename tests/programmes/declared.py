"""Every programme that is declared: those of the registry, and the toy, whose texts stand in its own folder."""

from collections.abc import Mapping
from typing import Final

from cases.programme import Programme
from domain.words import Words, joined
from programmes import PROGRAMMES
from tests.programmes.toy.programme import TOY

DECLARED: Final[Mapping[str, Programme]] = {**PROGRAMMES, TOY.code: TOY}
WORDS: Final[Words] = joined(each.words for each in DECLARED.values())
