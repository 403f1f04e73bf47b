"""What is asked about what is taken over, for programmes whose cases vouch for something, or take something over."""

from typing import Final

from cases.moves.evidence import EvidenceEvent
from cases.once_only import offers, taking
from cases.programme import Command, effect
from domain.actors import Role
from domain.acts import Act
from domain.once_only import OnceOnlyCommand, TakeOverRequest
from domain.routes import Operation, Route

TAKE_OVER: Final = Route(
    verb="take-over",
    by=frozenset({Role.EMPLOYER}),
    name="takeOver",
    summary="Take over what was verified before",
    says="Take over, with the consent that it is offered with, what another case vouches for. "
    "It proves its item without being seen again, and falls when it does not hold any more where it came from.",
    problems=frozenset({"not_found", "already_decided"}),
)
OFFERS: Final = Operation(
    name="listOffers",
    summary="What was verified before",
    says="List what was verified in other cases of the same person and may be taken over as proof: "
    "for an employer what its own cases vouch for and what the person released into this one, "
    "for a person all of their own. "
    "The reading is a ledger act.",
    problems=frozenset({"facts_erased"}),
)
# Of a programme whose cases vouch for something; one that has evidence has it among `evidence.commands`.
VOUCHING: Final[dict[str, Command]] = {
    OnceOnlyCommand.VOUCH: Command(does=taking.vouch, acts=effect(Act.EVIDENCE_VOUCHED)),
}


def commands(*further: str) -> dict[str, Command]:
    """Return what is asked where something may be taken over.

    Args:
        further: the acts that `Evidence.falls` of the programme may leave in the ledger.
    """
    return {
        OnceOnlyCommand.TAKE_OVER: Command(
            does=taking.take_over,
            completes=offers.complete,
            route=TAKE_OVER,
            events=(EvidenceEvent.TAKE_OVER,),
            acts=effect(Act.EVIDENCE_TAKEN_OVER),
            body=TakeOverRequest,
        ),
        OnceOnlyCommand.SOURCE_FELL: Command(
            does=taking.source_fell, acts=effect(further=(Act.EVIDENCE_FALLEN, *further))
        ),
    }
