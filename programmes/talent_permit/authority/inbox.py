"""The inbox of the authority's answers: every one is kept once, whatever becomes of it."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.shared.context import Context
from domain.answers import AnswerState
from domain.clock import CHINA
from domain.errors import Refused
from programmes.talent_permit.authority.answers import AuthorityAnswer
from store.rows.authority import AnswerRow
from store.tables import answers

PAPER: Final = "paper"
_IDENTIFYING = {"outcome_id"}


def keyed_hash(context: Context, answer: AuthorityAnswer) -> bytes:
    """Return the hash of what an answer says as it is stored: keyed, so that nothing can be guessed from it.

    Its id is left out, so that the same content under a new id is known, and its time is that of one offset, so that
    the same instant is the same content however it was written.
    """
    in_china = answer.occurred_at.astimezone(CHINA)
    return _keyed(context, answer.model_copy(update={"occurred_at": in_china}))


def accepted_hashes(context: Context, answer: AuthorityAnswer) -> frozenset[bytes]:
    """Return the hashes that may stand beside a kept answer: those kept before are of the time as it was written."""
    in_utc = answer.model_copy(update={"occurred_at": answer.occurred_at.astimezone(UTC)})
    return frozenset({keyed_hash(context, answer), _keyed(context, in_utc), _keyed(context, answer)})


def _keyed(context: Context, answer: AuthorityAnswer) -> bytes:
    content = answer.model_dump(mode="json", exclude_none=True, exclude=_IDENTIFYING)
    plain = json.dumps(content, sort_keys=True, ensure_ascii=False).encode()
    return context.keyring.lookup_hash("answer", hashlib.sha256(plain).hexdigest())


def keep(file: CaseFile, answer: AuthorityAnswer, state: AnswerState, at: datetime, source: str) -> AnswerRow:
    """Keep an answer with the case and return its row."""
    answer_id = uuid4()
    plain = answer.model_dump_json(exclude_none=True).encode()
    row = AnswerRow(
        answer_id=answer_id,
        outcome_id=answer.outcome_id,
        reference=file.reference,
        destination=answer.destination.value,
        employer_id=file.employer_id,
        outcome=answer.outcome.value,
        content_hash=keyed_hash(file.context, answer),
        body=file.person_key.seal("answers", "body", str(answer_id), plain),
        source=source,
        state=state.value,
        occurred_at=answer.occurred_at,
        received_at=at,
    )
    file.add_row("answers", row)
    file.answers.append(row)
    return row


def read_kept(file: CaseFile, kept: AnswerRow) -> AuthorityAnswer:
    """Return a kept answer in clear."""
    plain = file.person_key.open("answers", "body", str(kept.answer_id), kept.body)
    return AuthorityAnswer.model_validate_json(plain)


async def keep_paper(file: CaseFile, connection: AsyncConnection, paper: AuthorityAnswer, at: datetime) -> None:
    """Keep what an officer entered from a paper; entered again before it was proposed, it stands in the first's place.

    Raises:
        Refused: `already_decided` where this paper, or the same content, is recorded already.
    """
    hashed, same_content = keyed_hash(file.context, paper), accepted_hashes(file.context, paper)
    same = or_(
        answers.c.outcome_id == paper.outcome_id,
        and_(
            answers.c.reference == file.reference,
            answers.c.destination == paper.destination.value,
            answers.c.content_hash.in_(same_content),
        ),
    )
    known = AnswerRow.all_of(await connection.execute(select(answers).where(same)))
    if not known:
        keep(file, paper, AnswerState.HELD, at, PAPER)
        return
    row = known[0]
    if len(known) > 1 or row.outcome_id != paper.outcome_id or row.state != AnswerState.HELD:
        raise Refused("already_decided", "An answer of this number or content is recorded already.")
    if row.content_hash in same_content:
        return
    if row.source != PAPER or row.reference != file.reference or row.destination != paper.destination:
        raise Refused("already_decided", "Another answer has this number.")
    plain = paper.model_dump_json(exclude_none=True).encode()
    mended = {
        "outcome": paper.outcome.value,
        "content_hash": hashed,
        "body": file.person_key.seal("answers", "body", str(row.answer_id), plain),
        "occurred_at": paper.occurred_at,
        "received_at": at,
    }
    await connection.execute(update(answers).where(answers.c.answer_id == row.answer_id).values(**mended))
    for held in file.answers:
        if held.answer_id == row.answer_id:
            held.change(**mended)
