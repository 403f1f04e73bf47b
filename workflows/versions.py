"""Going on as new onto the workers that are current: a run stays with the code that began it, and its next run not."""

from typing import Any, Final, NoReturn

from temporalio import workflow

# A run is begun, its task made and given out; that many events are there in its first task.
_OF_FIRST_TASK: Final = 3


def is_moving() -> bool:
    """Whether workers of another version are to go on with this workflow (Worker Deployment Versioning).

    Never in the first task of a run, so that one which an operator pinned somewhere does not go on as new without end.
    """
    info = workflow.info()
    is_first = info.get_current_history_length() <= _OF_FIRST_TASK
    return not is_first and info.is_target_worker_deployment_version_changed()


def go_on_as_new(given: Any) -> NoReturn:
    """End this run and begin the next one with the version of the workers that is current then."""
    behaviour = workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE
    workflow.continue_as_new(given, initial_versioning_behavior=behaviour)
