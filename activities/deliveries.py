"""Delivers what is due on one channel: leases, sends side by side, and settles the results, for a few minutes a run."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from temporalio import activity

from activities.mail import MailSender, OutgoingMail
from activities.origins import recorded_for
from activities.outward import Permanent, SendResult, Sent, Temporary
from activities.sendings import note_sending
from activities.sms import OutgoingSms, SmsSender
from activities.webhook import OutgoingWebhook, WebhookSender
from cases.notices.due import LEASE, Due, Outcome, Result, settle, take_turn, text_instead
from cases.shared.context import Context
from domain.errors import Unavailable
from domain.messages import DeliveryCount, DeliveryRound
from domain.notices import Channel
from temporal.traces import unrecorded

RUN_FOR: Final = timedelta(minutes=5)
HEARTBEAT_EVERY: Final = timedelta(seconds=5)
# No message begins to be sent with less left of its lease, so that a slow one does not go out twice.
NEEDED: Final = timedelta(seconds=35)
_SWEEP_EVERY: Final = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_GATHER: Final = 1.0  # the results of a batch are settled together where it is through so soon
# Where batch follows batch, each is settled with the next lease, and the next one comes so many times later as this one
# took: soon where the machine has room, and in fewer, larger batches where it has not, since a turn takes longer then.
_TIMES_AS_LONG: Final = 5.0
_LONGEST_PACE: Final = 0.4
_AWAY_PAUSE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Lane:
    """How much of a channel is under way at once, and how many messages share a connection."""

    places: int
    together: int = 1


LANES: Final = {
    Channel.MAIL: Lane(places=40, together=10),
    Channel.SMS: Lane(places=16),
    Channel.WEBHOOK: Lane(places=32),
}


class Deliveries:
    """The activity of the notification workflows, with the adapters of its channels."""

    def __init__(
        self,
        context: Context,
        mail: MailSender,
        sms: SmsSender,
        webhooks: WebhookSender,
        *,
        run_for: timedelta = RUN_FOR,
        lease_for: timedelta = LEASE,
    ) -> None:
        self._context, self._mail, self._sms, self._webhooks = context, mail, sms, webhooks
        self._run_for, self._lease_for = run_for, lease_for

    @activity.defn(name="deliver")
    async def deliver(self, asked: DeliveryRound) -> DeliveryCount:
        """Deliver on one channel for a few minutes, or so many rounds, until the worker stops.

        A stopping worker gives back what it has not begun to send; what was being sent is sent again, under the same
        id, when its lease ends.
        """
        run = _Run(self, Channel(asked.channel), asked.rounds)
        heart = asyncio.create_task(_beat())
        try:
            # Each message is sent in the trace of what caused it; a run of minutes is in none.
            with recorded_for(asked), unrecorded():
                return await run.go(self._run_for)
        finally:
            heart.cancel()

    @property
    def context(self) -> Context:
        """What the cases work with."""
        return self._context

    @property
    def lease_for(self) -> timedelta:
        """How long a message is this run's."""
        return self._lease_for

    async def send(self, dues: Sequence[Due]) -> AsyncIterator[tuple[Due, SendResult]]:
        """Send messages of one channel and yield what became of each as soon as it is known."""
        now = self._context.clock()
        if dues[0].channel is Channel.MAIL:
            mails = [
                OutgoingMail(
                    delivery_id=due.message_id,
                    to=due.to,
                    subject=due.subject,
                    text=due.text,
                    html=due.html,
                    language=due.language.value,
                    at=now,
                )
                for due in dues
            ]
            results = self._mail.send_each(mails)
            async with contextlib.aclosing(results) as each:  # type: ignore[type-var]  # An async generator is closed.
                remaining = iter(dues)
                async for result in each:
                    yield next(remaining), result
            return
        for due in dues:
            if due.channel is Channel.SMS:
                sms = OutgoingSms(delivery_id=due.message_id, to=due.to, text=due.text)
                yield due, await self._sms.send(sms)
            else:
                webhook = OutgoingWebhook(message_id=due.message_id, url=due.to, body=due.text, keys=due.keys, at=now)
                yield due, await self._webhooks.send(webhook)


