"""The limits that the appraisal has for itself, from its own pack."""

from dataclasses import dataclass

from cases.shared.context import Context, own_limits
from domain import spellings
from policy.limits import checked
from policy.pack import Pack


@dataclass(frozen=True, slots=True)
class AppraisalLimits:
    """Limits in calendar days: before its end a recognition's person is reminded, and can ask for a re-appraisal."""

    expiry_reminders: tuple[int, ...]


def read(pack: Pack) -> AppraisalLimits:
    """Return the limits of this programme that a pack holds.

    Raises:
        PackError: a limit is missing, of the wrong type, or below 1.
    """
    return checked(AppraisalLimits(expiry_reminders=pack.integers("expiry_reminders")), pack)


def limits_in(context: Context) -> AppraisalLimits:
    """Return the limits of this programme that hold in a process."""
    return own_limits(context, spellings.APPRAISAL, AppraisalLimits)
