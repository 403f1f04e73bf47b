"""What a registration shows beside what every case shows: destinations, permits, and what the authority said."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import Field

from cases.case.renewal_views import renewal_shown
from cases.case.renewals import RenewalView
from cases.case.shows import Showing, Shown
from cases.case.view import finding_view, findings_shown, opened, rejection_view, settles_at, shown_at, today
from cases.case.views import (
    FOR_STAFF,
    OBJECT_OR_NULL,
    OBJECTS,
    AnyCaseView,
    CaseBody,
    CaseForStaff,
    CaseHead,
    FindingView,
    ProposalView,
    RejectionView,
    SeenByStaff,
    view,
)
from domain.answers import AnswerState
from domain.findings import Audience, Finding
from domain.languages import Language
from programmes.talent_permit import terms
from programmes.talent_permit.authority.answers import Outcome
from programmes.talent_permit.permit_stages import Destination, PermitStage
from programmes.talent_permit.tables import PermitTermRow, destinations_of, permit_rows

# Of each permit in the table of cases.
_OF_PERMIT: Final = ("stage", "authority_number", "valid_from", "valid_until", "card_lost_on")
_WAITING = frozenset({AnswerState.HELD, AnswerState.EARLY, AnswerState.RENEWAL})


@view
class Placed:
    """What is said of one destination."""

    destination: Destination


@view
class ObstacleView(FindingView, Placed):
    """A finding that an officer would still be asked about before the permit of a destination is asked for."""


@view
class DepartureProposalView(ProposalView):
    """A departure that staff reported and that waits for a second signature."""

    last_day: str
    late: bool


@view
class HeldAnswerView:
    """An answer of the authority that was kept and not applied."""

    outcome_id: str
    outcome: Outcome
    destination: str
    state: AnswerState


@view
class EarlierTermView:
    """Number and term of a permit before a newer one; days as they were kept."""

    entries: str | None
    stay_days: int | None
    valid_from: str | None
    valid_until: str | None
    authority_number: str | None


@view
class AuthorityReasonView:
    """Why the authority refused or revoked, in its own words."""

    code: str | None
    text: str | None


@view
class TermView:
    """One term of a permit, as the authority gave it; `expired` once its last day is over."""

    number: int
    stage: PermitStage
    in_force: bool
    authority_number: str | None
    accepted_on: date | None
    issued_on: date | None
    valid_from: date | None
    valid_until: date | None
    stay_days: int | None
    entries: str | None
    ended_on: Annotated[date | None, Field(description="The day on which something else than its last day ended it.")]
    end_reason: str | None
    authority_reason: Annotated[
        AuthorityReasonView | None,
        OBJECT_OR_NULL,
        Field(title="Authority Reason", description="For staff, auditors and the person."),
    ] = None


@view
class PermitView:
    """The talent permit of one destination, with number and days of the term in force, else of the newest."""

    destination: Destination
    stage: PermitStage | None
    terms: Annotated[tuple[TermView, ...], Field(description="All terms of it, the oldest first.")]
    authority_number: str | None
    valid_from: date | None
    valid_until: date | None
    stay_days: int | None
    entries: str | None
    in_force: bool
    sent_at: datetime | None
    accepted_on: date | None
    due_at: datetime | None
    reported_at: datetime | None
    card_lost_on: date | None
    end_reason: str | None


@view
class PermitForStaff(PermitView):
    """The talent permit of one destination as staff and auditors see it."""

    pending_act: Annotated[str | None, FOR_STAFF] = None
    rejected: Annotated[
        RejectionView | None,
        OBJECT_OR_NULL,
        Field(title="Rejected", description="Why the last second signature was not given; for staff and auditors."),
    ] = None
    earlier: Annotated[
        tuple[EarlierTermView, ...], OBJECTS, Field(description="Numbers and dates before a replacement.")
    ] = ()
    findings: Annotated[tuple[FindingView, ...], FOR_STAFF] = ()
    settles_at: Annotated[
        datetime | None, Field(description="When a withholding that is signed takes effect; for staff and auditors.")
    ] = None


@view
class PermitAnsweredFor(PermitForStaff):
    """A permit for which the authority gave a reason, as staff and auditors see it; none after an erasure."""

    authority_reason: Annotated[
        AuthorityReasonView | None,
        OBJECT_OR_NULL,
        Field(title="Authority Reason", description="For staff and auditors."),
    ] = None


@view
class Destinations:
    """Where the permits are for, which a registration shows after its round."""

    destinations: tuple[Destination, ...]


@view
class Renewed:
    """The newest renewal of a registration, which it shows before its permits."""

    renewal: Annotated[RenewalView | None, OBJECT_OR_NULL, Field(description="The newest renewal, if there is one.")]


@view
class Permits:
    """The permits of a registration, which it shows last of what everybody sees."""

    permits: tuple[PermitView, ...]


@view
class RegistrationView(Permits, Renewed, AnyCaseView, CaseBody, Destinations, CaseHead):
    """A registration as its reader may see it."""


@view
class HeldAnswers:
    """What the authority said and nobody applied, which staff sees last."""

    held_answers: tuple[HeldAnswerView, ...]


@view
class RegistrationForStaff(HeldAnswers, CaseForStaff, SeenByStaff, RegistrationView):
    """A registration as staff and auditors see it."""


@view
class RegistrationLookingAhead(RegistrationForStaff):
    """A registration after an act of staff, with what would still stand in the way of each permit."""

    permit_obstacles: tuple[ObstacleView, ...]


@view
class RegistrationAfterFact(RegistrationLookingAhead):
    """A registration under review after a fact was recorded, and whether it takes two people to approve now."""

    approval_needs_second_signature: bool


def case(showing: Showing, seen: AnyCaseView) -> RegistrationView:
    """Return a case with what is of registrations alone, as its reader may see it."""
    file, inside = showing.case, showing.actor.is_inside
    listed = [d for d in sorted(permit_rows(file)) if inside or permit_rows(file)[d].stage is not None]
    permits = () if showing.hidden else tuple(_permit(showing, each) for each in listed)
    if not isinstance(seen, CaseForStaff):
        return RegistrationView(
            **vars(seen), destinations=destinations_of(file), renewal=renewal_shown(showing), permits=permits
        )
    members = vars(seen) | {"pending": _proposal(file, seen.pending)}
    return RegistrationForStaff(
        **members,
        destinations=destinations_of(file),
        renewal=renewal_shown(showing),
        permits=permits,
        held_answers=tuple(
            HeldAnswerView(
                outcome_id=answer.outcome_id,
                outcome=Outcome(answer.outcome),
                destination=answer.destination,
                state=AnswerState(answer.state),
            )
            for answer in file.answers
            if answer.state in _WAITING
        ),
    )


def looking_ahead(
    seen: CaseForStaff, obstacles: Iterable[tuple[Destination, Finding]], language: Language, needs_second: bool | None
) -> RegistrationLookingAhead:
    """Return a case with what stands in the way of its permits, each finding with its destination."""
    ahead = RegistrationLookingAhead(
        **vars(seen),
        permit_obstacles=tuple(
            finding_view(finding, language, ObstacleView, destination=destination) for destination, finding in obstacles
        ),
    )
    if needs_second is None:
        return ahead
    return RegistrationAfterFact(**vars(ahead), approval_needs_second_signature=needs_second)


def _permit(showing: Showing, destination: Destination) -> PermitView:
    """Return the permit of a destination; a destination shows from its eligibility on (P1)."""
    file, language = showing.case, showing.language
    permit, on = permit_rows(file)[destination], today(file)
    term = terms.find_shown(file, destination, on)
    # The permit itself has the number of a refused application, where nothing was ever accepted.
    given = permit if term is None else term
    seen = PermitView(
        destination=destination,
        stage=PermitStage(permit.stage) if permit.stage else None,
        terms=terms_shown(file, destination, with_reasons=showing.actor.is_inside),
        authority_number=given.authority_number,
        valid_from=given.valid_from,
        valid_until=given.valid_until,
        stay_days=given.stay_days,
        entries=given.entries,
        in_force=terms.is_in_force(file, destination, on),
        sent_at=shown_at(permit.sent_at) if permit.sent_at else None,
        accepted_on=given.accepted_on,
        due_at=shown_at(permit.due_at) if permit.due_at else None,
        reported_at=shown_at(permit.reported_at) if permit.reported_at else None,
        card_lost_on=permit.card_lost_on,
        end_reason=permit.end_reason,
    )
    if not showing.actor.is_inside:
        return seen
    place = f"{file.reference}/{destination.value}"
    _, findings = findings_shown(file, Audience.STAFF, language, destination.value, short=showing.short)
    staff = PermitForStaff(
        **vars(seen),
        pending_act=permit.pending_act,
        rejected=rejection_view(file, permit.rejected, "permits", f"{place}/rejected", language),
        earlier=tuple(_earlier(term) for term in permit.earlier),
        findings=findings,
        settles_at=settles_at(permit.pending),
    )
    if permit.reason is None:
        return staff
    given = opened(file, "permits", "reason", place, permit.reason)
    reason = None if given is None else AuthorityReasonView(code=given["code"], text=given["text"])
    return PermitAnsweredFor(**vars(staff), authority_reason=reason)


def terms_shown(case: Shown, destination: Destination, *, with_reasons: bool) -> tuple[TermView, ...]:
    """Return the terms of a permit, the oldest first, with the authority's reasons for who may read them."""
    permit, on = permit_rows(case)[destination], today(case)
    return tuple(
        TermView(
            number=row.number,
            stage=terms.stage_on(row, on),
            in_force=permit.stage == PermitStage.ISSUED and terms.is_of_day(row, on),
            authority_number=row.authority_number,
            accepted_on=row.accepted_on,
            issued_on=row.issued_on,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            stay_days=row.stay_days,
            entries=row.entries,
            ended_on=row.ended_on,
            end_reason=row.end_reason,
            authority_reason=_reason_of(case, row) if with_reasons else None,
        )
        for row in terms.term_rows(case, destination)
    )


