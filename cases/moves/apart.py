"""Who saw the evidence of a case is not who decides it, where its programme keeps the two apart."""

from cases.case.evidence import evidence_of
from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.signers import is_same
from cases.programme import programme_of
from domain.actors import Actor
from domain.errors import Refused


def need_apart(file: CaseFile, actor: Actor, track: At | None = None) -> None:
    """Refuse a decision, or a signature on one, by who said of a piece of evidence what it proves.

    Raises:
        Refused: `evidence_seen_by_decider`.
    """
    declared = programme_of(file).evidence
    if declared is None or not declared.apart:
        return
    if any(is_same(actor, signature) for row in evidence_of(file) for signature in row.seen_by):
        raise Refused("evidence_seen_by_decider")
