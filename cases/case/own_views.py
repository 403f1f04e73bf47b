"""A case as its person reads it, in plain words; a programme's own stands between its parts, as in `AnyCaseView`."""

from datetime import date, datetime

from cases.case.views import AnyFactView, FindingView, OpenPointView, view
from domain.stages import DueKind, Holder, Stage


@view
class OwnRecordedFact(AnyFactView):
    """A fact that an officer recorded, in plain words; what it says stands with all that is held."""

    may_contest: bool
    label: str | None
    state_text: str | None


@view
class ContactChange:
    """An address that somebody else put on the case, and that does not sign in yet."""

    channel: str
    address: str | None
    serves_from: str
    says: str | None


@view
class OwnHead:
    """Which case it is, and where it stands."""

    reference: str
    programme: str
    employer_id: str
    stage: Stage
    round: int


@view
class OwnBody:
    """What was found, which dates there are, and what comes next."""

    findings: tuple[FindingView, ...]
    open_points: tuple[OpenPointView, ...]
    accepted_at: datetime
    due_at: datetime | None
    due_kind: DueKind | None
    due_provisional: bool
    clock: str | None
    holder: Holder
    registration_number: str | None
    end_reason: str | None
    ended_on: date | None
    in_force: bool
    updated_at: datetime
    recorded_facts: tuple[OwnRecordedFact, ...]
    employer: str
    stage_text: str | None
    waits_for: str | None
    due_text: str | None
    end_reason_text: str | None


@view
class MayObject:
    """A decision that the person can object to: what is sent for it, and what it is in words."""

    against: str
    destination: str | None
    label: str | None


@view
class OwnEnd:
    """Which addresses do not serve yet, what was decided, and what the person can do now, in words."""

    contact_changes: tuple[ContactChange, ...]
    decisions: tuple[object, ...]
    may_object: tuple[MayObject, ...]
    remedies: tuple[str, ...]


@view
class OwnCase(OwnEnd, OwnBody, OwnHead):
    """A case as its person reads it, whatever its programme."""
