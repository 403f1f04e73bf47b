"""Who has a part in a case: an employer or a person, as its owner, its subject, or one who confirms something of it."""

from enum import StrEnum
from typing import Final
from uuid import UUID


class Party(StrEnum):
    """What a party is; kept with each part."""

    EMPLOYER = "employer"
    PERSON = "person"


class Part(StrEnum):
    """What a party is to a case; kept with each part."""

    OWNER = "owner"
    SUBJECT = "subject"
    CONFIRMER = "confirmer"


# What a transaction stands for, beside the park (`*`) and an employer (its id); read by row-level security.
PERSON_PREFIX: Final = "person/"
# A person who showed nothing by which anybody is known: a party of no case.
NO_PERSON: Final = f"{PERSON_PREFIX}nobody"
# Finding out who signs in: it sees persons, links and sessions, and no case.
DOOR: Final = "sign-in"


# In the place of an employer's id where something is told or counted of all cases that persons own.
PERSONS: Final = "persons"


def person_tenant(person_id: UUID | str) -> str:
    """Return what the transactions of a person stand for; a case that a person owns bears it as its `employer_id`."""
    return f"{PERSON_PREFIX}{person_id}"


def owning(owner: str) -> Party:
    """Return what the owner is whom the rows of a case bear: an employer's id, or `person/` and an id."""
    return Party.PERSON if owner.startswith(PERSON_PREFIX) else Party.EMPLOYER


def looked_up_within(owner: str) -> str:
    """Return within which names and last fours of an owner's cases are looked up: an employer, or all persons."""
    return PERSONS if owning(owner) is Party.PERSON else owner
