"""The talent permit, declared: registrations of employers' people, and the permits that follow from them."""

from typing import Final

from cases.programme import Programme
from domain import spellings
from programmes.talent_permit.timers import TIMERS, recounted
from programmes.talent_permit.verbs import ANSWERS, COMMANDS

TALENT_PERMIT: Final = Programme(
    code=spellings.TALENT_PERMIT,
    commands=COMMANDS,
    answers=ANSWERS,
    timers=TIMERS,
    recounted=recounted,
)
