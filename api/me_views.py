"""What answers to a person look like, for the OpenAPI document."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.published import OwnCaseView, OwnDataCaseView
from api.views import Page
from cases.once_only.views import OfferView
from privacy.views import (
    AccessDayView,
    AccessView,
    KeptApartView,
    ObjectionView,
    OwnObjectionView,
    OwnReleaseView,
    OwnTransferView,
)


class LinkAskedView(BaseModel):
    """The one answer to whoever asks for a link, whether or not the case has the address."""

    status: str = Field(examples=["asked"])
    message: str = Field(description="What happens now, in the caller's language.")


class OwnCasesView(BaseModel):
    """The person's cases at every employer on which the proved address stands."""

    items: list[OwnCaseView]


class AccessDays(Page):
    """A page of days, the newest first."""

    items: list[AccessDayView]


class AccessPage(Page):
    """A page of readings, the newest first."""

    items: list[AccessView]


class OwnDataView(BaseModel):
    """All that is held about the person, under the cases that the session opens."""

    format: str
    at: datetime
    cases: list[OwnDataCaseView]
    releases: list[OwnReleaseView] = Field(description="What was taken over between these cases, or may be.")
    kept_apart: list[KeptApartView]


class OwnOffersView(BaseModel):
    """What was verified in the person's other cases and may be released, the newest first."""

    items: list[OfferView]


class OwnReleasesView(BaseModel):
    """What was released by the person, or taken over into their cases, the newest first."""

    items: list[OwnReleaseView]


class OwnTransfersView(BaseModel):
    """What the person agreed to, the newest first."""

    items: list[OwnTransferView]


class OwnObjectionsView(BaseModel):
    """What the person objected to, the newest first."""

    items: list[OwnObjectionView]


class ObjectionPage(Page):
    """A page of what waits for an answer."""

    items: list[ObjectionView]
