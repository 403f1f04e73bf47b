"""The badge, declared: a programme whose cases persons own, and of which an employer confirms a part."""

from typing import Final

from cases.case.evidence import EVIDENCE
from cases.commands.verbs import ANSWERS
from cases.programme import Evidence, Programme
from domain.actors import Role
from domain.case_types import CaseType
from domain.parties import Party
from policy.packs import PackSource
from tests.programmes.badge import confirming, parts, routes, sharing, stages, tables, views
from tests.programmes.badge.bodies import BODIES
from tests.programmes.badge.requests import BadgeProof, BadgeRequest
from tests.programmes.badge.words import WORDS
from texts.catalogue import hand_over

BADGE: Final = Programme(
    code="badge",
    path=routes.PATH,
    prefix="BG",
    named="OfBadge",
    workflow=CaseType("Badge", "badge/", "a badge"),
    party=Party.PERSON,
    parts=(parts.OWNER, parts.SUBJECT, parts.CONFIRMER),
    form=BadgeRequest,
    by=frozenset({Role.PERSON}),
    bodies=BODIES,
    tables=(tables.EMPLOYMENTS, EVIDENCE),
    evidence=Evidence(of=BadgeProof),
    takes=sharing.TAKES,
    views=views.VIEWS,
    submit=routes.SUBMIT,
    packs=(PackSource("badge", package="tests.programmes.badge", folder="packs/badge"),),
    texts="tests.programmes.badge",
    words=WORDS,
    moves=stages.MOVES,
    tracks=stages.TRACKS,
    commands=confirming.COMMANDS,
    answers=ANSWERS,
    timers=confirming.TIMERS,
)

# A programme of the registry is handed over by `programmes/__init__.py`.
hand_over(BADGE.texts)
