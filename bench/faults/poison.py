"""Two ways to make one case fail for good: facts that cannot be opened, and a message that no worker can read."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from signal import SIGCONT, SIGSTOP
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bench.faults.driver import Drive
from bench.faults.people import plain_person
from bench.faults.scene import Scene
from domain.messages import COMMAND_SIGNAL, CommandRef
from programmes import CASE_TYPES
from sandbox.stack.directory import write_private
from sandbox.stack.postgres import DATABASE
from store.key_file import generate
from store.keyring import Keyring
from temporal.client import data_converter

if TYPE_CHECKING:
    from bench.faults.strikes import Struck

# Temporal shows a problem after five failed tries, which it parts by 10, 20 and 40 s; other faults come between.
SHOWN_SECONDS: Final = 300.0
# The later ones double up to ten minutes, so that is how long a mended workflow may take to be tried again.
GONE_SECONDS: Final = 660.0
PROBLEMS: Final = "TemporalReportedProblems"
_FIRST_NUMBER: Final = 900_000
_BROUGHT: Final = 1_000
# Flips the last byte of the newest facts; done twice, they are whole again. As a disk would, past all triggers.
_DAMAGE: Final = """
SET session_replication_role = replica;
UPDATE applications SET body = set_byte(body, length(body) - 1, 255 - get_byte(body, length(body) - 1))
WHERE reference = '{reference}' AND version = 1;
"""


class NotShownError(AssertionError):
    """A case that failed did not show where an operator looks, or did not go on when it was mended."""


@asynccontextmanager
async def poison_case(scene: Scene, drive: Drive, number: int, struck: "Struck") -> AsyncIterator[None]:
    """Damage the sealed facts of a case before its first step; mend them later and resume the case as an operator."""
    person = plain_person(_FIRST_NUMBER + number, f"faults-poisoned-{number}")
    scene.send("worker", SIGSTOP)
    asked = await drive.register_person(person)
    if asked.reference is None:
        raise NotShownError(f"the case to be poisoned was not taken on: {asked.code or 'no answer'}")
    try:
        await _damage(scene, asked.reference)
    finally:
        scene.send("worker", SIGCONT)
    begun = time.monotonic()
    yield
    try:
        incident = await _incident(scene, asked.reference)
        shown = time.monotonic() - begun
        lists = [await scene.calls.read(who, "/v1/registrations", limit=50) for who in (person.employer, "auditor")]
    finally:
        await _damage(scene, asked.reference)
    resumed = await scene.calls.write(
        "operator", f"/v1/incidents/{incident['id']}/resume", None, key=f"resume-{incident['id']}"
    )
    struck.saw(
        f"shown after {shown:.0f} s as {incident['kind']} at {incident['step']}: {incident['reason']};"
        f" lists {[each.status for each in lists]}; resume {resumed.status}",
        took_effect=True,
    )
    if resumed.status != 200 or any(each.status != 200 for each in lists):
        raise NotShownError(struck.note)


@asynccontextmanager
async def send_undecodable(scene: Scene, drive: Drive, number: int, struck: "Struck") -> AsyncIterator[None]:
    """Write to a case under a codec key that the workers lack; give it to them later."""
    keys_file, name = scene.directory / "keys.json", f"faults-{number}"
    keys = json.loads(keys_file.read_text())
    foreign: Any = generate()["codec"]
    theirs = {"current": name, "keys": {**keys["codec"]["keys"], name: foreign["keys"]["c1"]}}
    ours, stranger = [
        await Client.connect(scene.stack.temporal_address, data_converter=data_converter(Keyring.parse(ring)))
        for ring in (keys, {**keys, "codec": theirs})
    ]
    workflow_id = await _signal_one(stranger, drive, number)
    begun = time.monotonic()
    yield
    await _until_problem(ours, workflow_id, there=True)
    shown = time.monotonic() - begun
    # The key comes to the workers; what is written goes on under the old one.
    write_private(keys_file, {**keys, "codec": {**keys["codec"], "keys": theirs["keys"]}})
    await scene.kill("worker")
    begun = time.monotonic()
    await _until_problem(ours, workflow_id, there=False)
    gone = time.monotonic() - begun
    struck.saw(f"shown by {PROBLEMS} after {shown:.0f} s; gone {gone:.0f} s after the key came", took_effect=True)


async def _damage(scene: Scene, reference: str) -> None:
    await asyncio.to_thread(scene.postgres.run_sql, _DAMAGE.format(reference=reference), database=DATABASE)


async def _incident(scene: Scene, reference: str) -> dict[str, Any]:
    """Return the line of the operator about a case, as soon as it is there."""
    end = time.monotonic() + SHOWN_SECONDS
    while time.monotonic() < end:
        answer = await scene.calls.read("operator", "/v1/incidents", limit=200)
        for item in answer.body["items"]:
            if item["reference"] == reference and item["kind"] == "stuck":
                return dict(item)
        await asyncio.sleep(1)
    raise NotShownError(f"no incident of {reference} after {SHOWN_SECONDS:.0f} s")


async def _signal_one(stranger: Client, drive: Drive, number: int) -> str:
    """Signal a case whose workflow runs and return the workflow's id; one that ends meanwhile takes no signal.

    Where no case goes on any more, one more is taken on.
    """
    end, brought = time.monotonic() + SHOWN_SECONDS, 0
    while time.monotonic() < end:
        reference = _waiting_case(drive)
        if reference is not None:
            workflow_id = CASE_TYPES.id_of(reference)
            try:
                signal = CommandRef(command_id=str(uuid4()))
                await stranger.get_workflow_handle(workflow_id).signal(COMMAND_SIGNAL, signal)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
            else:
                return workflow_id
        elif drive.is_done():
            brought += 1
            name = f"faults-unreadable-{number}-{brought}"
            await drive.register_person(plain_person(_FIRST_NUMBER + number + _BROUGHT * brought, name))
        await asyncio.sleep(0.5)
    raise NotShownError(f"no case was there to write to for {SHOWN_SECONDS:.0f} s")


def _waiting_case(drive: Drive) -> str | None:
    """Return a case whose workflow runs, if there is one."""
    unfinished = [(reference, drive.cases[reference]["stage"]) for reference in drive.unfinished()]
    for wanted in ("under_review", "approved", "correction_requested"):
        for reference, stage in unfinished:
            if stage == wanted:
                return reference
    return None


async def _until_problem(client: Client, workflow_id: str, *, there: bool) -> None:
    query = f"{PROBLEMS} IS NOT NULL AND ExecutionStatus = 'Running' AND WorkflowId = '{workflow_id}'"
    patience = SHOWN_SECONDS if there else GONE_SECONDS
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            found = [each async for each in client.list_workflows(query)]
        except Exception:  # noqa: BLE001 - Temporal may be killed meanwhile
            found = [] if there else [None]  # type: ignore[list-item]
        if bool(found) == there:
            return
        await asyncio.sleep(1)
    raise NotShownError(f"{PROBLEMS} of {workflow_id} is {'not ' if there else 'still '}there after {patience:.0f} s")
