"""What a signed request says of the row that it leaves in the ledger, for what any case can be asked."""

from collections.abc import Mapping
from typing import Any

from cases.programme import Said, Tells
from domain.acts import Act
from domain.decisions import ConfirmationAction, HoldAction


def codes(body: Mapping[str, Any]) -> frozenset[str]:
    """Return the codes of the reasons that were given."""
    return frozenset(reason["code"] for reason in body.get("reasons", ()))


def decision(body: Mapping[str, Any]) -> Tells:
    """Return what a decision says."""
    return Tells(frozenset({Act.DECIDED}), body["action"], codes(body))


def signature(*given: str) -> Said:
    """Return what a second signature must have led to; its reasons are its own where it was withheld."""

    def said(body: Mapping[str, Any]) -> Tells:
        if body["action"] == ConfirmationAction.REJECT:
            return Tells(frozenset({Act.REJECTED}), reasons=codes(body))
        return Tells(frozenset({Act.SIGNED, *given}))

    return said


def hold(body: Mapping[str, Any]) -> Tells:
    """Return what a hold, or its release, says."""
    if body["action"] == HoldAction.RELEASE:
        return Tells(frozenset({Act.HOLD_RELEASED}))
    return Tells(frozenset({Act.HELD}), reasons=frozenset({body["reason"]}))
