"""One trace from the request to mail and authority, on a real Temporal, and nothing of anybody in it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
import pytest
import pytest_asyncio
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, SamplingResult
from opentelemetry.util._once import Once
from sqlalchemy import update
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.authority import AuthorityClient
from cases.commands import submit
from cases.commands.sweeper import sweep
from cases.decisions import settling
from domain.commands import CommandKind
from domain.messages import DeliveryRound
from domain.stages import Stage
from programmes.talent_permit.authority.messages import Report, ReportedFact
from programmes.talent_permit.permit_stages import PermitStage
from store.statements import trace_statements
from store.tables import commands
from temporal.recording import WithoutMessages, record_with
from temporal.traces import context_of, current_traceparent, going_on, linked_to
from tests.activities.test_deliveries import Relay, delivering
from tests.activities.test_mail import running as relay_running
from tests.cases.contexts import EMPLOYER_A, registration_body
from tests.workflows.authority import URL
from tests.workflows.fronted import fronted
from tests.workflows.test_privacy import MARKS, PERSON
from tests.workflows.world import Case, World, new_key, open_world


@dataclass
class Recorded(Sampler):
    """What is recorded while a test of this file runs; for others of its process the sampler is off."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    sampler: Sampler = ALWAYS_OFF

    def should_sample(self, *args: object, **more: object) -> SamplingResult:
        return self.sampler.should_sample(*args, **more)  # type: ignore[arg-type]

    def get_description(self) -> str:
        return "a test's"

    def of(self, trace_id: int) -> set[str]:
        """Return the names of the spans of a trace."""
        return {span.name for span in self.exporter.get_finished_spans() if span.context.trace_id == trace_id}

    def named(self, name: str) -> list[ReadableSpan]:
        """Return the spans of a name."""
        return [span for span in self.exporter.get_finished_spans() if span.name == name]


@pytest.fixture(scope="module")
def provider() -> Iterator[Recorded]:
    """Recording of this process, put back afterwards."""
    recorded = Recorded()
    record_with(SimpleSpanProcessor(WithoutMessages(recorded.exporter)), "test", recorded)
    yield recorded
    trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE = None, Once()


@pytest.fixture
def recorded(provider: Recorded) -> Iterator[Recorded]:
    """What a test records."""
    provider.exporter.clear()
    provider.sampler = ParentBased(ALWAYS_ON)
    yield provider
    provider.sampler = ALWAYS_OFF


@pytest_asyncio.fixture
async def world(
    recorded: Recorded, clean_database: str, temporal_client: Client, start: datetime
) -> AsyncIterator[World]:
    """A park whose worker and client record."""
    async with open_world(clean_database, temporal_client, start=start) as world:
        trace_statements(world.context.database.engine.sync_engine)
        yield world


def _called(number: int) -> tuple[dict[str, str], int]:
    """Return the headers of a caller that is in a trace of its own, and the number of the trace."""
    return {"traceparent": f"00-{number:032x}-{number:016x}-01", "baggage": f"who={PERSON['phone']}"}, number


async def test_an_approval_is_one_trace_to_mail_and_authority(world: World, recorded: Recorded) -> None:
    submitting, of_submission = _called(0xA1)
    approving, of_approval = _called(0xB2)
    async with fronted(world) as caller:
        sent = registration_body(**PERSON)
        answer = await caller("employer-a").post("/v1/registrations", sent, headers=submitting)
        reference = answer.json()["reference"]
        world.started.append(reference)
        case = Case(world, reference)
        await case.until_stage(Stage.UNDER_REVIEW)
        path = f"/v1/registrations/{reference}/decision"
        decision = {"action": "approve", "round": 1}
        decided = await caller("officer-1").post(path, decision, headers=approving)
        assert decided.status_code == 200, decided.text
        found = await caller("officer-1").get("/v1/registrations", q=PERSON["name_zh"], employer_id="emp-a")
        assert found.status_code == 200, found.text
    await case.skip(world.context.limits.settling + timedelta(seconds=5))
    await case.until_permits(PermitStage.SUBMITTED)
    await case.idle()
    relay = Relay()
    async with relay_running(relay) as port, delivering(world.context, relay_port=port) as deliveries:
        await ActivityEnvironment().run(deliveries.deliver, DeliveryRound(channel="mail", rounds=1))
    assert relay.mails

    assert recorded.of(of_submission) >= {
        "POST /v1/registrations", "step assess", "BEGIN",
        "WITH", "send mail",
    }  # fmt: skip
    assert recorded.of(of_approval) >= {
        "POST /v1/registrations/{reference}/decision", "step advance",
        "step tell_authority", "POST /list-entries", "BEGIN", "send mail",
    }  # fmt: skip
    assert {span.context.trace_id for span in recorded.named("POST /list-entries")} == {of_approval}
    request = recorded.named("POST /v1/registrations/{reference}/decision")[0]
    assert request.attributes is not None
    assert request.attributes["hetao.case"] == reference
    assert request.attributes["http.response.status_code"] == 200
    _find_nobody(recorded)


