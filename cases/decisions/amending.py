"""Giving parts of a form again while the case is under review, before the decision (R5a).

The case stays where it is: whoever holds its task keeps it, and the park's clock runs on, since nobody asked for it.
The rules run again in the same step, under the same version, and whatever they find an officer sees it: a case is sent
back by a person alone once a person looks at it. A next round makes what was proposed or typed for the last one stale.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.signers import need_round
from cases.case.view import shown_at
from cases.decisions import assessing, correction
from cases.moves.front_half import Event
from cases.moves.moving import move, need_move
from cases.notices.compose import Said
from cases.programme import programme_of
from domain.actors import Actor, system
from domain.acts import Act
from domain.amendments import Amendment, differing
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.forms import Form
from domain.notices import NoticeKind
from domain.stages import Stage
from domain.tasks import TaskKind


def refuses(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse what nobody may give again now: a decision is being made, or it was given again as often as it may."""
    # Whether it is a proposal that waits or an approval that settles, an outsider is told the same.
    is_settling = file.stage is Stage.APPROVED and not file.row.settled
    if file.stage is Stage.AWAITING_CONFIRMATION or is_settling:
        raise Refused("wrong_stage", words="being_decided")
    need_move(file, Event.CORRECT, actor)
    allowed = file.context.limits.amendments_allowed
    if file.stage is Stage.UNDER_REVIEW and len(file.row.amendments or ()) >= allowed:
        raise Refused("amendment_not_allowed", facts={"amendments_allowed": allowed})


def need_may_be_given(file: CaseFile, actor: Actor, at: datetime, round_: int | None) -> None:
    """Refuse what may not be given again now, or was written for another round than that of the case.

    Raises:
        Refused: as `refuses`; `invalid` where the round of a case under review is not said; `stale_round`.
    """
    refuses(file, actor, None, at)
    if round_ is not None:
        need_round(file, round_)
    elif file.stage is Stage.UNDER_REVIEW:
        missing = FieldError("round", FieldCode.REQUIRED, "Say the round that was read.", words="round_of_review")
        raise Refused("invalid", "The case is under review: say the round that was read.", [missing])


def need_amendment(file: CaseFile, whole: Form) -> None:
    """Refuse, of a case under review, what would make it another person's, or would change nothing.

    Raises:
        Refused: `invalid`, with the field.
    """
    if file.stage is not Stage.UNDER_REVIEW:
        return
    if not whole.subject.document.is_same_person(file.subject.document):
        other = FieldError(whole.document_field, FieldCode.UNKNOWN_VALUE, "Of another person.", words="another_person")
        raise Refused("invalid", "Under review a case stays that of its person.", [other])
    if not file.application.differs_in(whole):
        raise Refused("invalid", words="nothing_differs")


async def take(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    before: Form,
    *,
    contact_changed: Sequence[Said] = (),
) -> None:
    """Take what was given again, whose version is stored: asked for (R5), or of the owner's own accord (R5a).

    Args:
        file: the case.
        connection: its transaction.
        actor: who gave it.
        at: when it was asked.
        before: what had been given until then.
        contact_changed: what to tell whose address it changes.
    """
    if file.stage is not Stage.UNDER_REVIEW:
        correction.take_correction(file, actor, at, contact_changed=contact_changed)
        return
    earlier = file.assessment()
    file.row.round += 1
    said = [(NoticeKind.CONTACT_CHANGED, each) for each in contact_changed]
    move(file, Event.CORRECT, actor, at, said=said)
    fields = list(before.differs_in(file.application))
    content = file.person_key.ledger_hash(file.application.model_dump_json(exclude_none=True).encode())
    file.record(
        Act.CORRECTED, actor, at, outcome="amended", content=content, version=file.row.facts_version, fields=fields
    )
    programme_of(file).known_anew(file, at)
    # An owner's try looks at no register: what the rules find then is the step's to say.
    if not file.previewed:
        await assessing.assess_again(file, connection, system("assess_again"), at)
    now = file.assessment()
    amendment = Amendment(
        round=file.round,
        at=shown_at(at).isoformat(),
        before=file.row.facts_version - 1,
        version=file.row.facts_version,
        fields=fields,
        findings=differing(earlier.findings if earlier else (), now.findings if now else ()),
    )
    file.row.amendments = [*(file.row.amendments or ()), amendment]
    task = file.find_task(TaskKind.REVIEW)
    if task is not None:
        rounds = [*task.detail.get("amended", ()), file.round]
        file.change_task(task, round=file.round, detail=task.detail | {"amended": rounds})
