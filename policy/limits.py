"""The time limits of states.md, section 6, as typed values read from a pack."""

from dataclasses import dataclass
from datetime import time, timedelta

from policy.pack import Pack, PackError


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit; names ending in `_days` count working days unless they say otherwise."""

    pack: str
    version: str
    park_decision_days: int
    defects_named_days: int
    correction_days: int
    correction_reminders_left: tuple[int, ...]
    returns_allowed: int
    settling: timedelta
    claim_days: int
    signature_days: int
    hold_review_days: int
    hold_review_latest_days: int
    sending_days: int
    report_days: int
    early_answer_days: int
    applicant_reminders: tuple[int, ...]
    applicant_inactive_days: int
    authority_answer_days: int
    authority_second_alert_days: int
    permit_reminders: tuple[int, ...]
    contract_reminders: tuple[int, ...]
    contract_grace_days: int
    departure_report_days: int
    departure_back_days: int
    departure_ahead_days: int
    reconsideration_calendar_days: int
    lawsuit_months: int
    notice_retry: timedelta
    sms_after_mail: timedelta
    digest_by_default: bool
    quiet_from: time
    quiet_until: time
    idempotency_kept: timedelta
    callback_tolerance: timedelta
    conflicts_a_day: int
    sign_in_link: timedelta
    sign_in_links_an_hour: int
    session: timedelta
    complaint_answer_days: int
    address_serves_days: int
    retention_not_registered_years: int
    retention_registered_years: int
    retention_access_log_years: int
    roster_rows_kept: timedelta


def limits_of(pack: Pack) -> Limits:
    """Return the limits that a pack holds.

    Raises:
        PackError: a limit is missing, of the wrong type, or below what it can be.
    """
    limits = Limits(
        pack=pack.name,
        version=pack.version,
        park_decision_days=pack.integer("park_decision_days"),
        defects_named_days=pack.integer("defects_named_days"),
        correction_days=pack.integer("correction_days"),
        correction_reminders_left=pack.integers("correction_reminders_left"),
        returns_allowed=pack.integer("returns_allowed"),
        settling=timedelta(minutes=pack.integer("settling_minutes")),
        claim_days=pack.integer("claim_days"),
        signature_days=pack.integer("signature_days"),
        hold_review_days=pack.integer("hold_review_days"),
        hold_review_latest_days=pack.integer("hold_review_latest_days"),
        sending_days=pack.integer("sending_days"),
        report_days=pack.integer("report_days"),
        early_answer_days=pack.integer("early_answer_days"),
        applicant_reminders=pack.integers("applicant_reminders"),
        applicant_inactive_days=pack.integer("applicant_inactive_days"),
        authority_answer_days=pack.integer("authority_answer_days"),
        authority_second_alert_days=pack.integer("authority_second_alert_days"),
        permit_reminders=pack.integers("permit_reminders"),
        contract_reminders=pack.integers("contract_reminders"),
        contract_grace_days=pack.integer("contract_grace_days"),
        departure_report_days=pack.integer("departure_report_days"),
        departure_back_days=pack.integer("departure_back_days"),
        departure_ahead_days=pack.integer("departure_ahead_days"),
        reconsideration_calendar_days=pack.integer("reconsideration_days"),
        lawsuit_months=pack.integer("lawsuit_months"),
        notice_retry=timedelta(days=pack.integer("notice_retry_days")),
        sms_after_mail=timedelta(hours=pack.integer("sms_after_mail_hours")),
        digest_by_default=pack.boolean("digest_by_default"),
        quiet_from=_hour(pack, "quiet_from"),
        quiet_until=_hour(pack, "quiet_until"),
        idempotency_kept=timedelta(days=pack.integer("idempotency_days")),
        callback_tolerance=timedelta(minutes=pack.integer("callback_tolerance_minutes")),
        conflicts_a_day=pack.integer("conflicts_a_day"),
        sign_in_link=timedelta(minutes=pack.integer("sign_in_link_minutes")),
        sign_in_links_an_hour=pack.integer("sign_in_links_an_hour"),
        session=timedelta(minutes=pack.integer("session_minutes")),
        complaint_answer_days=pack.integer("complaint_answer_days"),
        address_serves_days=pack.integer("address_serves_days"),
        retention_not_registered_years=pack.integer("retention_not_registered_years"),
        retention_registered_years=pack.integer("retention_registered_years"),
        retention_access_log_years=pack.integer("retention_access_log_years"),
        roster_rows_kept=timedelta(days=pack.integer("roster_rows_days")),
    )
    _check(limits, pack)
    return limits


def _hour(pack: Pack, name: str) -> time:
    try:
        return time.fromisoformat(pack.string(name))
    except ValueError:
        raise PackError(f"{pack.name} {pack.version}: {name} is no hour.") from None


def _check(limits: Limits, pack: Pack) -> None:
    """Refuse a limit of no days, which would end before it begins; the settling time alone may be 0."""
    for name in Limits.__dataclass_fields__:
        value = getattr(limits, name)
        numbers = value if isinstance(value, tuple) else (value,)
        if any(isinstance(number, int) and not isinstance(number, bool) and number < 1 for number in numbers):
            raise PackError(f"{pack.name} {pack.version}: {name} is below 1.")
    if limits.settling < timedelta(0):
        raise PackError(f"{pack.name} {pack.version}: settling_minutes is below 0.")
