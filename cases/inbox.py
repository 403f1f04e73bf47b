"""The inbox of the authority's answers: every one is kept once, whatever becomes of it."""

import hashlib
import json
from datetime import datetime
from uuid import uuid4

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case_file import CaseFile
from domain.answers import AnswerState, AuthorityAnswer
from store.case_rows import Row
from store.tables import answers

_IDENTIFYING = {"outcome_id"}


def content_hash(answer: AuthorityAnswer) -> bytes:
    """Return the hash of what an answer says, its id left out, so that the same content under a new id is known."""
    content = answer.model_dump(mode="json", exclude_none=True, exclude=_IDENTIFYING)
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).digest()


async def keep(
    file: CaseFile, connection: AsyncConnection, answer: AuthorityAnswer, state: AnswerState, at: datetime, source: str
) -> Row:
    """Keep an answer in the transaction of the case and return its row."""
    answer_id = uuid4()
    plain = answer.model_dump_json(exclude_none=True).encode()
    row: Row = {
        "answer_id": answer_id,
        "outcome_id": answer.outcome_id,
        "reference": file.reference,
        "destination": answer.destination.value,
        "employer_id": file.employer_id,
        "outcome": answer.outcome.value,
        "content_hash": file.context.keyring.lookup_hash("answer", content_hash(answer).hex()),
        "body": file.person_key.seal("answers", "body", str(answer_id), plain),
        "source": source,
        "state": state.value,
        "occurred_at": answer.occurred_at,
        "received_at": at,
    }
    await connection.execute(insert(answers).values(**row))
    file.answers.append(row)
    return row
