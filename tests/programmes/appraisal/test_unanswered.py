"""What an officer is asked once the new employer of somebody who is recognised does not answer."""

from datetime import timedelta

from programmes.appraisal.tables import employment
from tests.programmes.appraisal.people import STAR, me, recognised
from tests.programmes.park import Park


async def test_an_officer_asks_what_is_behind_an_employer_that_does_not_answer(park: Park) -> None:
    case = await recognised(park, route="achievement", evidence=STAR)
    here = f"/v1/appraisals/{case.reference}"
    await park.ask(me(park), "POST", f"{here}/change", {"employer": "emp-b"}, expects=202)
    await case.until(lambda file: file.find_task("change") is not None)
    (change,) = [each for each in (await case.file()).tasks if each.kind == "change"]
    await park.ask("officer-1", "POST", f"/v1/tasks/{change.task_id}/answer", {"action": "take"})
    await case.skip(timedelta(days=9))
    await case.until(lambda file: (row := employment(file)) is not None and row.stage == "unanswered")
    await case.until(lambda file: file.find_task("appraisal_employment", "employment") is not None)
    (task,) = [each for each in (await case.file()).tasks if each.kind == "appraisal_employment"]
    await park.ask("officer-1", "POST", f"/v1/tasks/{task.task_id}/answer", {"action": "take"}, expects=422)
    await park.ask("officer-1", "POST", f"/v1/tasks/{task.task_id}/answer", {"action": "done"})
    assert "appraisal_employment" not in await case.open_tasks()
    # What it found is said by a suspension of its own; the answer alone changes nothing of the recognition.
    assert (await park.ask(me(park), "GET", here))["recognition"]["stage"] == "valid"
    why = {"reasons": [{"code": "appraisal_employment_unconfirmed"}]}
    assert (await park.ask("officer-1", "POST", f"{here}/suspension", why))["recognition"]["stage"] == "suspended"
