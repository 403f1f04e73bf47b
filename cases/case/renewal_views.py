"""The newest renewal of a case as it is shown with it, for programmes whose cases are renewed."""

from cases.case.renewals import RenewalView, newest_of, renewal_view
from cases.case.shows import Showing
from cases.case.view import findings_shown
from domain.findings import Audience
from domain.renewals import RENEWAL_SCOPE


def renewal_shown(showing: Showing) -> RenewalView | None:
    """Return the newest renewal as its reader may see it, with what was found of it for that reader."""
    row, inside = newest_of(showing.case), showing.actor.is_inside
    if row is None:
        return None
    audience = Audience.STAFF if inside else Audience.EMPLOYER
    outcome, findings = findings_shown(showing.case, audience, showing.language, RENEWAL_SCOPE, short=showing.short)
    return renewal_view(row, inside=inside, assessment=outcome, findings=findings)
