from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.testing import ActivityEnvironment

from cli.years.clock import ParkClock, following
from domain.clock import CHINA
from domain.messages import Course, StepInput
from domain.stages import Stage

START = datetime(2026, 3, 2, 10, tzinfo=CHINA)
YEAR = timedelta(days=365)
CLOSE = timedelta(seconds=5)


def test_each_part_reads_one_time_that_goes_on_with_the_workflow_that_is_furthest() -> None:
    clock, began = ParkClock(START), datetime.now(UTC)
    assert abs(clock() - START) < CLOSE
    clock.in_park("first", began)
    assert abs(clock.in_park("first", began + YEAR) - (START + YEAR)) < CLOSE
    assert abs(clock() - (START + YEAR)) < CLOSE
    # One that begins now begins at the park's time, and not at the machine's.
    assert abs(clock.in_park("second", datetime.now(UTC)) - (START + YEAR)) < CLOSE
    assert abs(clock.in_park("second", datetime.now(UTC) + YEAR) - (START + 2 * YEAR)) < CLOSE
    assert abs(clock() - (START + 2 * YEAR)) < CLOSE


def test_a_case_whose_workflow_began_anew_goes_on_at_the_parks_time() -> None:
    clock, began = ParkClock(START), datetime.now(UTC)
    clock.in_park("case", began)
    clock.in_park("case", began + YEAR)
    assert abs(clock.in_park("case", datetime.now(UTC)) - (START + YEAR)) < CLOSE


async def test_a_step_is_told_the_parks_time_and_tells_the_workflows() -> None:
    told: list[datetime] = []

    @activity.defn(name="advance")
    async def advance(asked: StepInput) -> Course:
        told.append(asked.at)
        return Course(stage=Stage.APPROVED, wake_at=asked.at + YEAR)

    (step,) = following([advance], ParkClock(START))
    at = datetime.now(UTC)
    course = await ActivityEnvironment().run(step, StepInput(reference="HT-1", at=at))
    assert abs(told[0] - START) < CLOSE
    assert course.wake_at is not None
    assert abs(course.wake_at - (at + YEAR)) < CLOSE
