"""Who acts: a person or machine named by a token, or the engine itself."""

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.parties import NO_PERSON, person_tenant


class Role(StrEnum):
    """A role in a token (design, section 1), and the engine's own."""

    EMPLOYER = "employer"
    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    AUTHORITY = "authority"
    PERSON = "person"
    SYSTEM = "system"


STAFF: Final = frozenset({Role.OFFICER, Role.SUPERVISOR})
INSIDE: Final = STAFF | {Role.AUDITOR, Role.OPERATOR, Role.SYSTEM}
PARK: Final = "*"  # the tenant of everyone who may see every employer's cases
SESSION_ISSUER: Final = "hetao/me"  # the issuer of a person who is known; no token of the OIDC issuer has it


class Actor(BaseModel):
    """The one who acts, as proved by the token, and the correlation id of the request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str
    subject: str
    role: Role
    employer_id: str | None = None
    correlation_id: str = ""

    @property
    def tenant(self) -> str:
        """Whose rows the actor may see: an employer's, `person/` with an id, or `*` for all; a person is never `*`."""
        if self.role is Role.PERSON:
            return person_tenant(self.subject) if self.issuer == SESSION_ISSUER else NO_PERSON
        return self.organisation

    @property
    def organisation(self) -> str:
        """The employer that the actor is of, or `*`: by it requests of before are known again."""
        return self.employer_id if self.employer_id is not None else PARK

    @property
    def is_inside(self) -> bool:
        """Whether the actor sees what the park keeps to itself: proposals, holds, findings for staff."""
        return self.role in INSIDE


def system(step: str, correlation_id: str = "") -> Actor:
    """Return the engine as actor of a step, named as the ledger shows it: `system:<step>`."""
    return Actor(issuer="hetao", subject=f"system:{step}", role=Role.SYSTEM, correlation_id=correlation_id)
