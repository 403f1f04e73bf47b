"""What staff asks about the evidence of a case, for programmes that declare some (`Programme.evidence`)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.commands import said
from cases.commands.once_only import VOUCHING
from cases.decisions import evidence
from cases.moves.evidence import EvidenceEvent
from cases.programme import EVERYBODY, Body, Command, Reasoned, Tells, effect
from domain.actors import STAFF, Actor
from domain.acts import Act
from domain.evidence import EvidenceCommand, EvidenceFallenRequest, EvidenceSeenRequest, EvidenceUse
from domain.routes import REASONS, On, Operation, Route

SEE: Final = Route(
    verb="seen",
    on=On.EVIDENCE,
    by=STAFF,
    name="seeEvidence",
    summary="Say what a piece of evidence proves",
    says="Say of a piece of evidence that was seen whether it proves, and which value; the rules run again.",
    problems=frozenset({"not_found", "stale_round"}),
)
FALL: Final = Route(
    verb="fallen",
    on=On.EVIDENCE,
    by=STAFF,
    name="letEvidenceFall",
    summary="Let what was proved fall",
    says="Say why what a piece of evidence proved counts no more. Before the decision the case is assessed again; "
    "after it a task is opened about what stands on it, and the decision is kept.",
    problems=REASONS | {"not_found"},
)
READ: Final = Operation(
    name="listEvidence",
    summary="Read evidence",
    says="Return the evidence of a case in clear, and what officers said of it; the reading is a ledger act.",
    problems=frozenset({"purpose_missing", "facts_erased"}),
)


async def _see(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    evidence_id, asked = _named(body)
    await evidence.see(file, connection, actor, at, evidence_id, EvidenceSeenRequest.model_validate(asked))


async def _fall(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    evidence_id, asked = _named(body)
    await evidence.let_fall(file, connection, actor, at, evidence_id, EvidenceFallenRequest.model_validate(asked))


def _named(body: Body) -> tuple[int, Body]:
    return body["evidence_id"], {name: value for name, value in body.items() if name != "evidence_id"}


def _seen(body: Mapping[str, Any]) -> Tells:
    return Tells(frozenset({Act.EVIDENCE_SEEN}), outcome=body["result"])


def _fallen(body: Mapping[str, Any]) -> Tells:
    return Tells(frozenset({Act.EVIDENCE_FALLEN}), reasons=said.codes(body))


def commands(*further: str) -> dict[str, Command]:
    """Return what staff asks about evidence.

    Args:
        further: the acts that `Evidence.falls` of the programme may leave in the ledger.
    """
    return {
        **VOUCHING,
        EvidenceCommand.SEE: Command(
            does=_see,
            route=SEE,
            events=(EvidenceEvent.SEE_EVIDENCE,),
            refuses=evidence.refuses_seeing,
            acts=effect(Act.EVIDENCE_SEEN),
            body=EvidenceSeenRequest,
            named=("evidence_id",),
            waits=EVERYBODY,
            said=_seen,
        ),
        EvidenceCommand.FALL: Command(
            does=_fall,
            route=FALL,
            events=(EvidenceEvent.EVIDENCE_FALLS, EvidenceEvent.PROPOSAL_FALLS, EvidenceEvent.EVIDENCE_FALLS_LATE),
            refuses=evidence.refuses_fall,
            acts=effect(Act.EVIDENCE_FALLEN, further=further),
            body=EvidenceFallenRequest,
            reasons=dict.fromkeys(
                (EvidenceEvent.EVIDENCE_FALLS, EvidenceEvent.PROPOSAL_FALLS, EvidenceEvent.EVIDENCE_FALLS_LATE),
                Reasoned(EvidenceUse.FALL),
            ),
            named=("evidence_id",),
            waits=EVERYBODY,
            said=_fallen,
        ),
    }
