"""What a document says of a track's key and stage, whose words are those of the programmes."""

from enum import StrEnum


class TrackKey(StrEnum):
    """Which track of a case it is."""

    DECLARED = "declared by its programme"


class TrackStage(StrEnum):
    """Where a track of a case stands."""

    DECLARED = "declared by its programme"
