"""The words of a programme: each kind of what it does, with what the kind implies; the core's own among them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from domain.acts import ACTS, ActMeaning
from domain.deadlines import DEADLINES, DeadlineMeaning
from domain.notices import M_THEN_S, PLANS, About, NoticeKind, NoticePlan, Recipient
from domain.reasons import REASONS, Reasons, Use
from domain.tasks import TASKS, TaskMeaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Kinds, each with its meaning.

    Attributes:
        acts: what can be done, each a row of the ledger.
        deadlines: what can be due of a case.
        tasks: what a person can be asked to do.
        notices: what is told, in the order in which the kinds are published.
        reasons: why something is done, in the order in which they are published.
        uses: what a reason may be given for.
    """

    acts: Mapping[str, ActMeaning] = field(default_factory=dict)
    deadlines: Mapping[str, DeadlineMeaning] = field(default_factory=dict)
    tasks: Mapping[str, TaskMeaning] = field(default_factory=dict)
    notices: Mapping[str, NoticePlan] = field(default_factory=dict)
    reasons: Reasons = field(default_factory=dict)
    uses: tuple[str, ...] = ()

    def __or__(self, other: "Words") -> "Words":
        """Return the words of both."""
        return Words(
            acts={**self.acts, **other.acts},
            deadlines={**self.deadlines, **other.deadlines},
            tasks={**self.tasks, **other.tasks},
            notices={**self.notices, **other.notices},
            reasons=_both(self.reasons, other.reasons),
            uses=tuple(dict.fromkeys([*self.uses, *other.uses])),
        )

    def act(self, act: str) -> ActMeaning:
        """Return what an act implies; nothing for one that is not known, as in a row that somebody altered."""
        return self.acts.get(act, _UNKNOWN)

    def proposals(self) -> list[str]:
        """Return the acts that propose or decide."""
        return sorted(str(act) for act, each in self.acts.items() if each.proposes)

    def signatures(self) -> list[str]:
        """Return the acts that are second signatures."""
        return sorted(str(act) for act, each in self.acts.items() if each.signs)

    def decisions(self) -> list[str]:
        """Return what people decide, first and second signatures alike."""
        return sorted({*self.proposals(), *self.signatures()})

    def judgements(self) -> list[str]:
        """Return what staff does to a case by its own judgement."""
        return sorted({*self.decisions(), *(str(act) for act, each in self.acts.items() if each.judges)})

    def deadlines_of_schedule(self) -> list[str]:
        """Return the deadlines that the Schedule watches and no workflow of a case."""
        return [str(kind) for kind, each in self.deadlines.items() if each.by_schedule]

    def deadlines_of_workflow(self) -> list[str]:
        """Return the deadlines that wake the workflow of their case."""
        return [str(kind) for kind, each in self.deadlines.items() if not each.by_schedule]

    def outliving_deadlines(self) -> list[str]:
        """Return the deadlines that may come after the workflow of their case has closed."""
        return [str(kind) for kind, each in self.deadlines.items() if each.outlives]


def _both(some: Reasons, others: Reasons) -> Reasons:
    """Return the reasons of both; one that both have with the uses of both."""
    joint = {code: some[code].with_uses_of(each) for code, each in others.items() if code in some}
    return {**some, **others, **joint}


_UNKNOWN: Final = ActMeaning()
# Of any case.
CORE_WORDS: Final = Words(acts=ACTS, deadlines=DEADLINES, tasks=TASKS, notices=PLANS, reasons=REASONS, uses=tuple(Use))


# What is asked of an employer that owns a case, and of nobody in its place.
_OF_EMPLOYERS: Final = frozenset(
    {NoticeKind.DEPARTURE_ASKED, NoticeKind.DEPARTURE_ASKED_NO_MORE, NoticeKind.HAND_OVER_REQUESTED}
)


def owned_by_persons(words: Words) -> Words:
    """Return words with the notices that go to the owner of a case going to the person who owns it.

    For an employer are then only those that a programme declares beside them: they go to the one who confirms. No
    employer is asked to hand anything over.
    """
    return replace(
        words, notices={kind: _to_person(each) for kind, each in words.notices.items() if kind not in _OF_EMPLOYERS}
    )


def _to_person(told: NoticePlan) -> NoticePlan:
    if told.about is About.EMPLOYER or Recipient.EMPLOYER not in told.recipients:
        return told.model_copy(update={"without_employer": True})
    recipients = {Recipient.PERSON: M_THEN_S} | {
        who: each for who, each in told.recipients.items() if who is not Recipient.EMPLOYER
    }
    date = told.states.get(Recipient.EMPLOYER)
    states = ({} if date is None else {Recipient.PERSON: date}) | {
        who: each for who, each in told.states.items() if who is not Recipient.EMPLOYER
    }
    return told.model_copy(update={"recipients": recipients, "states": states, "without_employer": True})


def joined(words: Iterable[Words]) -> Words:
    """Return the core's words and all of these."""
    found = Words()
    for each in words:
        found |= each
    return found | CORE_WORDS
