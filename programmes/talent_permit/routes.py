"""How what can be asked of a talent permit stands in the API, and what a person asks of their own."""

from dataclasses import replace
from typing import Final

from pydantic import BaseModel, Field

from cases.commands import routes
from domain.actors import STAFF, Role
from domain.changes import own_change
from domain.routes import REASONS, On, Operation, OwnRoute, Route, TrackPath
from programmes.talent_permit.permit_requests import (
    CardLostRequest,
    DisputeRequest,
    OwnCardLostRequest,
    OwnChangeRequest,
)
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.words import ABOUT_DEPARTURE

PATH: Final = "registrations"
_EMPLOYER: Final = frozenset({Role.EMPLOYER})
_ON_PROOF: Final = STAFF | _EMPLOYER
_LIVE: Final = frozenset({"live_registration_exists", "client_reference_taken"})


class LostCardView(BaseModel):
    """A report of a lost card that was taken on."""

    reference: str
    destination: Destination
    status: str = Field(examples=["received"])


class DisputeView(BaseModel):
    """A dispute that was taken on."""

    reference: str
    status: str = Field(examples=["received"])


PERMITS: Final = TrackPath(
    path="permits",
    named="destination",
    keyed_by=Destination,
    says="Destination of the permit.",
    refused="The destination is HK or MO.",
)
SUBMIT: Final = Operation(
    name="submitRegistration",
    summary="Register a person",
    says="Take on a registration; its workflow, started after the answer by us or by the sweeper, takes it up.",
    problems=_LIVE | {"employer_not_in_good_standing", "facts_erased"},
)
CHECK: Final = Operation(
    name="checkRegistration",
    summary="Try a registration without storing it",
    says="Say what the rules would find today; nothing is stored.",
    problems=frozenset({"employer_not_in_good_standing"}),
)
CORRECT: Final = Route(
    verb="correction",
    by=_EMPLOYER,
    name="correctRegistration",
    summary="Correct",
    says="Give the parts of a registration that change: what it was sent back for, or, with its round, under review.",
    problems=_LIVE | {"stale_round", "amendment_not_allowed"},
)
WITHDRAW: Final = replace(
    routes.WITHDRAW, name="withdrawRegistration", says="Withdraw a registration that is not decided yet."
)
# What follows another registration waits for that one.
_FOLLOWS: Final = frozenset({"live_registration_exists"})
DECIDE: Final = replace(routes.DECIDE, says="Decide on a registration.", problems=routes.DECIDE.problems | _FOLLOWS)
CONFIRM: Final = replace(routes.CONFIRM, problems=routes.CONFIRM.problems | _FOLLOWS)
DEPART: Final = Route(
    verb="departure",
    by=_ON_PROOF,
    name="reportDeparture",
    summary="Report a departure",
    says="Report the last day of an employment, past or to come; staff may do so on proof.",
    problems=frozenset({"already_decided", "reason_unknown", "reason_not_allowed"}),
)
CHANGE: Final = Route(
    verb="change",
    by=_EMPLOYER,
    name="changeRegistration",
    summary="Change data",
    says="Change contact and language at once; an officer takes or declines all else: names, card, post, place of "
    "work, contract and destinations.",
    problems=frozenset({"already_decided"}),
)
REVOKE: Final = Route(
    verb="revocation",
    by=STAFF,
    name="proposeRevocation",
    summary="Propose a revocation",
    says="Propose to revoke a registration; it takes effect with a second signature.",
    problems=REASONS | {"already_decided"},
)
CARD_LOST: Final = Route(
    verb="lost",
    on=On.TRACK,
    by=_ON_PROOF,
    name="reportLostCard",
    summary="Report a lost card",
    says="Report that the card of an issued permit was lost.",
)
ELIGIBILITY: Final = Route(
    verb="eligibility",
    on=On.TRACK,
    by=STAFF,
    name="settleEligibility",
    summary="Send or withhold a permit",
    says="Send a list entry whose eligibility is not clear, or propose to withhold it.",
    problems=REASONS | {"already_decided", "task_held"},
)
ENTER_OUTCOME: Final = Route(
    verb="outcome",
    on=On.TRACK,
    by=STAFF,
    name="enterOutcome",
    summary="Enter an answer of the authority",
    says="Enter an answer from a numbered paper, or apply one that was held; it takes effect with a second signature.",
    problems=frozenset({"already_decided", "task_held"}),
)
PERMIT_CONFIRM: Final = Route(
    verb="confirmation",
    on=On.TRACK,
    by=STAFF,
    name="confirmPermitProposal",
    summary="Sign, or reject, what was proposed for a permit",
    says="Give or refuse the second signature on what someone else proposed for a permit.",
    problems=REASONS | {"already_decided", "same_signer", "task_held"},
)
PERMIT_RECALL: Final = Route(
    verb="recall",
    on=On.TRACK,
    by=STAFF,
    name="recallWithholding",
    summary="Take back that a permit is withheld",
    says="Take back that a permit is withheld before it takes effect, by the one who signed it last.",
)


def _text(asked: DisputeRequest) -> dict[str, object]:
    return {"text": asked.text}


def _nothing(_asked: DisputeRequest) -> dict[str, object]:
    return {}


def _departure(_asked: DisputeRequest) -> str:
    return ABOUT_DEPARTURE


def _lost(asked: OwnCardLostRequest) -> dict[str, object]:
    lost = CardLostRequest(lost_on=asked.lost_on)
    return {"destination": asked.destination.value, **lost.model_dump(mode="json", exclude_unset=True)}


def _which(asked: OwnCardLostRequest) -> dict[str, object]:
    return {"destination": asked.destination.value}


DISPUTE_OWN: Final = OwnRoute(
    verb="disputes",
    name="disputeDeparture",
    summary="Dispute a departure",
    says="Take on a dispute of the departure that was reported: an officer looks, and the authority is told nothing "
    "yet.",
    problems=frozenset({"case_unknown", "already_decided", "wrong_stage", "case_closed", "facts_erased"}),
    body=DisputeRequest,
    view=DisputeView,
    asks=_text,
    tells=_nothing,
    about=_departure,
)
CHANGE_OWN: Final = own_change(
    OwnChangeRequest,
    "Take on a change of what is the person's own: contact and language at once, names and card through an officer.",
)
CARD_LOST_OWN: Final = OwnRoute(
    verb="lost-cards",
    name="reportOwnLostCard",
    summary="Report a lost card",
    says="Take on the report that the card of an issued permit was lost: the authority is told, and the employer.",
    problems=frozenset({"case_unknown", "wrong_stage", "facts_erased"}),
    body=OwnCardLostRequest,
    view=LostCardView,
    asks=_lost,
    tells=_which,
)
