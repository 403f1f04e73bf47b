"""The inbox of the authority's answers: every one is kept once, whatever becomes of it."""

import hashlib
import json
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case_file import CaseFile
from cases.context import Context
from domain.answers import AnswerState, AuthorityAnswer
from domain.errors import Refused
from store.case_rows import Row
from store.tables import answers

PAPER: Final = "paper"
_IDENTIFYING = {"outcome_id"}


def content_hash(answer: AuthorityAnswer) -> bytes:
    """Return the hash of what an answer says, its id left out, so that the same content under a new id is known."""
    content = answer.model_dump(mode="json", exclude_none=True, exclude=_IDENTIFYING)
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).digest()


def keyed_hash(context: Context, answer: AuthorityAnswer) -> bytes:
    """Return the content's hash as it is stored: keyed, so that nothing can be guessed from it."""
    return context.keyring.lookup_hash("answer", content_hash(answer).hex())


def keep(file: CaseFile, answer: AuthorityAnswer, state: AnswerState, at: datetime, source: str) -> Row:
    """Keep an answer with the case and return its row."""
    answer_id = uuid4()
    plain = answer.model_dump_json(exclude_none=True).encode()
    row: Row = {
        "answer_id": answer_id,
        "outcome_id": answer.outcome_id,
        "reference": file.reference,
        "destination": answer.destination.value,
        "employer_id": file.employer_id,
        "outcome": answer.outcome.value,
        "content_hash": keyed_hash(file.context, answer),
        "body": file.person_key.seal("answers", "body", str(answer_id), plain),
        "source": source,
        "state": state.value,
        "occurred_at": answer.occurred_at,
        "received_at": at,
    }
    file.add_row("answers", row)
    file.answers.append(row)
    return row


async def keep_paper(file: CaseFile, connection: AsyncConnection, paper: AuthorityAnswer, at: datetime) -> None:
    """Keep what an officer entered from a paper; entered again before it was proposed, it stands in the first's place.

    Raises:
        Refused: `already_decided` where this paper, or the same content, is recorded already.
    """
    hashed = keyed_hash(file.context, paper)
    same = or_(
        answers.c.outcome_id == paper.outcome_id,
        and_(
            answers.c.reference == file.reference,
            answers.c.destination == paper.destination.value,
            answers.c.content_hash == hashed,
        ),
    )
    known = (await connection.execute(select(answers).where(same))).mappings().all()
    if not known:
        keep(file, paper, AnswerState.HELD, at, PAPER)
        return
    row = known[0]
    if len(known) > 1 or row["outcome_id"] != paper.outcome_id or row["state"] != AnswerState.HELD:
        raise Refused("already_decided", "An answer of this number or content is recorded already.")
    if row["content_hash"] == hashed:
        return
    if row["source"] != PAPER or row["reference"] != file.reference or row["destination"] != paper.destination:
        raise Refused("already_decided", "Another answer has this number.")
    plain = paper.model_dump_json(exclude_none=True).encode()
    mended = {
        "outcome": paper.outcome.value,
        "content_hash": hashed,
        "body": file.person_key.seal("answers", "body", str(row["answer_id"]), plain),
        "occurred_at": paper.occurred_at,
        "received_at": at,
    }
    await connection.execute(update(answers).where(answers.c.answer_id == row["answer_id"]).values(**mended))
    for held in file.answers:
        if held["answer_id"] == row["answer_id"]:
            held.update(mended)
