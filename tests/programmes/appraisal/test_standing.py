"""What the standing of the employer that confirms an employment does to the recognition of a person."""

from programmes.appraisal.tables import recognition
from programmes.appraisal.words import RecognitionStage
from record.reconciliation.reconcile import list_differences
from store.tables import commands
from tests.programmes.appraisal.people import STAR, me, recognised
from tests.programmes.park import Park
from tests.workflows.test_reconciliation import nightly_round
from tests.workflows.world import Case


async def _stands(case: Case, stage: RecognitionStage) -> None:
    await case.until(lambda file: (row := recognition(file)) is not None and row.stage == stage)


async def _suspended_for(case: Case, *codes: str) -> None:
    await case.until(lambda file: (row := recognition(file)) is not None and row.suspended_for == [*codes])


async def test_an_employer_that_leaves_the_park_suspends_whom_it_confirmed_until_it_is_back(park: Park) -> None:
    case = await recognised(park, route="achievement", evidence=STAR)
    spread = await park.world.employer_leaves()
    await spread.result()
    await _stands(case, RecognitionStage.SUSPENDED)
    seen = await park.ask(me(park), "GET", f"/v1/appraisals/{case.reference}")
    assert (seen["stage"], seen["recognition"]["suspended_for"]) == ("approved", ["appraisal_employer_left"])
    (told,) = await park.world.rows(commands, reference=case.reference, kind="standing")
    assert (told["employer_id"], told["state"]) == ((await case.file()).employer_id, "applied")
    refused = await park.ask("officer-1", "POST", f"/v1/appraisals/{case.reference}/restoration", {}, expects=409)
    assert "has left the Park" in refused["detail"]

    await (await park.world.employer_is_back()).result()
    await _stands(case, RecognitionStage.VALID)
    await case.idle()
    assert (await case.notices()).count("appraisal_suspended") == 1
    assert (await case.notices()).count("appraisal_restored") == 1
    assert (await case.acts()).count("appraisal_suspended") == 1
    night = await nightly_round(park.world)
    assert (await list_differences(park.world.context))[0] == []
    assert (night.differing, night.unchecked) == (0, 0)


async def test_what_else_suspends_stays_when_the_employer_is_back(park: Park) -> None:
    case = await recognised(park, route="achievement", evidence=STAR)
    here = f"/v1/appraisals/{case.reference}"
    await park.ask("officer-1", "POST", f"{here}/suspension", {"reasons": [{"code": "false_statement_suspected"}]})
    await (await park.world.employer_leaves()).result()
    await _suspended_for(case, "false_statement_suspected", "appraisal_employer_left")
    await (await park.world.employer_is_back()).result()
    await _suspended_for(case, "false_statement_suspected")
    seen = await park.ask(me(park), "GET", here)
    assert seen["recognition"]["stage"] == "suspended"
