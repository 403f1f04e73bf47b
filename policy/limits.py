"""The time limits of any case, and of what stands beside cases (states.md, section 6), as typed values of a pack."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import time, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from policy.pack import Pack, PackError
from policy.packs import LIMITS, PackSource
from policy.standing import ParameterStatus

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_L = TypeVar("_L", bound="DataclassInstance")


# Of a pack of an installation's own that was written before there was this limit.
AMENDMENTS_ALLOWED: Final = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of any case; names ending in `_days` count working days unless they say otherwise."""

    pack: str
    version: str
    # The parameters of the pack that nobody has confirmed.
    unconfirmed: frozenset[str]
    park_decision_days: int
    defects_named_days: int
    correction_days: int
    correction_reminders_left: tuple[int, ...]
    returns_allowed: int
    amendments_allowed: int
    settling: timedelta
    cooling: timedelta
    claim_days: int
    signature_days: int
    conflicts_a_day: int
    hold_review_days: int
    hold_review_latest_days: int
    objection_calendar_days: int
    objection_decision_days: int
    reconsideration_calendar_days: int
    lawsuit_months: int
    notice_retry: timedelta
    sms_after_mail: timedelta
    digest_by_default: bool
    quiet_from: time
    quiet_until: time
    idempotency_kept: timedelta
    callback_tolerance: timedelta
    sign_in_link: timedelta
    sign_in_links_an_hour: int
    session: timedelta
    complaint_answer_days: int
    address_serves_days: int
    transfer_agreement_days: int
    departure_answer_days: int
    retention_not_registered_years: int
    retention_registered_years: int
    retention_access_log_years: int
    roster_rows_kept: timedelta

    def standing_of(self, parameter: str) -> str:
        """Return whether a parameter of the pack is confirmed, as it is shown."""
        unconfirmed = parameter in self.unconfirmed
        return (ParameterStatus.UNCONFIRMED if unconfirmed else ParameterStatus.CONFIRMED).value


def limits_of(pack: Pack) -> Limits:
    """Return the limits that a pack holds.

    Raises:
        PackError: a limit is missing, of the wrong type, or below what it can be.
    """
    limits = Limits(
        pack=pack.name,
        version=pack.version,
        unconfirmed=frozenset(
            name for name, each in pack.parameters.items() if each.status is not ParameterStatus.CONFIRMED
        ),
        park_decision_days=pack.integer("park_decision_days"),
        defects_named_days=pack.integer("defects_named_days"),
        correction_days=pack.integer("correction_days"),
        correction_reminders_left=pack.integers("correction_reminders_left"),
        returns_allowed=pack.integer("returns_allowed"),
        amendments_allowed=pack.integer("amendments_allowed", otherwise=AMENDMENTS_ALLOWED),
        settling=timedelta(minutes=pack.integer("settling_minutes")),
        cooling=timedelta(minutes=pack.integer("cooling_minutes")),
        claim_days=pack.integer("claim_days"),
        signature_days=pack.integer("signature_days"),
        conflicts_a_day=pack.integer("conflicts_a_day"),
        hold_review_days=pack.integer("hold_review_days"),
        hold_review_latest_days=pack.integer("hold_review_latest_days"),
        objection_calendar_days=pack.integer("objection_calendar_days"),
        objection_decision_days=pack.integer("objection_decision_days"),
        reconsideration_calendar_days=pack.integer("reconsideration_days"),
        lawsuit_months=pack.integer("lawsuit_months"),
        notice_retry=timedelta(days=pack.integer("notice_retry_days")),
        sms_after_mail=timedelta(hours=pack.integer("sms_after_mail_hours")),
        digest_by_default=pack.boolean("digest_by_default"),
        quiet_from=_hour(pack, "quiet_from"),
        quiet_until=_hour(pack, "quiet_until"),
        idempotency_kept=timedelta(days=pack.integer("idempotency_days")),
        callback_tolerance=timedelta(minutes=pack.integer("callback_tolerance_minutes")),
        sign_in_link=timedelta(minutes=pack.integer("sign_in_link_minutes")),
        sign_in_links_an_hour=pack.integer("sign_in_links_an_hour"),
        session=timedelta(minutes=pack.integer("session_minutes")),
        complaint_answer_days=pack.integer("complaint_answer_days"),
        address_serves_days=pack.integer("address_serves_days"),
        transfer_agreement_days=pack.integer("transfer_agreement_days"),
        departure_answer_days=pack.integer("departure_answer_days"),
        retention_not_registered_years=pack.integer("retention_not_registered_years"),
        retention_registered_years=pack.integer("retention_registered_years"),
        retention_access_log_years=pack.integer("retention_access_log_years"),
        roster_rows_kept=timedelta(days=pack.integer("roster_rows_days")),
    )
    for name, time_ in (("settling_minutes", limits.settling), ("cooling_minutes", limits.cooling)):
        if time_ < timedelta(0):
            raise PackError(f"{pack.name} {pack.version}: {name} is below 0.")
    return checked(limits, pack)


def _hour(pack: Pack, name: str) -> time:
    try:
        return time.fromisoformat(pack.string(name))
    except ValueError:
        raise PackError(f"{pack.name} {pack.version}: {name} is no hour.") from None


def checked(limits: _L, pack: Pack) -> _L:
    """Return typed limits of a pack, none of them of no days, which would end before it begins.

    Raises:
        PackError: one is below 1.
    """
    for each in fields(limits):
        value = getattr(limits, each.name)
        numbers = value if isinstance(value, tuple) else (value,)
        if any(isinstance(number, int) and not isinstance(number, bool) and number < 1 for number in numbers):
            raise PackError(f"{pack.name} {pack.version}: {each.name} is below 1.")
    return limits


@dataclass(frozen=True, slots=True)
class OwnLimits:
    """The limits that a programme has for itself: what reads them from their pack, and where that lies."""

    read: Callable[[Pack], object]
    source: PackSource = LIMITS


def _none(pack: Pack) -> None:
    return None


# Of a programme that has no limits beside those of any case.
NO_LIMITS = OwnLimits(_none)
