"""Decisions that another system signals, with the statement of the officer who took them."""

from typing import Any

from cases.commands.signals import decision_hash
from domain.commands import CommandKind
from domain.messages import DecisionSignal
from proof.statements import ActorStatement, sign
from tests.cases.contexts import OFFICER
from tests.workflows.world import Case


def signalled(
    case: Case, action: str, *reasons: str, message_id: str = "m-1", round_: int = 1, **said: Any
) -> DecisionSignal:
    """Return a decision of the officer; `said` changes what the statement says."""
    key_id, key = case.world.context.keyring.signing_key()
    unsigned = DecisionSignal(message_id=message_id, action=action, round=round_, reasons=reasons, statement="")
    statement = {
        "key_id": key_id,
        "issuer": OFFICER.issuer,
        "subject": OFFICER.subject,
        "role": OFFICER.role,
        "employer_id": None,
        "command_id": message_id,
        "reference": case.reference,
        "kind": CommandKind.DECIDE.value,
        "body_hash": decision_hash(unsigned),
        "at": case.world.clock(),
        **said,
    }
    signed = sign(ActorStatement.model_validate(statement), key)
    return unsigned.model_copy(update={"statement": signed})
