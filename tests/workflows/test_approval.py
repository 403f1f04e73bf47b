"""A case from its submission to its permits."""

from domain.stages import PermitStage, Stage
from tests.workflows.world import World


async def test_straight_approval_leads_to_two_issued_permits(world: World) -> None:
    case = await world.submit()
    await case.approve()
    await case.issue()
    file = await case.until(lambda file: file.course().rests)
    assert file.stage is Stage.APPROVED
    assert {permit["stage"] for permit in file.permits.values()} == {PermitStage.ISSUED}
    assert sorted(world.authority.entries) == [f"permit/{case.reference}/HK", f"permit/{case.reference}/MO"]
    assert len(await case.notices()) == 12
    await case.idle()
    assert (await case.course()).rests
