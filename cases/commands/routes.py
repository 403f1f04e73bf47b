"""How what any case takes is asked over HTTP, for the declarations of the commands."""

from typing import Final

from cases.case.fact_views import ContestedView
from domain.actors import STAFF, Role
from domain.case_facts import OwnFactContest, contest_of
from domain.routes import REASONS, On, OwnRoute, Route

_EMPLOYER: Final = frozenset({Role.EMPLOYER})

CONTEST: Final = Route(
    verb="contest",
    by=_EMPLOYER,
    name="contestFindings",
    summary="Contest",
    says="Say why a finding is wrong, so that a person looks at it.",
)
CORRECT: Final = Route(
    verb="correction",
    by=_EMPLOYER,
    name="correctCase",
    summary="Correct",
    says="Give the parts of the form that change: what the case was sent back for, or, with its round, under review.",
    problems=frozenset({"live_registration_exists", "client_reference_taken", "stale_round", "amendment_not_allowed"}),
)
WITHDRAW: Final = Route(
    verb="withdrawal",
    by=_EMPLOYER,
    name="withdrawCase",
    summary="Withdraw",
    says="Withdraw a case that is not decided yet.",
)
DECIDE: Final = Route(
    verb="decision",
    by=STAFF,
    name="decideCase",
    summary="Approve, return or refuse",
    says="Decide on a case.",
    problems=REASONS | {"already_decided", "stale_round", "on_hold", "task_held", "return_not_allowed"},
)
CONFIRM: Final = Route(
    verb="confirmation",
    by=STAFF,
    name="confirmProposal",
    summary="Sign, or reject, a proposal",
    says="Give or refuse the second signature on a proposal of someone else.",
    problems=REASONS | {"already_decided", "stale_round", "same_signer", "on_hold", "task_held"},
)
RECALL: Final = Route(
    verb="recall",
    by=STAFF,
    name="recallApproval",
    summary="Take a decision back",
    says="Take an approval, a refusal or a revocation back before it takes effect, by the one who signed it last.",
)
HOLD: Final = Route(
    verb="hold",
    by=STAFF,
    name="holdCase",
    summary="Place or release a hold",
    says="Place or release a hold; the park's clock runs on.",
    problems=frozenset({"on_hold", "reason_unknown", "reason_not_allowed"}),
)
ANSWER_DEPARTURE: Final = Route(
    verb="departure-answer",
    by=_EMPLOYER,
    name="answerTransfer",
    summary="Answer whether a person leaves",
    says="Say on which day a person last works who agreed to a transfer, or that they go on working for you.",
    problems=frozenset({"already_decided"}),
)
ANSWER_TASK: Final = Route(
    verb="answer",
    on=On.TASK,
    by=STAFF,
    name="answerTask",
    summary="Answer a task of another kind",
    says="Answer a task that is neither `review` nor `confirm`.",
    problems=frozenset({"already_decided", "same_signer", "task_held"}),
)
RECORD_FACT: Final = Route(
    verb="facts",
    by=STAFF,
    name="recordFact",
    summary="Record a fact",
    says="Record a fact that an officer saw, beside what was given; the rules run again for every destination.",
    problems=frozenset({"stale_round", "task_held"}),
)
CONTEST_FACT: Final = Route(
    verb="contest",
    on=On.FACT,
    by=_EMPLOYER,
    name="contestFact",
    summary="Contest a recorded fact",
    says="Say why a recorded fact is wrong, so that another officer looks at it.",
    problems=frozenset({"already_decided"}),
)


def _fact(asked: OwnFactContest) -> dict[str, object]:
    return {"fact": asked.fact, "note": asked.text}


def _fact_told(asked: OwnFactContest) -> dict[str, object]:
    return {"fact": asked.fact}


def _about(asked: OwnFactContest) -> str:
    return contest_of(asked.fact)


CONTEST_OWN_FACT: Final = OwnRoute(
    verb="contests",
    name="contestOwnFact",
    summary="Contest a recorded fact",
    says="Take on why a fact that an officer recorded is wrong: another officer looks at it, and answers.",
    problems=frozenset({"case_unknown", "not_found", "already_decided", "wrong_stage", "case_closed", "facts_erased"}),
    body=OwnFactContest,
    view=ContestedView,
    asks=_fact,
    tells=_fact_told,
    about=_about,
)
