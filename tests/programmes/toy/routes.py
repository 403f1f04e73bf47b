"""How what can be asked of a toy stands in the API."""

from typing import Final

from domain.actors import STAFF, Role
from domain.routes import On, Operation, Route, TrackPath
from tests.programmes.toy.requests import Workshop

PATH: Final = "toys"
MAKINGS: Final = TrackPath(
    path="workshops",
    named="workshop",
    keyed_by=Workshop,
    says="Where the toy is made.",
    refused="A workshop is HK or MO.",
)
SUBMIT: Final = Operation(
    name="askForToy",
    summary="Ask for a toy",
    says="Take on a toy.",
    problems=frozenset({"live_registration_exists", "client_reference_taken", "employer_not_in_good_standing"}),
)
CORRECT: Final = Route(
    verb="correction",
    by=frozenset({Role.EMPLOYER}),
    name="correctToy",
    summary="Correct",
    says="Give the parts of a toy that change.",
)
FINISH: Final = Route(
    verb="finished",
    on=On.TRACK,
    by=STAFF,
    name="finishToy",
    summary="Say that a toy is made",
    says="Say that a toy is made before its day.",
)