@dataclass(slots=True)
class _Run:
    """One run of the activity: what is under way, what is known, and what was counted."""

    deliveries: Deliveries
    channel: Channel
    rounds: int
    under_way: dict[asyncio.Task[None], int] = field(default_factory=dict)
    known: list[Result] = field(default_factory=list)
    counted: DeliveryCount = field(default_factory=DeliveryCount)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    rung: bool = False
    swept_at: float | None = None
    batches_in_row: int = 0
    stopped: bool = False
    stopping: bool = False

    async def go(self, run_for: timedelta) -> DeliveryCount:
        """Go on until the time is over, the rounds are done, or the worker stops."""
        loop = asyncio.get_running_loop()
        end = loop.time() + run_for.total_seconds()
        stop = asyncio.create_task(_worker_stops())
        stop.add_done_callback(lambda _: self._stop())
        pause, rounds = _FIRST_PAUSE, 0
        try:
            with self.deliveries.context.bells.answering(self.channel, self._ring):
                while loop.time() < end and not self.stopped and (not self.rounds or rounds < self.rounds):
                    begun, self.rung = loop.time(), False
                    moved = await self._work()
                    rounds += 1
                    pause = _FIRST_PAUSE if moved else min(pause * 1.5, _LONGEST_PAUSE)
                    pace = min((loop.time() - begun) * _TIMES_AS_LONG, _LONGEST_PACE)
                    not_before = begun + pace if self.batches_in_row > 1 else begun
                    await self._wait(_FIRST_PAUSE if self.under_way else pause, not_before)
            await self._finish()
        except asyncio.CancelledError:
            await self._give_up()
            raise
        finally:
            stop.cancel()
        return self.counted

    async def _work(self) -> bool:
        """Look for late mail, settle what is known and take on new messages; return whether there was anything."""
        try:
            await self._sweep()
            return await self._turn()
        except Unavailable:
            # The database is away: what is known is kept for later, and the workflow's history stays quiet.
            await asyncio.sleep(_AWAY_PAUSE)
            return False

    async def _turn(self) -> bool:
        lane = LANES[self.channel]
        free = lane.places - sum(self.under_way.values())
        places = free if free >= max(1, lane.places // 4) else 0
        context = self.deliveries.context
        async with self._settling() as known:
            length = self.deliveries.lease_for
            turn = await take_turn(context, self.channel, known, context.clock(), places, length=length)
        self._count(turn.count)
        # A full batch leaves more behind, which nothing is gained by waiting for.
        is_full = places > 0 and sum(len(due.leased.delivery_ids) for due in turn.dues) >= places
        self.batches_in_row = self.batches_in_row + 1 if turn.dues and not is_full else 0
        for due in turn.dues:
            if due.dropped or due.blocked is not None:
                self._know(Result(due.leased, _without_sending(due), reason=due.blocked))
        sendable = [due for due in turn.dues if not due.dropped and due.blocked is None]
        for start in range(0, len(sendable), lane.together):
            chunk = sendable[start : start + lane.together]
            task = asyncio.create_task(self._send(chunk))
            self.under_way[task] = len(chunk)
            task.add_done_callback(self._done)
        return bool(turn.dues or known)

    async def _send(self, chunk: Sequence[Due]) -> None:
        """Send messages one after the other; those whose lease runs out before their turn are given back."""
        left, begun = list(chunk), time.time_ns()
        try:
            async with contextlib.aclosing(self.deliveries.send(chunk)) as results:  # type: ignore[type-var]
                async for due, result in results:
                    left.remove(due)
                    told = _result(due, result)
                    self._know(told)
                    note_sending(due, told, begun)
                    begun = time.time_ns()
                    if left and (self.stopping or not self._is_time_left(left[0])):
                        break
        except asyncio.CancelledError:
            # Nobody knows how far the first one got: its lease ends by itself.
            left = left[1:]
            raise
        except Exception as error:  # noqa: BLE001 - a fault over one message must not end the channel
            activity.logger.error(
                "delivery_defect", extra={"error": type(error).__name__, "reference": left[0].reference}
            )
            self._know(Result(left.pop(0).leased, Outcome.LATER, reason="defect"))
        finally:
            for due in left:
                self._know(Result(due.leased, Outcome.UNTOUCHED))

    def _is_time_left(self, due: Due) -> bool:
        until = due.leased.until
        return until is not None and until - self.deliveries.context.clock() >= NEEDED

    def _know(self, result: Result) -> None:
        self.known.append(result)
        self.news.set()

    def _ring(self) -> None:
        self.rung = True
        self.news.set()

    def _stop(self) -> None:
        self.stopped = True
        self.news.set()

    def _done(self, task: asyncio.Task[None]) -> None:
        self.under_way.pop(task, None)
        self.news.set()

    @contextlib.asynccontextmanager
    async def _settling(self) -> AsyncIterator[list[Result]]:
        """Hand out what is known to be settled; where that fails, it is known again."""
        taken, self.known = self.known, []
        try:
            yield taken
        except BaseException:
            self.known = taken + self.known
            raise

    async def _settle(self) -> None:
        context = self.deliveries.context
        async with self._settling() as known:
            count = await settle(context, known, context.clock())
        self._count(count)

    def _count(self, count: DeliveryCount) -> None:
        self.counted = DeliveryCount(
            sent=self.counted.sent + count.sent,
            failed=self.counted.failed + count.failed,
            later=self.counted.later + count.later,
        )

    async def _sweep(self) -> None:
        """Let an SMS follow every mail that was not sent in time; the channel of SMS looks, since it is the one up."""
        now = asyncio.get_running_loop().time()
        if self.channel is not Channel.SMS or (self.swept_at is not None and now - self.swept_at < _SWEEP_EVERY):
            return
        context = self.deliveries.context
        await text_instead(context, context.clock())
        self.swept_at = now

    async def _wait(self, seconds: float, not_before: float) -> None:
        """Wait for news or for so long; what is known waits a moment more for the rest of its batch."""
        if not self.known and not self.rung:
            await self._wait_for_news(seconds)
        loop = asyncio.get_running_loop()
        end = loop.time() + _GATHER
        while self.known and self.under_way and not self.rung and (left := end - loop.time()) > 0:
            await self._wait_for_news(left)
        while not self.stopped and (left := not_before - loop.time()) > 0:
            await self._wait_for_news(left)

    async def _wait_for_news(self, seconds: float) -> None:
        self.news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.news.wait()

    async def _finish(self) -> None:
        """Wait for what is under way, which takes no longer than its adapters allow, and settle it."""
        while self.under_way or self.known:
            if self.under_way:
                await asyncio.wait(list(self.under_way), timeout=_LONGEST_PAUSE)
            try:
                await self._settle()
            except Unavailable:
                await asyncio.sleep(_AWAY_PAUSE)

    async def _give_up(self) -> None:
        """Stop what is under way and settle what is known, within the moment that a cancelled run has."""
        # asyncio.wait_for of Python 3.11 loses a cancellation that meets its result, so that the tasks look themselves.
        self.stopping = True
        tasks = list(self.under_way)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_AWAY_PAUSE)
        with contextlib.suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(_AWAY_PAUSE):
                await self._settle()


def _without_sending(due: Due) -> Outcome:
    """Return what becomes of a message that cannot be sent; one that cannot be opened now waits to be mended."""
    if due.dropped:
        return Outcome.DROPPED
    return Outcome.LATER if due.unreadable else Outcome.FAILED


def _result(due: Due, result: SendResult) -> Result:
    """Return what a result of an adapter means for the deliveries behind a message."""
    match result:
        case Sent():
            # A receiver that answered its webhook has it; a relay or gateway has only taken it on.
            outcome = Outcome.DELIVERED if due.channel is Channel.WEBHOOK else Outcome.SENT
            return Result(due.leased, outcome, provider_id=result.provider_id)
        case Temporary():
            return Result(due.leased, Outcome.LATER, reason=result.reason_code, retry_after=result.retry_after)
        case Permanent():
            ended = due.webhook_id if result.ends_subscription else None
            return Result(due.leased, Outcome.FAILED, reason=result.reason_code, ends_subscription=ended)


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_EVERY.total_seconds())


async def _worker_stops() -> None:
    await activity.wait_for_worker_shutdown()
