"""The command line `hetao`: each command is a few lines here and does its work elsewhere."""

import importlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli import backup, docs, doctor, edge, erasures, keys, rehearsal, restore, restored, seal, story, versions
from cli import cases as cli_cases
from cli import policy as cli_policy
from cli.audit import audit_app, witness_app

if TYPE_CHECKING:
    from datetime import date

    from domain.employers import RegisterFile
    from settings import Settings

DATA_DIR = Path(".hetao")
EXAMPLES = Path(__file__).parents[1] / "examples"
_COMMAND = [sys.executable, "-P", "-m", "cli"]

app = typer.Typer(
    name="hetao",
    help="Permits of the Hetao zone.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _hetao() -> None:
    """Permits of the Hetao zone."""
    edge.log_to_stderr()


sandbox_app = typer.Typer(help="Steer the stand-ins of a running stack.", no_args_is_help=True)
app.add_typer(sandbox_app, name="sandbox")
sandbox_app.command()(rehearsal.poison)
sandbox_app.command()(rehearsal.heal)
register_app = typer.Typer(help="Load what the register rests on.", no_args_is_help=True)
app.add_typer(register_app, name="register")
calendar_app = typer.Typer(help="Load years of the working calendar.", no_args_is_help=True)
app.add_typer(calendar_app, name="calendar")
app.command()(docs.docs)
app.command()(doctor.doctor)
app.command()(restored.restored)
app.add_typer(cli_policy.app, name="policy")
app.add_typer(erasures.app, name="erasures")
app.add_typer(keys.app, name="keys")
app.add_typer(backup.app, name="backup")
app.add_typer(restore.app, name="restore")
app.add_typer(cli_cases.app, name="cases")
audit_app.command()(story.show)
audit_app.command()(seal.seal)
app.add_typer(audit_app, name="audit")
app.add_typer(versions.app, name="versions")
app.add_typer(witness_app, name="witness")

DataDir = Annotated[Path, typer.Option("--data-dir", help="Directory of the embedded stack.")]


@app.command()
def up(
    data_dir: DataDir = DATA_DIR,
    port: Annotated[int | None, typer.Option(help="Port of the API; a free one unless told.", min=1, max=65535)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one ready line and nothing else.")] = False,
    only_servers: Annotated[
        bool, typer.Option("--only-servers", help="PostgreSQL and Temporal alone, for what follows a restore.")
    ] = False,
) -> None:
    """Run the embedded stack in the foreground until Ctrl-C."""
    _refuse_production()
    from sandbox.stack import embedded

    errors = Console(stderr=True, highlight=False)

    def say(line: str) -> None:
        errors.print(f"hetao: {line}", markup=False, soft_wrap=True)

    def on_ready(addresses: dict[str, str]) -> None:
        if as_json:
            print(json.dumps(addresses), flush=True)
        else:
            _show_addresses(addresses)

    told = {"port": port, "ours": ours(), "say": say, "on_ready": on_ready, "only_servers": only_servers}
    code = _refusing(embedded.up, data_dir, **told)
    raise typer.Exit(code)


@app.command()
def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Print one summary object and nothing else.")] = False,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Take the stack running there, not one of the demo's own.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(help="File in which the exported record is kept, with `keys.json` beside it.")
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(help="One part alone: rosters, or years (three years of one person, on skipped time)."),
    ] = None,
) -> None:
    """Take two sample rosters the whole way and one person through years; exit 0 only if all came out as it should."""
    _refuse_production()
    from sandbox.demo import run

    if part not in (None, *run.Part) or (part == run.Part.YEARS and (data_dir or export)):
        raise typer.BadParameter("The part is rosters or years; years has a stack of its own and exports nothing.")
    given = {"rosters": EXAMPLES, "hetao": _COMMAND, "as_json": as_json, "export": export}
    parts = [run.Part(part)] if part else [run.Part.ROSTERS, *([] if data_dir else [run.Part.YEARS])]
    raise typer.Exit(_refusing(run.run, data_dir, **given, parts=parts, years=_years))


def _years(directory: Path, say: Any) -> dict[str, Any]:
    """Tell the story of three years in a directory."""
    from functools import partial

    import yaml

    from cli.years import park
    from domain.employers import RegisterFile
    from sandbox.demo import years

    register = RegisterFile.model_validate(yaml.safe_load((EXAMPLES / "employers.yaml").read_text()))
    body = json.loads((EXAMPLES / "registration.json").read_text())
    return park.run(directory, register, years.START, partial(years.tell, body=body, say=say))


