"""Who may sign: reasons of the right use, no conflict of interest, and a second person for a second signature."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from domain.actors import Actor, Role
from domain.decisions import GivenReason
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.forms import Form, find_path
from domain.reasons import Reasons, checked_reasons, facts_of, of_use
from domain.signatures import KeptReason, Signature
from domain.stages import CLOSED, Stage
from domain.tasks import Queue
from store.rows.work import TaskRow
from store.tables import conflicts

# Signatures on a proposal after its proposer's and before the one that gives it effect.
FURTHER: Final = "further"
# The last one, of a decision that cools off (`domain.signatures.CoolingSignature`).
EFFECT: Final = "effect"
PROPOSAL_WAITS: Final = "A proposal waits for its second signature; it has to be decided first."
_ANOTHER: Final = "The second signature needs another person than the proposer."


def holder_of(actor: Actor) -> str:
    """Return how the actor is written as holder of a task."""
    return f"{actor.issuer} {actor.subject}"


def subject_of(holder: str | None) -> str | None:
    """Return the subject of a holder, as staff reads it."""
    return holder.split(" ", 1)[1] if holder else None


def held_by_another(task: TaskRow) -> Refused:
    """Return the refusal of a task that somebody else holds, naming who does."""
    return Refused("task_held", "Another officer holds this task.", facts={"holder": subject_of(task.holder)})


def signature_of(actor: Actor) -> Signature:
    """Return how a signer is kept with a proposal or an effect."""
    return {"issuer": actor.issuer, "subject": actor.subject, "role": actor.role.value}


def signer(signature: Signature) -> str:
    """Return how a signer kept is written as holder of a task."""
    return f"{signature['issuer']} {signature['subject']}"


def signers_of(kept: Mapping[str, Any]) -> tuple[Signature, ...]:
    """Return the signatures of what is kept of a proposal, its proposer's first."""
    return (kept["by"], *kept.get(FURTHER, ()))


