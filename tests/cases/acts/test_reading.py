"""Where a case stands, whose turn it is and what may be done with it, as each of its readers is told."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from api.problems import sentence_of
from cases.acts.reading import get_acts
from cases.acts.views import ActView, CaseActsView
from domain.actors import Actor
from domain.commands import CommandKind
from domain.languages import Language
from programmes import PROGRAMMES
from tests.cases.contexts import EMPLOYER_A, OFFICER
from tests.cases.driver import OFFICER_2, Case, Park, china, open_park
from texts.acts import WORDS
from texts.story import WORDS as SHOWN


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def _acts(case: Case, actor: Actor, language: Language = Language.EN) -> CaseActsView:
    return await get_acts(case.park.context, actor, case.reference, language, explain=sentence_of)


def _line(shown: CaseActsView) -> list[tuple[str, str]]:
    return [(each.stage.value, each.state.value) for each in shown.line]


def _act(shown: CaseActsView, kind: str) -> ActView:
    return next(each for each in shown.acts if each.act == kind)


async def test_under_review_the_park_decides_and_the_line_says_what_was_and_is_ahead(park: Park) -> None:
    case = await park.review()
    for actor in (EMPLOYER_A, OFFICER):
        shown = await _acts(case, actor)
        assert _line(shown) == [
            ("received", "done"),
            ("assessing", "done"),
            ("under_review", "now"),
            ("approved", "ahead"),
        ]
        assert [each.at is None for each in shown.line] == [False, False, False, True]
        assert shown.line[2].due_kind == "park_decision"
        assert (shown.turn.holder, shown.turn.acts) == ("park", [CommandKind.DECIDE])
        assert shown.turn.due_at == shown.line[2].due_at
        assert shown.turn.if_nobody is not None
        assert "supervisor" in shown.turn.if_nobody


async def test_a_decision_says_what_each_way_leads_to_and_what_its_reasons_are(park: Park) -> None:
    case = await park.review()
    decide = _act(await _acts(case, OFFICER), CommandKind.DECIDE)
    assert decide.is_allowed
    assert decide.address == f"/v1/registrations/{case.reference}/decision"
    assert (decide.body, decide.round, len(decide.tasks)) == ("DecisionRequest", 1, 1)
    ways = {each.event: each for each in decide.ways}
    assert set(ways) == {"approve", "return", "refuse"}
    assert ways["refuse"].use == "F"
    assert ways["refuse"].needs_reason
    assert ways["refuse"].second_signature_by == ["officer", "supervisor"]
    assert {each.code for each in ways["refuse"].reasons} >= {"work_site_outside_park"}
    assert not ways["approve"].needs_reason
    assert ways["return"].leads_to == "correction_requested"
    assert any("the employer" in each for each in ways["return"].says)


async def test_whoever_has_to_correct_is_told_how_and_until_when(park: Park) -> None:
    case = await park.review()
    await case.decide("return", "identity_number_wrong")
    shown = await _acts(case, EMPLOYER_A)
    assert _line(shown)[2:] == [("correction_requested", "now"), ("under_review", "ahead"), ("approved", "ahead")]
    assert shown.turn.holder == "employer"
    assert set(shown.turn.acts) == {CommandKind.CORRECT, CommandKind.CONTEST}
    assert shown.turn.if_nobody is not None
    assert "lapses" in shown.turn.if_nobody


async def test_an_outsider_learns_of_no_proposal(park: Park) -> None:
    case = await park.review()
    before = await _acts(case, EMPLOYER_A)
    await case.decide("refuse", "work_site_outside_park")
    inside, outside = await _acts(case, OFFICER_2), await _acts(case, EMPLOYER_A)
    assert _line(inside)[-2:] == [("awaiting_confirmation", "now"), ("approved", "ahead")]
    assert inside.turn.acts == [CommandKind.CONFIRM]
    assert (outside.line, outside.turn) == (before.line, before.turn)
    assert "confirm" not in str(outside)
    proposer = _act(await _acts(case, OFFICER), CommandKind.CONFIRM)
    assert proposer.why_not is not None
    assert proposer.why_not.code == "same_signer"


async def test_a_case_that_closed_has_nothing_ahead(park: Park) -> None:
    case = await park.review()
    await case.do(EMPLOYER_A, CommandKind.WITHDRAW)
    shown = await _acts(case, EMPLOYER_A)
    assert _line(shown)[-1] == ("withdrawn", "now")
    assert shown.turn.acts == []
    assert not any(each.is_allowed for each in shown.acts)
    codes = {each.why_not.code for each in shown.acts if each.why_not and each.destination is None}
    assert codes == {"case_closed", "not_found"}


async def test_what_could_be_done_later_is_refused_as_the_verb_refuses_it(park: Park) -> None:
    case = await park.approved()
    for actor in (EMPLOYER_A, OFFICER):
        shown = await _acts(case, actor)
        assert [each.key for each in shown.tracks] == ["HK", "MO"][: len(shown.tracks)]
        withdraw = [each for each in shown.acts if each.act == CommandKind.WITHDRAW]
        assert all(each.why_not is not None and each.why_not.code == "wrong_stage" for each in withdraw)


@pytest.mark.parametrize("language", Language)
def test_every_act_and_every_stage_has_words(language: Language) -> None:
    for programme in PROGRAMMES.values():
        for kind, command in programme.commands.items():
            if command.by:
                found = WORDS.find("commands", kind, programme.texts)
                assert found is not None, kind
                assert found.in_language(language)
        for name, track in programme.tracks.items():
            for stage in track.stages:
                assert SHOWN.find(f"{name}_stages", stage, programme.texts) is not None, (name, stage)