@app.command()
def token(persona: str, data_dir: DataDir = DATA_DIR) -> None:
    """Print a bearer token of a demo persona."""
    _refuse_production()
    from sandbox.standins import control

    print(_refusing(control.token, data_dir, persona))


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema, as its owner."""
    from domain.errors import SettingError
    from settings import Settings
    from store.cluster import ClusterNotReadyError
    from store.migrate import upgrade

    settings = Settings()
    if settings.owner_database_url is None:
        raise SettingError(
            "HETAO_OWNER_DATABASE_URL: set it to PostgreSQL as hetao_owner, who alone may change the tables."
        )
    try:
        upgrade(settings.owner_database_url)
    except ClusterNotReadyError as error:
        print("hetao: nothing was changed. Run as PostgreSQL's superuser, then migrate again:", file=sys.stderr)
        for statement in error.statements:
            print(f"  {statement}", file=sys.stderr)
        raise typer.Exit(1) from error


@app.command()
def api() -> None:
    """Serve the HTTP API."""
    from api.serving import serve
    from settings import Settings

    serve(Settings())


@app.command()
def worker(
    queue: Annotated[
        list[str] | None,
        typer.Option(
            help="A task queue that it serves, registration or notices, repeatable; HETAO_WORKER_QUEUES else."
        ),
    ] = None,
) -> None:
    """Run the workflows and activities."""
    importlib.import_module("worker").main(queue or ())


@register_app.command()
def load(file: Annotated[Path, typer.Argument(help="Premises and employers in YAML.", exists=True)]) -> None:
    """Load premises, employers and the published working calendar; what stands there already is left alone."""
    import asyncio

    import yaml
    from pydantic import ValidationError

    from domain.employers import RegisterFile
    from policy.faults import fault_in
    from settings import Settings

    try:
        register = RegisterFile.model_validate(yaml.safe_load(edge.read_text(file)))
    except (yaml.YAMLError, ValidationError) as error:
        sys.exit(f"hetao: {file} cannot be loaded: {fault_in(error)}.")
    _print_json(asyncio.run(_load_register(Settings(), register)))


@calendar_app.command("load")
def load_calendar(
    year: Annotated[int | None, typer.Argument(help="A published year; every one that is new unless told.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="The year's days off and made-up days in YAML.", exists=True)
    ] = None,
) -> None:
    """Load years into the working calendar and count the cases whose deadlines move again."""
    import asyncio

    from settings import Settings

    _print_json({"calendar": asyncio.run(_load_calendar(Settings(), _days_of(year, file)))})


@sandbox_app.command()
def mood(
    name: Annotated[str, typer.Argument(help="The mood.", metavar="MOOD")],
    part: Annotated[str, typer.Option(help="authority or mail (the sinks of mail, SMS and webhooks).")] = "authority",
    channel: Annotated[str | None, typer.Option(help="One sink only: mail, sms or hooks.")] = None,
    for_seconds: Annotated[float | None, typer.Option(help="Back to normal after this time.", min=0.001)] = None,
    keep: Annotated[bool | None, typer.Option(help="Answer reports that a registration ended with `kept`.")] = None,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Change how a stand-in behaves: normal, slow, failing, duplicating, out-of-order, away, refusing, manual."""
    _refuse_production()
    from sandbox.standins import control
    from sandbox.standins.moods import Mood

    if name not in tuple(Mood):
        raise typer.BadParameter(f"The mood is one of {', '.join(Mood)}.")
    if part not in ("authority", "mail"):
        raise typer.BadParameter("The part is authority or mail.")
    request = {"mood": name, "channel": channel, "for_seconds": for_seconds, "keep": keep}
    _print_json(_refusing(control.change_mood, data_dir, part, request))


