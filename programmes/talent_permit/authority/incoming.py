"""Where the exit-entry administration's answers come in, and where staff has those about cases that are not there."""

from functools import partial
from typing import Final
from uuid import UUID

from pydantic import BaseModel, Field

from cases.shared.context import Context
from cases.shared.idempotency import Idempotency, Reply
from cases.shared.inboxes import Desk, Inbox, Listing, ListRead, Received, Step, Takes
from domain.actors import STAFF, Actor, Role
from domain.incidents import IncidentKind
from programmes.talent_permit.authority import lost, lost_acts
from programmes.talent_permit.authority.answers import AuthorityAnswer
from programmes.talent_permit.authority.gathered import Gathering
from programmes.talent_permit.authority.lost_views import (
    AttachmentConfirmation,
    AttachmentRequest,
    LostAnswerPage,
    LostAnswerQuery,
    LostAnswerView,
)
from programmes.talent_permit.authority.outcomes import Said


class AnswerView(BaseModel):
    """What became of an answer."""

    status: str = Field(examples=["recorded"], description="`recorded`, `already_recorded` or `held`.")


def _open(context: Context) -> Takes:
    """Answers about one case that come at the same moment are taken in together."""
    gathering = Gathering(context)

    async def take(actor: Actor, answer: AuthorityAnswer, message_id: str, body: bytes) -> Received:
        return await gathering.receive(Said(actor, answer, message_id, body))

    return take


def _about(answer: AuthorityAnswer) -> str:
    return answer.reference


def _read(context: Context, _actor: Actor, query: LostAnswerQuery) -> ListRead:
    return partial(lost.list_answers, context, query.state)


async def _propose(
    context: Context, actor: Actor, answer_id: UUID, asked: AttachmentRequest, idempotency: Idempotency
) -> tuple[Reply, None]:
    return await lost_acts.propose(context, actor, answer_id, asked, idempotency), None


AUTHORITY: Final = Inbox(
    path="authority/outcomes",
    name="sendOutcome",
    summary="Answer on a talent permit",
    says="Take an answer of the exit-entry administration; a message id seen before gets its first answer again.",
    problems=frozenset({"case_unknown", "facts_erased"}),
    machine="authority",
    kind=IncidentKind.AUTHORITY_ANSWER,
    body=AuthorityAnswer,
    about=_about,
    view=AnswerView,
    later="Kept for an officer (`held`) or until it fits.",
    open=_open,
)
LOST_ANSWERS: Final = Desk(
    path="lost-answers",
    named="answer_id",
    listing=Listing(
        name="listLostAnswers",
        summary="List answers about cases that are not there",
        says="List what the authority answered about cases that the register does not have, the newest first.",
        by=STAFF | {Role.AUDITOR},
        query=LostAnswerQuery,
        page=LostAnswerPage,
        read=_read,
    ),
    steps=(
        Step(
            verb="attachment",
            name="proposeAttachment",
            summary="Propose its case",
            says="Propose that an answer belongs to a case, such as the same person's that was submitted anew after a "
            "restore.",
            problems=frozenset({"case_unknown", "wrong_stage", "already_decided", "facts_erased"}),
            by=STAFF,
            body=AttachmentRequest,
            view=LostAnswerView,
            is_stored=True,
            does=_propose,
        ),
        Step(
            verb="attachment/confirmation",
            name="confirmAttachment",
            summary="Sign, or reject, the attachment",
            says="Give or refuse the second signature; given, the answer is taken in as one about the case that was "
            "named.",
            problems=frozenset({"already_decided", "wrong_stage", "same_signer", "case_unknown", "facts_erased"}),
            by=STAFF,
            body=AttachmentConfirmation,
            view=LostAnswerView,
            does=lost_acts.confirm,
        ),
    ),
)
