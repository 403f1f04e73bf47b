"""The commands `hetao versions …`: which build of the workers gets new work, and which builds may go."""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from cli.policy import settings_of
from domain.clock import CHINA

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from temporalio.client import Client

    from settings import Settings
    from temporal.deployments import Deployment, Deployments, Version

_CANNOT: Final = 2
_Answer = TypeVar("_Answer")
app = typer.Typer(help="Send new work to a build of the workers, and see which builds may go.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Directory of an embedded stack.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one object and nothing else.")]
Wait = Annotated[int, typer.Option(help="Seconds to wait for the build's workers.", min=0)]


@app.command("list")
def list_versions(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Say what each build has: its share of new work, open runs, workers, and whether it may go."""

    async def work(deployments: "Deployments", _: "Client") -> "Deployment":
        return await deployments.read()

    deployment = _run(settings_of(data_dir), work)
    if as_json:
        print(json.dumps(_view(deployment), ensure_ascii=False))
        return
    if deployment.versions:
        Console(highlight=False).print(_table(deployment))
    else:
        print(f"No worker with a version ever came to the deployment {deployment.name}.")
    for line in _notes(deployment):
        print(line)


@app.command()
def current(
    build: Annotated[str | None, typer.Argument(help="A build id; that of the code at hand unless told.")] = None,
    wait: Wait = 90,
    data_dir: DataDir = None,
) -> None:
    """Send all that is new to a build, once its workers are there; cases under way stay with theirs."""
    settings = settings_of(data_dir)
    chosen = build or _own(settings)

    async def work(deployments: "Deployments", _: "Client") -> "Deployment":
        await deployments.make_current(chosen, wait=timedelta(seconds=wait))
        return await deployments.read()

    _tell_current(_run(settings, work))


@app.command()
def back(data_dir: DataDir = None) -> None:
    """Send all that is new to the build that was current before; refused where its workers are gone."""

    async def work(deployments: "Deployments", _: "Client") -> "Deployment":
        former = (await deployments.read()).former
        if former is None:
            _end("no other build was ever current: there is nothing to go back to.")
        await deployments.make_current(former.build_id)
        return await deployments.read()

    _tell_current(_run(settings_of(data_dir), work))


@app.command()
def ramp(
    percent: Annotated[float, typer.Argument(help="Share of new work in percent; 0 takes it back.", min=0, max=100)],
    build: Annotated[str | None, typer.Argument(help="A build id; that of the code at hand unless told.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Send a share of what is new to a build, by the workflow's id."""
    settings = settings_of(data_dir)
    chosen = build or _own(settings)

    async def work(deployments: "Deployments", _: "Client") -> None:
        await deployments.ramp(chosen, percent)

    _run(settings, work)
    print(f"{percent:g} % of what is new goes to {chosen}.")


@app.command()
def move(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many would be told.")] = False,
    pace: Annotated[float, typer.Option(help="Cases a second.", min=0.1, max=500)] = 20.0,
    data_dir: DataDir = None,
) -> None:
    """Wake the cases of other builds, so that each goes on as new with the current one; again is harmless."""
    from programmes import CASE_TYPES
    from temporal.moving import move_cases

    async def work(deployments: "Deployments", client: "Client") -> tuple[str, dict[str, int]]:
        now = (await deployments.read()).current
        if now is None:
            _end("no build is current: `hetao versions current` first.")
        return now, await move_cases(deployments, client, CASE_TYPES, now, pace=pace, is_dry=dry_run)

    now, told = _run(settings_of(data_dir), work)
    said = "would be told" if dry_run else "told"
    for build_id, count in sorted(told.items()):
        print(f"{build_id}: {count} cases {said} to go on with {now}.")
    if not told:
        print(f"No case is on another build than {now}.")
    elif not dry_run:
        print("They go on as new when what is under way is done; `hetao versions list` counts what is left.")


@app.command()
def adopt(
    build: Annotated[str, typer.Argument(help="The build id whose workers are lost.")],
    wait: Annotated[int, typer.Option(help="Seconds to wait for the tasks of the runs.", min=0)] = 60,
    data_dir: DataDir = None,
) -> None:
    """Hand the runs of a build without workers to the current one, each whose history this code goes through."""
    from temporalio.worker import Replayer

    import worker
    from programmes import CASE_TYPES
    from temporal.moving import Adopted, adopt_runs

    async def work(deployments: "Deployments", client: "Client") -> "Adopted":
        deployment = await deployments.read()
        found = next((each for each in deployment.versions if each.build_id == build), None)
        if found is None or found.is_current or deployment.current is None:
            _end(f"{build} is no build beside a current one: `hetao versions list` names them.")
        if found.workers:
            _end(f"{build} has workers: `hetao versions move` wakes its cases, with nothing to be tried.")
        if deployment.current != _own(settings):
            _end(f"the current build is {deployment.current} and this code is {_own(settings)}: run it with that code.")
        replayer = Replayer(
            workflows=[*worker.case_workflows(CASE_TYPES), *worker.NOTICE_WORKFLOWS],
            data_converter=client.data_converter,
            workflow_runner=worker.workflow_runner(),
        )
        return await adopt_runs(deployments, client, build, deployment.current, replayer, seconds=wait)

    settings = settings_of(data_dir)
    adopted = _run(settings, work)
    print(f"{len(adopted.runs)} runs are bound to the current build now.")
    if adopted.waiting:
        print(f"{len(adopted.waiting)} come to it at their next task; then again, so that they are bound to it too.")
    for workflow_id in adopted.misfits:
        print(f"{workflow_id} does not fit this code and was left alone.")
    raise typer.Exit(1 if adopted.misfits else 0)


def _own(settings: "Settings") -> str:
    import worker

    return worker.version_of(settings).build_id


def _run(settings: "Settings", work: "Callable[[Deployments, Client], Awaitable[_Answer]]") -> "_Answer":
    """Work on the deployment and turn what stands in the way into one line and exit code 2."""
    import asyncio

    from temporalio.service import RPCError

    from store.keyring import Keyring
    from temporal.client import connect
    from temporal.deployments import Deployments, NoWorkersError

    async def connected() -> "_Answer":
        client = await connect(Keyring.load(settings.keys_file), api_key_file=settings.temporal_api_key_file)
        return await work(Deployments(client, settings.worker_deployment), client)

    try:
        return asyncio.run(connected())
    except NoWorkersError as error:
        _end(
            f"build {error} has no workers on all queues that the current one serves: nothing was changed. "
            "Start them (`hetao worker`), then again."
        )
    except typer.Exit:
        # One of ours, which is a RuntimeError too.
        raise
    except (RPCError, RuntimeError) as error:
        _end(f"Temporal does not answer or refuses ({error}): nothing was changed by this step. Then again.")


def _end(line: str) -> NoReturn:
    print(f"hetao: {line}", file=sys.stderr)
    raise typer.Exit(_CANNOT)


def _tell_current(deployment: "Deployment") -> None:
    print(f"What is new goes to {deployment.current}.")
    for line in _notes(deployment):
        print(line)


def _notes(deployment: "Deployment") -> list[str]:
    """Return what an operator has to do about it."""
    notes = []
    if deployment.current is None:
        notes.append("No build is current: what is new goes to workers without a version.")
    if deployment.unversioned:
        notes.append(
            f"{deployment.unversioned} runs are of no build: the current one takes them on at their next task."
        )
    for each in deployment.versions:
        if each.is_forsaken:
            waiting = f"{each.runs} runs and all that is new" if each.is_current else f"{each.runs} runs"
            notes.append(
                f"{each.build_id} has no workers, and {waiting} wait for them: start its workers."
                " One that has just started is counted within a minute."
            )
        elif each.may_go:
            notes.append(f"{each.build_id} may go: stop its workers.")
        elif not each.is_current and not each.ramp:
            notes.append(f"{each.build_id} keeps its workers for {each.runs} runs; `hetao versions move` wakes them.")
    return notes


def _table(deployment: "Deployment") -> Table:
    table = Table(title=f"Deployment {deployment.name}, times of China", title_justify="left")
    for name in ("build", "new work", "since", "open runs", "workers", "first seen"):
        table.add_column(name)
    for each in deployment.versions:
        workers = "?" if each.workers is None else str(each.workers)
        share = (_share(each), _moment(each.routed_at, "never any"))
        table.add_row(each.build_id, *share, str(each.runs), workers, _moment(each.created_at, "?"))
    return table


def _moment(at: "datetime | None", nothing: str) -> str:
    """Return a time as it is told in China, where those who read the table are."""
    return nothing if at is None else f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}"


def _share(version: "Version") -> str:
    if version.is_current:
        return "current"
    return f"{version.ramp:g} %" if version.ramp else "none"


def _iso(at: "datetime | None") -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")


def _view(deployment: "Deployment") -> dict[str, Any]:
    return {
        "deployment": deployment.name,
        "current": deployment.current,
        "unversioned_runs": deployment.unversioned,
        "versions": [
            {
                "build_id": each.build_id,
                "is_current": each.is_current,
                "ramp_percent": each.ramp,
                "new_work_since": _iso(each.routed_at),
                "first_seen": _iso(each.created_at),
                "open_runs": each.runs,
                "workers": each.workers,
                "may_go": each.may_go,
                "is_forsaken": each.is_forsaken,
            }
            for each in deployment.versions
        ],
    }
