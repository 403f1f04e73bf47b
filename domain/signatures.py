"""Signatures and reasons as they are kept in a JSON column, and the answers to findings that came of them."""

from typing import NotRequired, TypedDict


class KeptReason(TypedDict):
    """A coded reason, and the field that it is about where one was named; its note is sealed apart."""

    code: str
    field: str | None


class Signature(TypedDict):
    """Who signed."""

    issuer: str
    subject: str
    role: str


class KeptClock(TypedDict):
    """How the park's clock of a case stood before a decision that may be taken back."""

    days_used: int
    clock_since: str | None
    overdue: bool


class EffectSignature(Signature, KeptClock):
    """Who gave an approval effect, and how the park's clock stood before; the note sealed, in hex."""

    note: str
    # Of the register, after a restore.
    epoch: NotRequired[int]


class RenewalSignature(Signature):
    """Who decided on a renewal, why, and, sealed and in hex, the notes of the reasons."""

    reasons: list[KeptReason]
    notes: str


class CoolingSignature(Signature):
    """Who gave a decision its last signature, when, from when it holds, and how the park's clock of the case stood.

    That of a track has no clock (`KeptClock`).
    """

    at: str
    settles_at: str
    days_used: NotRequired[int]
    clock_since: NotRequired[str | None]
    overdue: NotRequired[bool]


class PackSignature(Signature):
    """Who signed a version of a rule pack: when, with which statement, and by which reasons' codes."""

    at: str
    statement: str
    reasons: NotRequired[list[str]]


class StandingSignature(Signature):
    """Who signed a change of an employer's standing; a second signature says when, and notes are sealed, in hex."""

    at: NotRequired[str]
    reasons: NotRequired[list[KeptReason]]
    notes: NotRequired[str]


class FindingAnswer(TypedDict):
    """By which reasons a finding was answered: it holds for the same finding with the same facts, hashed with a key."""

    code: str
    outcome: str
    facts: str
    reasons: list[str]
    scope: str
    at: str
