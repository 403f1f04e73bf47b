"""A registration as its person reads it: their permits in plain words, and how the employment ended."""

from datetime import date

from cases.case.own_views import OwnBody, OwnCase, OwnEnd, OwnHead
from cases.case.reading import CaseReading
from cases.case.renewals import RenewalView
from cases.case.views import AnyCaseView, PendingChangeView, view
from domain.languages import Language
from programmes.talent_permit.tables import destinations_of, permit_rows, talent_permit
from programmes.talent_permit.views import (
    AuthorityReasonView,
    Destinations,
    PermitView,
    RegistrationView,
    TermView,
    terms_shown,
)
from texts.fields import field_name
from texts.person import plain
from texts.reasons import reason_or_word


@view
class OwnDeparture:
    """A departure as it was reported."""

    last_day: date | None
    reason: str
    reported_by: str
    late: bool
    disputed: bool


@view
class OwnTerm(TermView):
    """A term of a permit in plain words."""

    stage_text: str | None
    end_reason_text: str | None


@view
class OwnPendingChange(PendingChangeView):
    """What was asked to have changed and an officer has yet to take or decline, in plain words."""

    labels: list[str]


@view
class OwnPermit(PermitView):
    """A permit in plain words; the authority's reason is for the person, as the authority gave it (P11)."""

    terms: tuple[OwnTerm, ...]
    place: str | None
    stage_text: str | None
    end_reason_text: str | None
    authority_reason: AuthorityReasonView | None


@view
class OwnRenewal(RenewalView):
    """A renewal in plain words."""

    stage_text: str | None


@view
class OfThePerson:
    """The departure, the renewal and the permits, which stand behind the words of what comes next."""

    departure: OwnDeparture | None
    renewal: OwnRenewal | None
    pending_change: OwnPendingChange | None
    permits: tuple[OwnPermit, ...]


@view
class OwnRegistration(OwnCase, OwnEnd, OfThePerson, OwnBody, Destinations, OwnHead):
    """A registration as its person reads it."""


def own(case: CaseReading, seen: AnyCaseView, whole: OwnCase, language: Language) -> OwnRegistration:
    """Return a case as its person reads it, with what is of registrations alone."""
    permits = seen.permits if isinstance(seen, RegistrationView) else ()
    return OwnRegistration(
        **vars(whole),
        destinations=destinations_of(case),
        departure=_departure(case),
        renewal=_renewal(seen, language),
        pending_change=_pending(seen.pending_change, language),
        permits=tuple(_permit(case, each, language) for each in permits),
    )


def remedies(case: CaseReading) -> tuple[str, ...]:
    """Return what the person of a registration can do beside what any can."""
    departure = talent_permit(case).departure
    letter = ("letter",) if case.row.end_reason in ("revoked", "not_eligible") else ()
    return (*letter, "departure") if departure is not None and not departure["disputed"] else letter


def _pending(asked: PendingChangeView | None, language: Language) -> OwnPendingChange | None:
    if asked is None:
        return None
    return OwnPendingChange(**vars(asked), labels=[field_name(each, language) or each for each in asked.fields])


def _departure(case: CaseReading) -> OwnDeparture | None:
    departure = talent_permit(case).departure
    if departure is None:
        return None
    return OwnDeparture(
        last_day=case.row.ended_on,
        reason=departure["reason"],
        reported_by=departure["by"]["role"],
        late=departure["late"],
        disputed=departure["disputed"],
    )


def _renewal(seen: AnyCaseView, language: Language) -> OwnRenewal | None:
    shown = seen.renewal if isinstance(seen, RegistrationView) else None
    if shown is None:
        return None
    return OwnRenewal(**vars(shown), stage_text=plain("renewal_stages", shown.stage, language))


def _permit(case: CaseReading, seen: PermitView, language: Language) -> OwnPermit:
    sealed, reason = permit_rows(case)[seen.destination].reason, None
    if sealed is not None:
        given = case.open("permits", "reason", f"{case.reference}/{seen.destination}", sealed)
        reason = AuthorityReasonView(code=given["code"], text=given["text"])
    members = vars(seen) | {
        "terms": tuple(
            OwnTerm(
                **vars(term),
                stage_text=plain("permit_stages", term.stage, language),
                end_reason_text=reason_or_word(term.end_reason, language),
            )
            for term in terms_shown(case, seen.destination, with_reasons=True)
        )
    }
    return OwnPermit(
        **members,
        place=plain("destinations", seen.destination, language),
        stage_text=plain("permit_stages", seen.stage, language),
        end_reason_text=reason_or_word(seen.end_reason, language),
        authority_reason=reason,
    )
