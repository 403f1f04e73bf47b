"""What an employer says of any case that it gave: why it thinks a finding wrong, and that it takes the case back."""

from domain.bodies import Body, example
from domain.fields import Note


class ContestRequest(Body):
    """Why the employer thinks a finding wrong."""

    model_config = example({"note": "The contract was renewed; the new end is in our letter."})

    note: Note


class WithdrawalRequest(Body):
    """A withdrawal, with a reason where the employer gives one."""

    model_config = example({"reason": "The person chose another post."})

    reason: Note | None = None
