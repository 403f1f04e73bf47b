"""What is given of a work permit once there is one: changes, an extension, the end of the work, a cancellation."""

from pydantic import Field

from domain.bodies import Body, example
from domain.changes import ChangeAsked
from domain.fields import Day, Email, Label, Line, Name, Phone
from domain.figures import Money
from programmes.work_permit.requests import Passport
from programmes.work_permit.rules.claims import WorkPermitCategory


class WorkPermitChange(ChangeAsked):
    """What may change: contact at once, all else through an officer, within ten working days after it happened."""

    model_config = example({"position": "Head of materials", "happened_on": "2026-03-02"})

    email: Email | None = None
    phone: Phone | None = None
    name_en: Name | None = None
    name_zh: Name | None = None
    new_passport: Passport | None = Field(
        default=None, description="The passport that is valid now; the case keeps the one that it was opened with."
    )
    position: Line | None = None
    work_site: Line | None = None
    salary_year: Money | None = None
    contract_end: Day | None = None
    category: WorkPermitCategory | None = None


class WorkPermitExtensionRequest(Body):
    """That a permit is to be extended: all that is known is confirmed, but for what changes."""

    model_config = example({"changes": {"contract_end": "2030-12-31"}})

    changes: WorkPermitChange | None = None


class WorkPermitEndRequest(Body):
    """The last day of the contract, where it ends or has ended."""

    model_config = example({"ended_on": "2026-09-30"})

    ended_on: Day


class WorkPermitCancellationRequest(Body):
    """That the permit is to be cancelled, with the last day of the contract where no end of it is known yet."""

    model_config = example({"ended_on": "2026-09-30"})

    ended_on: Day | None = None


class OwnWorkPermitCancellationRequest(WorkPermitCancellationRequest):
    """That one's own permit is to be cancelled, where the employer is gone or did not do it in time."""

    model_config = example({"reference": "WP-7K2M-9QXA-3", "ended_on": "2026-09-30"})

    reference: Label
