"""A case from its submission to its permits."""

from domain.stages import Stage
from programmes.talent_permit.permit_stages import PermitStage
from programmes.talent_permit.tables import permit_rows
from store.tables import ledger
from tests.workflows.world import World


async def test_straight_approval_leads_to_two_issued_permits(world: World) -> None:
    case = await world.submit()
    await case.approve()
    await case.issue()
    file = await case.until(lambda file: file.course().rests)
    assert file.stage is Stage.APPROVED
    assert {permit.stage for permit in permit_rows(file).values()} == {PermitStage.ISSUED}
    assert sorted(world.authority.entries) == [f"permit/{case.reference}/HK", f"permit/{case.reference}/MO"]
    assert len(await case.notices()) == 12
    await case.idle()
    course = await case.course()
    assert course.rests
    rows = sorted(await world.rows(ledger, chain=case.reference), key=lambda row: row["seq"])
    assert course.recorded == (rows[-1]["seq"], rows[-1]["hash"].hex())
    steps = [row for row in rows if row["workflow_id"]]
    assert {row["act"] for row in steps} >= {"assessed", "decided", "settled", "permit_sent"}
    assert {row["workflow_id"] for row in steps} == {f"registration/{case.reference}"}
    assert all(row["run_id"] and row["event_id"] >= 3 for row in steps)
    assert rows[0]["act"] == "submitted"
    assert rows[0]["workflow_id"] is None
