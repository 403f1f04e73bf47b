"""Taking two persons of the register for one human, by two signatures: what is proposed, and what it comes to."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.bodies import Body, example
from domain.decisions import ConfirmationAction
from domain.document_fields import PersonDocument
from domain.fields import Label, Note, refusal


class JoiningKind(StrEnum):
    """What is proposed: that two are one, or that two who were joined are two after all."""

    JOINING = "joining"
    PARTING = "parting"


class JoiningState(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    DONE = "done"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    UNDONE = "undone"  # a joining after which the two were parted
    LAPSED = "lapsed"  # a person was erased before it was signed


class JoiningReason(StrEnum):
    """Why two persons of the register are one human."""

    OTHER_DOCUMENT = "other_document"
    NUMBER_CHANGED = "number_changed"
    NUMBER_MISTYPED = "number_mistyped"


class PartingReason(StrEnum):
    """Why two who were joined are two."""

    NOT_ONE_PERSON = "not_one_person"
    PERSON_OBJECTED = "person_objected"


class NamedPerson(Body):
    """A person of the register, named by a case about them or by a document of theirs: by one of the two."""

    reference: Label | None = None
    document: PersonDocument | None = None

    @model_validator(mode="after")
    def _by_one(self) -> Self:
        if (self.reference is None) == (self.document is None):
            raise refusal("required", "Give either reference or document.")
        return self


class JoiningRequest(Body):
    """A proposal that two persons of the register are one: who is kept, who is joined to them, why, and the proof."""

    model_config = example(
        {
            "kept": {"reference": "HT-7K2M-9QXA-3"},
            "joined": {"reference": "HT-2C4D-6EFG-H"},
            "reason": "other_document",
            "proof": "Passport and identity card were shown together on 3 March 2026.",
        }
    )

    kept: NamedPerson
    joined: NamedPerson
    reason: JoiningReason
    proof: Annotated[Note, Field(description="What proves it, for whoever signs and for auditors.")]


class PartingRequest(Body):
    """A proposal to undo a joining."""

    model_config = example({"reason": "not_one_person", "proof": "The passport is another person's of the same name."})

    reason: PartingReason
    proof: Annotated[Note, Field(description="What proves it, for whoever signs and for auditors.")]


class JoiningConfirmation(Body):
    """The second signature on a joining or its undoing, or its rejection."""

    action: ConfirmationAction