async def test_what_the_sweeper_tells_is_told_in_the_trace_of_what_was_asked(world: World, recorded: Recorded) -> None:
    case = await world.submit()
    asking, number = _called(0xC3)
    with going_on(asking["traceparent"]), trace.get_tracer("test").start_as_current_span("asked"):
        await submit.ask(world.context, EMPLOYER_A, case.reference, CommandKind.WITHDRAW, {}, new_key())
    assert recorded.of(number) == {"asked", "BEGIN", "SELECT", "WITH"}
    async with world.context.database.begin() as connection:
        long_ago = commands.update().values(at=commands.c.at - timedelta(days=365))
        await connection.execute(long_ago.where(commands.c.reference == case.reference, commands.c.kind != "start"))
    await sweep(world.context, world.engine, older_than=timedelta(0))
    await case.ended()
    told = [span for span in recorded.named("step advance") if span.context.trace_id == number]
    assert [dict(span.attributes or {})["hetao.case"] for span in told] == [case.reference]


async def test_a_span_of_an_error_says_its_class_alone(
    world: World, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def quoting(*_: object) -> None:
        raise RuntimeError(f"cannot settle {PERSON['name_zh']} {PERSON['identity_number']}")

    case = await world.submit(body=registration_body(**PERSON))
    monkeypatch.setattr("temporal.engine._DECIDE_SECONDS", 1.0)
    monkeypatch.setattr(settling, "settle", quoting)
    await case.decide("approve")
    await case.until(lambda file: any(task.kind == "stuck" for task in file.tasks))
    failed = [span for span in recorded.named("step advance") if span.events]
    assert failed
    assert all(dict(event.attributes or {}).keys() == {"exception.type"} for span in failed for event in span.events)
    assert all(span.status.description is None for span in failed)
    _find_nobody(recorded)


async def test_what_comes_long_after_is_a_trace_of_its_own_with_a_link(recorded: Recorded) -> None:
    asked = context_of(_called(0xD4)[0]["traceparent"])
    assert asked is not None
    later = trace.get_current_span(linked_to(asked, "time has come")).get_span_context()
    (mark,) = recorded.named("time has come")
    assert mark.context.trace_id == later.trace_id != 0xD4
    assert [link.context.trace_id for link in mark.links] == [0xD4]
    assert linked_to(Context(), "time has come") == Context()


@pytest.mark.parametrize("tells", [True, False])
async def test_the_authority_is_told_the_trace_only_where_that_is_wanted(recorded: Recorded, *, tells: bool) -> None:
    seen: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202, json={})

    async with httpx.AsyncClient(transport=httpx.MockTransport(take)) as client:
        authority = AuthorityClient(URL, "token", client, tells_trace=tells)
        report = Report(case="HT-0000-0000-E/HK", what=ReportedFact.CARD_LOST, on=datetime(2026, 3, 2).date())
        await authority.send("key", report.message())
    (span,) = recorded.named("POST /reports")
    assert (f"{span.context.trace_id:032x}" in seen[0].headers.get("traceparent", "")) is tells


async def test_statements_outside_a_trace_are_no_spans(world: World, recorded: Recorded) -> None:
    recorded.exporter.clear()
    async with world.context.database.begin() as connection:
        await connection.execute(update(commands).values(sends=commands.c.sends))
    assert not recorded.exporter.get_finished_spans()
    assert current_traceparent() is None
    await asyncio.sleep(0)


def _find_nobody(recorded: Recorded) -> None:
    spans = recorded.exporter.get_finished_spans()
    assert spans
    text = "".join(json.dumps(json.loads(span.to_json()), ensure_ascii=False) for span in spans)
    assert not [mark for mark in MARKS if mark in text]
    assert all(len(str(dict(span.attributes or {}).get("db.query.text", ""))) <= 300 for span in spans)
