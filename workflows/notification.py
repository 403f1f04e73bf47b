"""The workflow that keeps one channel delivering: it runs the delivery activity again and again, for good."""

from typing import Final

from temporalio import workflow
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    import structlog

    from domain.messages import NOTICE_QUEUE, NOTIFICATION_WORKFLOW, DeliveryCount, DeliveryRound
    from domain.notices import Channel
    from domain.spellings import NOTIFICATION_ID
    from workflows import versions
    from workflows.timeouts import DELIVER_HEARTBEAT, DELIVER_TIMEOUT, PATIENTLY

RUNS_IN_ONE_HISTORY: Final = 100
CHANNELS: Final = (Channel.MAIL, Channel.SMS, Channel.WEBHOOK)
_log = structlog.get_logger(__name__)


@workflow.defn(name=NOTIFICATION_WORKFLOW)
class NotificationWorkflow:
    """Delivers on one channel; a channel that is down keeps only its own workflow trying."""

    @workflow.run
    async def run(self, asked: DeliveryRound) -> None:
        """Run the activity again and again, and continue as new before the history grows long or the code is old."""
        for _ in range(RUNS_IN_ONE_HISTORY):
            await workflow.execute_activity(
                "deliver",
                DeliveryRound(channel=asked.channel, event_id=workflow.info().get_current_history_length()),
                result_type=DeliveryCount,
                task_queue=NOTICE_QUEUE,
                start_to_close_timeout=DELIVER_TIMEOUT,
                heartbeat_timeout=DELIVER_HEARTBEAT,
                retry_policy=PATIENTLY,
                summary=f"deliver {asked.channel}",
            )
            if workflow.info().is_continue_as_new_suggested() or versions.is_moving():
                break
        versions.go_on_as_new(asked)


def notification_workflow_id(channel: Channel) -> str:
    """Return the workflow id of a channel."""
    return f"{NOTIFICATION_ID}{channel.value}"


async def ensure_notification_workflows(client: Client) -> None:
    """Start the workflow of each channel that has none running; made sure of regularly, whatever ended it."""
    for channel in CHANNELS:
        try:
            await client.start_workflow(
                NotificationWorkflow.run,
                DeliveryRound(channel=channel.value),
                id=notification_workflow_id(channel),
                task_queue=NOTICE_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            )
        except WorkflowAlreadyStartedError:
            continue
        _log.info("channel_started", channel=channel.value)
