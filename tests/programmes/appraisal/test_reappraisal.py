"""Being appraised again: when it opens, what the person is shown and told, and how the recognition runs on."""

from datetime import date, timedelta

from domain.clock import day_of
from programmes.appraisal.tables import recognition
from record.reconciliation.reconcile import list_differences
from tests.programmes.appraisal.people import STAR, me, recognised
from tests.programmes.park import Park
from tests.workflows.test_reconciliation import nightly_round
from tests.workflows.world import Case

_OPENS = date(2028, 12, 1)  # 90 days before the last day
_UNTIL, _NEXT = date(2029, 3, 1), date(2032, 3, 1)


async def _on(case: Case, day: date) -> None:
    await case.skip(timedelta(days=(day - day_of(case.world.clock())).days))
    await case.idle()


async def test_a_recognition_runs_on_once_its_person_is_appraised_again(park: Park) -> None:
    case = await recognised(park, route="achievement", evidence=STAR)
    here = f"/v1/appraisals/{case.reference}"
    ahead = await park.ask(me(park), "GET", f"{here}/renewal")
    assert ahead["why_not"] == {"code": "renewal_too_early", "opens_on": _OPENS.isoformat()}
    assert ahead["ends"] == [{"destination": "recognition", "valid_until": _UNTIL.isoformat()}]
    confirms = {each["field"]: each["value"] for each in ahead["confirms"]}
    assert (confirms["person.name_en"], confirms["employment.position"]) == ("CHAN Ka Yan", "研究員")
    early = await park.ask(me(park), "POST", f"{here}/renewal", {}, expects=409)
    assert (early["code"], early["opens_on"]) == ("renewal_too_early", _OPENS.isoformat())

    await _on(case, _OPENS - timedelta(days=1))
    await park.ask(me(park), "POST", f"{here}/renewal", {}, expects=409)
    await _on(case, _OPENS)
    assert (await case.notices()).count("appraisal_expiring") == 1
    assert (await park.ask(me(park), "GET", f"{here}/renewal"))["can_be_asked"]
    await park.ask("employer-a", "POST", f"{here}/renewal", {}, expects=403)
    await park.ask(me(park), "POST", f"{here}/renewal", {}, expects=202)
    await case.until(lambda file: file.find_task("renewal") is not None)
    again = await park.ask(me(park), "POST", f"{here}/renewal", {}, expects=409)
    assert again["code"] == "renewal_under_way"
    granted = await park.ask("officer-1", "POST", f"{here}/renewal-decision", {"action": "grant", "renewal": 1})
    assert granted["renewal"]["stage"] == "granted", granted
    await case.skip(park.world.context.limits.settling + timedelta(seconds=5))
    await case.until(lambda file: (row := recognition(file)) is not None and row.valid_until == _NEXT)
    await case.idle()
    seen = await park.ask(me(park), "GET", here)
    given = seen["recognition"]
    assert (given["stage"], given["valid_from"], given["valid_until"]) == ("valid", "2026-03-02", _NEXT.isoformat())
    # The day on which it would have ended passes, and those of the next term are announced.
    await _on(case, date(2029, 3, 2))
    assert (await case.file()).row.stage == "approved"
    told = await case.notices()
    assert (told.count("appraisal_recognised"), told.count("appraisal_expired")) == (2, 0)
    await nightly_round(park.world)
    assert (await list_differences(park.world.context))[0] == []
