"""The three kinds of error: refused (the caller can mend it), unavailable (try later) and defect (ours)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

_Promised = TypeVar("_Promised")


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: its path in the body, a code and a sentence that never quotes the value.

    `words` names a sentence of the catalogue that says more than the code, `about` fills its gap with a place in a file
    or a header, never a value, and `allowed` is what may stand there.
    """

    field: str
    code: str
    message: str
    words: str = ""
    allowed: tuple[str, ...] = ()
    about: str = ""

    def as_kept(self) -> dict[str, Any]:
        """Return the error as it is kept with what was refused."""
        kept: dict[str, Any] = {"field": self.field, "code": str(self.code), "message": self.message}
        kept |= {"words": self.words} if self.words else {}
        kept |= {"about": self.about} if self.about else {}
        return kept | ({"allowed": list(self.allowed)} if self.allowed else {})

    @classmethod
    def from_kept(cls, kept: Mapping[str, Any]) -> "FieldError":
        """Return the error that was kept."""
        return cls(**{**kept, "allowed": tuple(kept.get("allowed", ()))})


# The published problem codes and the HTTP status each one answers with (states.md, "Problem codes").
PROBLEM_STATUS: Final[dict[str, int]] = {
    "malformed": 400,
    "cursor_invalid": 400,
    "idempotency_key_missing": 400,
    "purpose_missing": 400,
    "token_missing": 401,
    "token_invalid": 401,
    "signature_invalid": 401,
    "link_invalid": 401,
    "role_not_allowed": 403,
    "not_found": 404,
    "case_unknown": 404,
    "method_not_allowed": 405,
    "body_late": 408,
    "live_registration_exists": 409,
    "wrong_stage": 409,
    "stale_round": 409,
    "draft_changed": 409,
    "task_held": 409,
    "already_decided": 409,
    "same_signer": 409,
    "evidence_seen_by_decider": 409,
    "on_hold": 409,
    "case_closed": 409,
    "employer_not_in_good_standing": 409,
    "in_progress": 409,
    "client_reference_taken": 409,
    "objection_exists": 409,
    "objection_term_over": 409,
    "renewal_too_early": 409,
    "renewal_under_way": 409,
    "nothing_to_renew": 409,
    "not_sealed_yet": 409,
    "legal_hold": 409,
    "case_not_at_rest": 409,
    "still_broken": 409,
    "facts_erased": 410,
    "body_too_large": 413,
    "media_type_unknown": 415,
    "invalid": 422,
    "idempotency_key_reused": 422,
    "reason_missing": 422,
    "reason_unknown": 422,
    "reason_not_allowed": 422,
    "return_not_allowed": 422,
    "amendment_not_allowed": 422,
    "wrong_programme": 422,
    "assignee_unknown": 422,
    "too_many_requests": 429,
    "defect": 500,
    "engine_unavailable": 503,
}


class Refused(Exception):  # noqa: N818 - the fact is the name; the kind is what callers branch on
    """The request cannot be done as asked, or not for `retry_after` seconds; the caller can mend it.

    `facts` are what else the caller has to know: the `holder` of a task, the `use` that a reason needs, what is
    `allowed`, the `limit_days`; `words` names a sentence of the catalogue that says more than the code.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        errors: Sequence[FieldError] = (),
        *,
        facts: Mapping[str, Any] | None = None,
        words: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.facts = dict(facts or {})
        self.words = words
        self.retry_after = retry_after
        self.status = PROBLEM_STATUS[code]


class Unavailable(Exception):  # noqa: N818
    """Something outside does not answer; the same step is tried again, after `retry_after` seconds where told."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class KeyUnknown(Unavailable):
    """Something is under a key that this process does not have, or not yet: tried again, and opened once it has it."""

    def __init__(self, kind: str, key_id: str) -> None:
        super().__init__("key_unknown")
        self.kind, self.key_id = kind, key_id


class Defect(Exception):  # noqa: N818
    """A fault of ours; not retried: it opens an incident and waits for an operator's `resume`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def need(value: _Promised | None, name: str) -> _Promised:
    """Return a value that the stage of a case promises.

    Raises:
        Defect: `missing_{name}` where it is not there.
    """
    if value is None:
        raise Defect(f"missing_{name}")
    return value


class SettingError(Exception):
    """A setting without which a process does not start; the message names it and says what to do, without its value."""