@sandbox_app.command()
def answer(
    case: Annotated[str, typer.Argument(help="Reference and destination, as in HT-…/HK.")],
    outcome: Annotated[str, typer.Argument(help="accepted issued refused withdrawn kept replaced cancelled revoked")],
    field: Annotated[list[str] | None, typer.Option(help="A field of the answer as NAME=VALUE, repeatable.")] = None,
    callback: Annotated[bool, typer.Option(help="Call back, or leave it to be asked for.")] = True,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Have the stand-in authority give one answer now."""
    _refuse_production()
    from sandbox.standins import control

    if unfit := [part for part in field or [] if "=" not in part]:
        raise typer.BadParameter(f"{unfit[0]} is not NAME=VALUE.")
    fields = dict(part.split("=", 1) for part in field or [])
    given = {**fields, "case": case, "outcome": outcome, "callback": callback}
    _print_json(_refusing(control.give_answer, data_dir, given))


@sandbox_app.command()
def books(case: Annotated[str | None, typer.Argument()] = None, data_dir: DataDir = DATA_DIR) -> None:
    """Print the books of the stand-in authority."""
    _refuse_production()
    from sandbox.standins import control

    _print_json(_refusing(control.read_books, data_dir, case))


@sandbox_app.command()
def mails(
    to: Annotated[str | None, typer.Option(help="One recipient; with --channel hooks the name of the hook.")] = None,
    after: Annotated[int, typer.Option(help="Only those that came after this number.", min=0)] = 0,
    channel: Annotated[str, typer.Option(help="mail, sms or hooks")] = "mail",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Print what arrived at the sinks."""
    _refuse_production()
    from sandbox.standins import control

    if channel not in ("mail", "sms", "hooks"):
        raise typer.BadParameter("The channel is mail, sms or hooks.")
    _print_json(_refusing(control.read_messages, data_dir, channel, to, after))


async def _load_register(settings: "Settings", register: "RegisterFile") -> dict[str, Any]:
    from cases.deadlines.calendar_loads import load_published
    from cases.keys.start import announced
    from cases.shared.build import build_context
    from domain.actors import system
    from programmes import PROGRAMMES
    from register.employers import load_register

    context = build_context(settings, "register", PROGRAMMES)
    try:
        async with announced(context, "register load"):
            loaded = await load_register(context, system("register_load"), register)
            calendar = await load_published(context, system("register_load"))
    finally:
        await context.database.close()
    return {**loaded, "calendar": calendar}


def _days_of(year: int | None, file: Path | None) -> "Mapping[date, bool] | None":
    """Return the days of a file or of a year that the library knows; None for all that it knows."""
    import yaml
    from pydantic import ValidationError

    from domain.calendars import CalendarFile
    from policy.calendars import published_year
    from policy.faults import fault_in

    if file is not None:
        try:
            given = CalendarFile.model_validate(yaml.safe_load(edge.read_text(file)))
        except (yaml.YAMLError, ValidationError) as error:
            sys.exit(f"hetao: {file} cannot be loaded: {fault_in(error)}.")
        if year not in (None, given.year):
            sys.exit(f"hetao: {file} is about {given.year}, not {year}.")
        return given.days()
    if year is None:
        return None
    days = published_year(year)
    if days is None:
        sys.exit(f"hetao: no calendar of {year} is known; give one with --file.")
    return days


async def _load_calendar(settings: "Settings", days: "Mapping[date, bool] | None") -> str:
    from cases.deadlines.calendar_loads import load_calendar, load_published
    from cases.keys.start import announced
    from cases.shared.build import build_context
    from domain.actors import system
    from programmes import PROGRAMMES

    context = build_context(settings, "calendar", PROGRAMMES)
    try:
        actor = system("calendar_load")
        async with announced(context, "calendar load"):
            return await (load_published(context, actor) if days is None else load_calendar(context, actor, days))
    finally:
        await context.database.close()


def ours() -> Any:
    """What the embedded stack must be told about the layers that the sandbox does not import."""
    from sandbox.stack.embedded import Ours
    from store import key_file

    return Ours(
        make_keys=key_file.generate,
        commands={"api": [*_COMMAND, "api"], "worker": [*_COMMAND, "worker"]},
        tasks=[
            ("migrate", [*_COMMAND, "migrate"]),
            ("register", [*_COMMAND, "register", "load", str(EXAMPLES / "employers.yaml")]),
        ],
    )


def _show_addresses(addresses: Mapping[str, str]) -> None:
    from sandbox.standins.issuer import PERSONAS

    console = Console(highlight=False)
    table = Table(title="Hetao permits, embedded", show_header=False, title_justify="left")
    for name, value in addresses.items():
        if name not in ("event", "database_url"):
            table.add_row(name.replace("_", " "), value)
    console.print(table)
    console.print(f"Demo personas, for `hetao token PERSONA`: {', '.join(PERSONAS)}", soft_wrap=True)
    console.print("Ctrl-C stops everything.")


def _refuse_production() -> None:
    if os.environ.get("HETAO_ENV") == "production":
        sys.exit("This command belongs to the embedded stack: it does not run with HETAO_ENV=production.")


def _refusing(act: Any, *given: Any, **named: Any) -> Any:
    """Call and turn what the caller can mend into one line and exit code 2."""
    from sandbox.stack.directory import StackError

    try:
        return act(*given, **named)
    except StackError as error:
        print(f"hetao: {error}", file=sys.stderr)
        raise typer.Exit(2) from error


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1))


def main() -> None:
    """Run the command line."""
    edge.run(app)
