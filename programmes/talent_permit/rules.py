"""The rules of registration for the talent permit (domain reference, sections 1 and 2; design, section 7)."""

from datetime import date, timedelta
from typing import Final

from domain.ages import age_on
from domain.findings import Audience, Finding, FindingOutcome
from domain.identity_numbers import IdentityKind, IdentityNumber, IdentityNumberError, parse_identity_number
from domain.permit_cards import CardForm, card_form
from domain.premises import SiteStanding
from domain.stages import Standing
from policy.pack import Pack
from policy.rule import Rule, rule
from programmes.talent_permit.findings import FindingCode
from programmes.talent_permit.known import PermitFacts

PASS: Final = FindingOutcome.PASS
FAIL: Final = FindingOutcome.FAIL
MISSING: Final = FindingOutcome.MISSING
NEEDS_PERSON: Final = FindingOutcome.NEEDS_PERSON


@rule(
    FindingCode.EMPLOYER_KIND_NOT_LISTED,
    source="S8: 科研院所、科技创新企业等机构",
    audience=Audience.STAFF,
    fields=("employer.kind",),
    parameters=("employer_kinds_listed",),
)
def employer_kind(facts: PermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find an employer of a listed kind; "and the like" leaves any other to an officer."""
    if facts.employer_kind is None:
        return NEEDS_PERSON
    return PASS if facts.employer_kind in pack.strings("employer_kinds_listed") else NEEDS_PERSON


@rule(
    FindingCode.EMPLOYER_STANDING, source="design; none found", audience=Audience.STAFF, fields=("employer.standing",)
)
def employer_standing(facts: PermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find an employer in good standing with the park."""
    if facts.employer_standing is None:
        return NEEDS_PERSON
    return PASS if facts.employer_standing is Standing.GOOD else FAIL


@rule(FindingCode.EMPLOYER_NOT_IN_PARK, source="S8; area: S1", audience=Audience.STAFF, fields=("employer.premises",))
def employer_in_park(facts: PermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find an employer with premises in force in the Park that has not left it."""
    if facts.employer_standing is Standing.LEFT_PARK:
        return FAIL
    if facts.employer_has_premises is None or facts.employer_standing is None:
        return NEEDS_PERSON
    return PASS if facts.employer_has_premises else FAIL


@rule(
    FindingCode.WORK_SITE_UNKNOWN,
    source="S8: 在合作区…工作的; area: S1",
    audience=Audience.EMPLOYER,
    fields=("employment.work_site",),
)
def work_site(facts: PermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find a place of work that is one registered premises in force on the day."""
    if facts.work_site is None or facts.work_site is SiteStanding.NO_SINGLE_MATCH:
        return NEEDS_PERSON
    return PASS if facts.work_site is SiteStanding.IN_FORCE else FAIL


@rule(
    FindingCode.IDENTITY_NUMBER_WRONG, source="GB 11643", audience=Audience.EMPLOYER, fields=("person.identity_number",)
)
def identity_number(facts: PermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find a number whose form, check digit, birth date and area hold."""
    if facts.identity_number is None:
        return NEEDS_PERSON
    number = _number(facts)
    if number is None:
        return FAIL
    return NEEDS_PERSON if number.kind is IdentityKind.UNKNOWN_AREA else PASS


@rule(
    FindingCode.NOT_MAINLAND_RESIDENT,
    source="S8: 内地人才",
    audience=Audience.EMPLOYER,
    fields=("person.identity_number",),
)
def mainland_resident(facts: PermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find the number of a mainland resident, not of a residence permit or a foreign permanent resident."""
    number = _number(facts)
    if number is None or number.kind is IdentityKind.UNKNOWN_AREA:
        return NEEDS_PERSON
    return PASS if number.kind is IdentityKind.MAINLAND_RESIDENT else FAIL


@rule(
    FindingCode.BIRTH_DATE_IMPLAUSIBLE,
    source="design; bounds of age: none found",
    audience=Audience.EMPLOYER,
    fields=("person.identity_number",),
    parameters=("youngest_age", "oldest_age"),
)
def birth_date(facts: PermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find a birth date that is past and an age within the pack's bounds, beyond which a person looks."""
    number = _number(facts)
    if number is None:
        return NEEDS_PERSON
    if number.birth_date > on:
        return FAIL
    age = age_on(number.birth_date, on)
    return PASS if pack.integer("youngest_age") <= age <= pack.integer("oldest_age") else NEEDS_PERSON


@rule(
    FindingCode.EMPLOYMENT_DATES_WRONG,
    source="design, from S8",
    audience=Audience.EMPLOYER,
    fields=("employment.contract_start", "employment.contract_end"),
)
def employment_dates(facts: PermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find an employment that covers the day; a contract without an end must be said to be open-ended."""
    if facts.contract_start is not None and facts.contract_start > on:
        return FAIL
    if facts.contract_end is not None and facts.contract_end < on:
        return FAIL
    end_is_known = facts.contract_end is not None or facts.contract_is_open_ended
    if facts.contract_start is None or facts.is_ill_typed("contract_end") or not end_is_known:
        return NEEDS_PERSON
    return PASS


@rule(
    FindingCode.LIVE_REGISTRATION_EXISTS, source="design", audience=Audience.STAFF, fields=("person.identity_number",)
)
def one_live_registration(facts: PermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find no other live registration of the person."""
    if facts.other_live_registration is None:
        return NEEDS_PERSON
    return FAIL if facts.other_live_registration else PASS


@rule(
    FindingCode.CONSENT_LETTER_MISSING,
    source="S15, for the endorsement; at registration none found",
    audience=Audience.EMPLOYER,
    fields=("employment.state_worker", "employment.consent_letter"),
    parameters=("consent_letter_required",),
)
def consent_letter(facts: PermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find the unit's letter of consent, dated not after the day, where the person is a state worker or serviceman."""
    if not pack.boolean("consent_letter_required") or facts.state_worker is False:
        return PASS
    if facts.state_worker is None or facts.is_ill_typed("consent_letter_date"):
        return NEEDS_PERSON
    if facts.consent_letter_date is None:
        return MISSING
    return PASS if facts.consent_letter_date <= on else NEEDS_PERSON


@rule(
    FindingCode.PERMIT_CARD_MISSING,
    source="S14, general rule",
    audience=Audience.EMPLOYER,
    fields=("person.permit_card_number",),
)
def card_given(facts: PermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find a permit card; without one a person looks, since it can be applied for together with the endorsement."""
    return NEEDS_PERSON if facts.permit_card_number is None else PASS


@rule(FindingCode.PERMIT_CARD_WRONG, source="S77", audience=Audience.EMPLOYER, fields=("person.permit_card_number",))
def card_form_published(facts: PermitFacts, pack: Pack, on: date) -> FindingOutcome | None:
    """Find a card number of the published form; the old booklet's form, unverified, is for a person."""
    if facts.permit_card_number is None:
        return None
    form = card_form(facts.permit_card_number)
    if form is CardForm.OLD_BOOKLET:
        return NEEDS_PERSON
    return PASS if form is CardForm.CARD else FAIL


@rule(
    FindingCode.PERMIT_CARD_ENDS_EARLY,
    source="none found",
    audience=Audience.EMPLOYER,
    fields=("person.permit_card_valid_until",),
    parameters=("permit_term_years", "card_must_outlive_term"),
    later=("card_last_day_required",),
)
def card_long_enough(facts: PermitFacts, pack: Pack, on: date) -> FindingOutcome | None:
    """Find a card that is valid for as long as a permit issued on the day would be; its last day is the employer's."""
    if facts.permit_card_valid_until is None:
        if facts.is_ill_typed("permit_card_number", "permit_card_valid_until"):
            return NEEDS_PERSON
        if facts.permit_card_number is None:
            return None
        return MISSING if pack.boolean_since(2, "card_last_day_required") else NEEDS_PERSON
    if not pack.boolean("card_must_outlive_term"):
        return PASS
    return PASS if facts.permit_card_valid_until >= last_day_of_term(on, pack) else FAIL


@rule(FindingCode.REGISTRATION_NOT_IN_FORCE, source="S8: 经…备案后", audience=Audience.STAFF)
def registration_in_force(facts: PermitFacts, pack: Pack, on: date) -> FindingOutcome:
    """Find the registration in force."""
    if facts.registration_in_force is None:
        return NEEDS_PERSON
    return PASS if facts.registration_in_force else FAIL


REGISTRATION_RULES: Final[tuple[Rule, ...]] = (
    employer_kind,
    employer_standing,
    employer_in_park,
    work_site,
    identity_number,
    mainland_resident,
    birth_date,
    employment_dates,
    one_live_registration,
    consent_letter,
    card_given,
    card_form_published,
    card_long_enough,
)
# Standing is not among them: the sending of a suspended employer's entries waits by itself (states.md, P7).
PERMIT_RULES: Final[tuple[Rule, ...]] = (
    registration_in_force,
    mainland_resident,
    employment_dates,
    card_given,
    card_form_published,
    card_long_enough,
)


# What needs no person, no number and no register of the Park's.
_SELF_CHECK_RULES: Final[tuple[Rule, ...]] = (
    employer_kind,
    employer_in_park,
    employment_dates,
    consent_letter,
    card_long_enough,
)


def self_check(facts: PermitFacts, pack: Pack, on: date) -> tuple[Finding, ...]:
    """Return what the rules find of a job, and of somebody of whom nothing is known that names them."""
    return _findings(_SELF_CHECK_RULES, facts, pack, on)


def assess(facts: PermitFacts, pack: Pack, on: date) -> tuple[Finding, ...]:
    """Return what every rule of registration finds; `domain.findings.outcome_of` sums it up."""
    return _findings(REGISTRATION_RULES, facts, pack, on)


def eligibility(facts: PermitFacts, destination: str, pack: Pack, on: date) -> tuple[Finding, ...]:
    """Return what the rules of one permit find before its list entry is sent (states.md, P1 and P2)."""
    asked = facts.destinations is not None and destination in facts.destinations
    outcome = NEEDS_PERSON if facts.destinations is None else PASS if asked else FAIL
    wanted = Finding(
        code=FindingCode.DESTINATION_NOT_ASKED,
        outcome=outcome,
        source="design",
        audience=Audience.STAFF,
        fields=("destinations",),
    )
    return (wanted, *_findings(PERMIT_RULES, facts, pack, on))


def term_differs(
    pack: Pack,
    *,
    valid_from: date | None,
    valid_until: date | None,
    stay_days: int | None = None,
    entries: str | None = None,
) -> Finding | None:
    """Return the finding of an issued permit whose term, stay or entries are not the pack's, or None (states.md, P10).

    What the authority left out is not compared; its words are kept as given all the same.
    """
    expected = None if valid_from is None else last_day_of_term(valid_from, pack)
    pairs = (
        (valid_until, expected),
        (stay_days, pack.integer("permit_stay_days")),
        (entries, pack.string("permit_entries")),
    )
    if not any(given is not None and wanted is not None and given != wanted for given, wanted in pairs):
        return None
    return Finding(
        code=FindingCode.AUTHORITY_TERM_DIFFERS,
        outcome=NEEDS_PERSON,
        source="S8; stay: S12, general rule",
        audience=Audience.STAFF,
        fields=("permits.valid_from", "permits.valid_until", "permits.stay_days", "permits.entries"),
        parameters=pack.used("permit_term_years", "permit_entries", "permit_stay_days"),
    )


def last_day_of_term(first: date, pack: Pack) -> date:
    """Return the last day of a permit that begins on a day: so many years later, the day before."""
    year = first.year + pack.integer("permit_term_years")
    try:
        return first.replace(year=year) - timedelta(days=1)
    except ValueError:  # 29 February: the term ends on the 28th
        return date(year, 2, 28)


def _number(facts: PermitFacts) -> IdentityNumber | None:
    """Return the identity number read, or None where it is missing or does not hold."""
    if facts.identity_number is None:
        return None
    try:
        return parse_identity_number(facts.identity_number)
    except IdentityNumberError:
        return None


def _findings(rules: tuple[Rule, ...], facts: PermitFacts, pack: Pack, on: date) -> tuple[Finding, ...]:
    found = (rule.apply(facts, pack, on) for rule in rules)
    return tuple(finding for finding in found if finding is not None)
