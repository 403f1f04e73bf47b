"""How what can be asked of a toy stands in the API."""

from typing import Final

from domain.actors import STAFF
from domain.routes import On, Operation, Route, TrackPath
from tests.programmes.toy.requests import Workshop

PATH: Final = "toys"
MAKINGS: Final = TrackPath(
    path="workshops",
    named="workshop",
    keyed_by=Workshop,
    says="Where the toy is made.",
    refused="A workshop is wood or cloth.",
)
SUBMIT: Final = Operation(
    name="askForToy",
    summary="Ask for a toy",
    says="Take on a toy.",
    problems=frozenset({"live_registration_exists", "client_reference_taken", "employer_not_in_good_standing"}),
)
FINISH: Final = Route(
    verb="finished",
    on=On.TRACK,
    by=STAFF,
    name="finishToy",
    summary="Say that a toy is made",
    says="Say that a toy is made before its day.",
)