def with_signature(kept: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """Return what is kept of a proposal with one more signature."""
    return {**kept, FURTHER: [*kept.get(FURTHER, ()), signature_of(actor)]}


def is_same(actor: Actor, signature: Signature | None) -> bool:
    """Whether the actor is the signer kept."""
    return signature is not None and signer(signature) == holder_of(actor)


def need_another(holder: str, signed: Iterable[Signature], *, words: str = "") -> None:
    """Refuse a further signature by one who has signed; `words` names what is said of it, if something else."""
    if holder in map(signer, signed):
        raise Refused("same_signer", "" if words else _ANOTHER, words=words)


def nothing_waits() -> Refused:
    """Return the refusal of a signature where nothing was proposed, or no more waits."""
    return Refused("wrong_stage", "Nothing waits for a second signature.")


def need_signer(actor: Actor, pending: Mapping[str, Any] | None) -> None:
    """Refuse who has signed what waits, and any signature where nothing does."""
    if pending is None:
        raise nothing_waits()
    need_last_missing(pending)
    need_another(holder_of(actor), signers_of(pending))


def need_last_missing(pending: Mapping[str, Any]) -> None:
    """Refuse a signature on what has its last one and cools off."""
    if EFFECT in pending:
        raise Refused("already_decided", "The decision is signed and cools off.")


def need_reasons(
    reasons: Iterable[GivenReason],
    use: str,
    forms: Sequence[type[Form]],
    published: Reasons,
    *,
    at_least_one: bool = True,
) -> tuple[str, ...]:
    """Return the codes given, or refuse where none is given, one is not of this use or is about no field of a form."""
    listed = list(reasons)
    codes = need_codes([reason.code for reason in listed], use, published, at_least_one=at_least_one)
    known = [path for form in forms for path in form.paths()]
    errors = [
        FieldError(f"reasons[{n}].field", FieldCode.UNKNOWN_VALUE, f"Known fields: {', '.join(known)}.")
        for n, reason in enumerate(listed)
        if reason.field is not None and find_path(forms, reason.field) is None
    ]
    if errors:
        raise Refused("invalid", "A reason is about a field that a registration does not have.", errors)
    return codes


def need_codes(codes: Sequence[str], use: str, published: Reasons, *, at_least_one: bool = True) -> tuple[str, ...]:
    """Return the codes, or refuse where there is none or one is not of this use."""
    if at_least_one and not codes:
        missing = FieldError("reasons", FieldCode.REQUIRED, "Give at least one reason.")
        raise Refused(
            "reason_missing", "Give at least one reason.", [missing], facts=facts_of(use, of_use(use, published))
        )
    return checked_reasons(codes, use, published)


def need_no_conflict(file: CaseFile, actor: Actor) -> None:
    """Refuse whoever declared a conflict of interest on the case, whatever is asked of it."""
    if holder_of(actor) in file.conflicts:
        raise Refused("role_not_allowed", words="conflict_declared")


async def need_unconflicted(connection: AsyncConnection, actor: Actor, references: Iterable[str]) -> None:
    """Refuse whoever declared a conflict of interest on one of these cases, in an act that opens no file of them."""
    c = conflicts.c
    declared = select(c.reference).where(c.reference.in_(list(references)), c.subject == holder_of(actor))
    if (await connection.execute(declared)).first() is not None:
        raise Refused("role_not_allowed", words="conflict_declared")


def need_round(file: CaseFile, round_: int) -> None:
    """Refuse an act on a round that has passed, which a stale page sends; where something was amended, it says so."""
    if round_ == file.round:
        return
    amended = any(each["round"] > round_ for each in file.row.amendments or ())
    said = "" if amended else f"The case is in round {file.round}; load it again."
    raise Refused("stale_round", said, words="amended_meanwhile" if amended else "")


def need_no_hold(file: CaseFile) -> None:
    """Refuse while a hold stands (R17, R20)."""
    if file.row.hold or file.row.standing_hold:
        raise Refused("on_hold", "The case is on hold; release it first.")


def take_task(file: CaseFile, actor: Actor, at: datetime, kind: str, destination: str | None = None) -> None:
    """Refuse while another person holds the task; deciding a free one claims it in the same act."""
    task = need_not_held(file, actor, kind, destination)
    if task is not None and task.holder is None:
        file.change_task(task, holder=holder_of(actor), held_since=at)


def need_not_held(file: CaseFile, actor: Actor, kind: str, destination: str | None = None) -> TaskRow | None:
    """Refuse while another person holds the task, or it is the supervisors'; return it, if there is one."""
    task = file.find_task(kind, destination)
    if task is None or task.holder == holder_of(actor):
        return task
    if task.holder is not None:
        raise held_by_another(task)
    if task.queue == Queue.SUPERVISORS and actor.role is not Role.SUPERVISOR:
        raise Refused("task_held", words="supervisors_only")
    return task


def need_undecided(file: CaseFile) -> None:
    """Refuse a decision on a case that has one."""
    if file.stage in CLOSED:
        raise Refused("case_closed", f"The case is {file.stage}.")
    if file.stage in (Stage.AWAITING_CONFIRMATION, Stage.APPROVED):
        raise Refused("already_decided", "A decision on this round is recorded.")


def notes_of(file: CaseFile, table: str, key: str, content: object) -> str:
    """Return free text sealed for its place and written in hexadecimal, so that it can stand in a JSON column."""
    return file.seal(table, "note", key, content).hex()


def with_notes(kept: Iterable[KeptReason], notes: Iterable[str | None]) -> tuple[GivenReason, ...]:
    """Return reasons as they were given, from what is kept of them and their notes."""
    return tuple(GivenReason(**reason, note=note) for reason, note in zip(kept, notes, strict=True))


def given(reasons: Iterable[GivenReason]) -> list[KeptReason]:
    """Return reasons as they are kept with a proposal: codes and fields; notes are sealed apart."""
    return [{"code": reason.code, "field": reason.field} for reason in reasons]
