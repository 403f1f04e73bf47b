"""The time limits of registrations and their permits (states.md, section 6), typed, and the packs of this programme."""

from dataclasses import dataclass
from typing import Final

from cases.shared.context import Context, own_limits
from domain import spellings
from policy.limits import checked
from policy.pack import Pack
from policy.packs import PackSource

RULES: Final = PackSource(spellings.TALENT_PERMIT, package="programmes.talent_permit", folder="packs")


@dataclass(frozen=True, slots=True)
class TalentPermitLimits:
    """The limits of this programme; names ending in `_days` count working days."""

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
    conflicts_a_day: int


def read(pack: Pack) -> TalentPermitLimits:
    """Return the limits of this programme that a pack holds.

    Raises:
        PackError: a limit is missing, of the wrong type, or below 1.
    """
    limits = TalentPermitLimits(
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
        conflicts_a_day=pack.integer("conflicts_a_day"),
    )
    return checked(limits, pack)


def limits_in(context: Context) -> TalentPermitLimits:
    """Return the limits of this programme that hold in a process."""
    return own_limits(context, spellings.TALENT_PERMIT, TalentPermitLimits)
