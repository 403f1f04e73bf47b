"""The toy, declared: what the core needs to know of it, and all that stands in this room."""

from typing import Final

from cases.case.evidence import EVIDENCE
from cases.case.parties import READS_CASE, TRIES_COMMANDS, DeclaredPart
from cases.commands import objecting
from cases.commands.changing import CHANGE_ANSWERS
from cases.commands.verbs import ANSWERS
from cases.decisions import setting_aside
from cases.programme import Evidence, Programme
from domain.case_types import CaseType
from domain.parties import Part, Party
from tests.programmes.toy import changes, facts, making, rosters, routes, rules, sharing, stages, tables, views
from tests.programmes.toy.bodies import BODIES
from tests.programmes.toy.calls import CALLS
from tests.programmes.toy.questions import QUESTIONS
from tests.programmes.toy.requests import ToyProof, ToyRequest
from tests.programmes.toy.words import WORDS
from texts.catalogue import hand_over

TOY: Final = Programme(
    code="toy",
    path=routes.PATH,
    prefix="TY",
    named="OfToy",
    workflow=CaseType("Toy", "toy/", "a toy"),
    party=Party.EMPLOYER,
    parts=(
        DeclaredPart(
            part=Part.SUBJECT,
            kind=Party.PERSON,
            sees=READS_CASE | TRIES_COMMANDS | {"evidence", "toy_makings"},
            asks=objecting.BY_PERSON,
        ),
    ),
    form=ToyRequest,
    bodies=BODIES,
    tables=(tables.MAKINGS, EVIDENCE),
    views=views.VIEWS,
    submit=routes.SUBMIT,
    questions=QUESTIONS,
    packs=(rules.PACKS,),
    rules=facts.RULES,
    gather=facts.gather,
    texts="tests.programmes.toy",
    words=WORDS,
    moves=stages.MOVES,
    tracks=stages.TRACKS,
    commands=making.COMMANDS,
    evidence=Evidence(of=ToyProof, apart=True, falls=making.stop),
    vouches=sharing.VOUCHES,
    takes=sharing.TAKES,
    contestable=setting_aside.CONTESTABLE,
    signatures=setting_aside.SIGNATURES,
    changing=changes.CHANGING,
    answers={**ANSWERS, **CHANGE_ANSWERS},
    timers=making.TIMERS,
    takes_effect=making.begin,
    calls=CALLS,
    rosters=rosters.ROSTERS,
)

# A programme of the registry is handed over by `programmes/__init__.py`.
hand_over(TOY.texts)
