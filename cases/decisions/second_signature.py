"""The second signature, once for all that takes effect with one: cases, tracks, standings, erasures, packs, answers.

Each keeps its proposals in rows of its own, and asks here whether another may be made, who may sign, and what a
signature comes to. A signature is kept as `cases.case.signers.signature_of` says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeVar

from cases.case.signers import PROPOSAL_WAITS, holder_of, need_another, nothing_waits
from domain.actors import STAFF, Actor, Role
from domain.decisions import ConfirmationAction
from domain.errors import Refused
from domain.signatures import Signature

_T = TypeVar("_T")
_TWO: Final = 2


class Verdict(StrEnum):
    """What a signature on a proposal comes to."""

    GIVEN = "given"
    MORE = "more"  # signed, and yet another person has to
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondSignature:
    """What a kind of proposal asks of its signatures.

    Attributes:
        signers: how many people sign in all, the proposer among them.
        by: who may sign.
        one_waits: the code with which another proposal is refused while one waits.
        told: what is said with that code.
    """

    signers: int = 2
    by: frozenset[Role] = STAFF
    one_waits: str = "wrong_stage"
    told: str = PROPOSAL_WAITS

    def of(self, signers: int) -> "SecondSignature":
        """Return the same for so many people."""
        return self if signers == self.signers else replace(self, signers=signers)

    def need_none(self, waiting: object | None) -> None:
        """Refuse another proposal while one waits."""
        if waiting is not None:
            raise Refused(self.one_waits, self.told)

    def need_waiting(self, waiting: _T | None) -> _T:
        """Return the proposal that waits.

        Raises:
            Refused: `wrong_stage` where none does.
        """
        if waiting is None:
            raise nothing_waits()
        return waiting

    def sign(self, actor: Actor, signed: Sequence[Signature], action: ConfirmationAction) -> Verdict:
        """Return what the actor's signature comes to, beside those that a proposal has, its proposer's first.

        Whoever rejects it has to be another than its signers too.

        Raises:
            Refused: `role_not_allowed`; `same_signer`.
        """
        if actor.role not in self.by:
            raise Refused("role_not_allowed", "A second signature is given by the park's own people.")
        need_another(holder_of(actor), signed)
        if action is ConfirmationAction.REJECT:
            return Verdict.WITHHELD
        return Verdict.GIVEN if len(signed) + 1 >= self.signers else Verdict.MORE

    def is_given(self, actor: Actor, proposed_by: Signature, action: ConfirmationAction) -> bool:
        """Whether a proposal of two signers takes effect with the actor's signature; it is rejected otherwise.

        Raises:
            Refused: as `sign`.
        """
        if self.signers != _TWO:
            raise ValueError(self.signers)
        return self.sign(actor, (proposed_by,), action) is Verdict.GIVEN