def _reason_of(case: Shown, row: PermitTermRow) -> AuthorityReasonView | None:
    if row.reason is None:
        return None
    given = opened(case, "permit_terms", "reason", terms.reason_place(row), row.reason)
    return None if given is None else AuthorityReasonView(code=given["code"], text=given["text"])


def _earlier(kept: Mapping[str, Any]) -> EarlierTermView:
    return EarlierTermView(
        entries=kept["entries"],
        stay_days=kept["stay_days"],
        valid_from=kept["valid_from"],
        valid_until=kept["valid_until"],
        authority_number=kept["authority_number"],
    )


def _proposal(file: Shown, seen: ProposalView | None) -> ProposalView | None:
    """Return what waits for a second signature, with the last day where it is a departure."""
    kept = file.row.pending
    if seen is None or kept is None or "last_day" not in kept:
        return seen
    return DepartureProposalView(**vars(seen), last_day=kept["last_day"], late=kept["late"])


# What spreadsheets of an employer's cases have, in this order.
COLUMNS: Final = (
    "reference", "client_reference", "name_zh", "name_en", "identity_number", "stage", "holder", "due_on", "due_kind",
    "accepted_on", "registration_number", "contract_start", "contract_end", "permit_card_valid_until", "ended_on",
    "end_reason", *(f"{place.lower()}_{name}" for place in Destination for name in _OF_PERMIT),
)  # fmt: skip


def cells(seen: AnyCaseView, given: Mapping[str, Any]) -> dict[str, object]:
    """Return the columns of a registration that not every case has."""
    person, employment = given.get("person", {}), given.get("employment", {})
    values: dict[str, object] = {
        "permit_card_valid_until": person.get("permit_card_valid_until"),
        "contract_start": employment.get("contract_start"),
        "contract_end": employment.get("contract_end"),
    }
    for permit in seen.permits if isinstance(seen, RegistrationView) else ():
        values |= {f"{permit.destination.lower()}_{name}": getattr(permit, name) for name in _OF_PERMIT}
    return values
