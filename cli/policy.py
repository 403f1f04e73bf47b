"""The commands `hetao policy …`: rule packs tried on past cases."""

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Column, Table

from cli import edge

if TYPE_CHECKING:
    from datetime import date

    from settings import Settings

_TOTALS: Final = (
    "cases", "facts_erased", "flipped", "outcome_changes", "by_scope", "by_outcome", "by_rule", "report_hash",
)  # fmt: skip
_SUBJECT: Final = re.compile(r"[A-Za-z0-9_.@:/+-]{1,200}")

app = typer.Typer(help="Try rule packs on past cases.", no_args_is_help=True)


@app.callback()
def _policy() -> None:
    """Try rule packs on past cases."""


@app.command("try")
def try_policy(
    pack: Annotated[Path, typer.Argument(help="A draft of a rule pack in YAML.", exists=True, dir_okay=False)],
    since: Annotated[str, typer.Option(help="The first day of acceptance to look at, as in 2026-01-31.")],
    by: Annotated[
        str | None, typer.Option(help="Subject for whom it is tried: as you say, proved by nothing.", metavar="SUBJECT")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Directory of an embedded stack.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole report and nothing else.")] = False,
) -> None:
    """Run a draft over past cases: who would flip, and by which rule; publishing it takes the report's hash."""
    import asyncio
    from datetime import date

    from policy.pack import PackError, parse_pack
    from programmes import PROGRAMMES

    try:
        draft = parse_pack(edge.read_text(pack))
    except PackError as error:
        sys.exit(f"hetao: {error}")
    try:
        first = date.fromisoformat(since)
    except ValueError:
        sys.exit(f"hetao: --since takes a day, as in 2026-01-31, and not {since}.")
    if draft.name not in (names := [each.packs[0].name for each in PROGRAMMES.values()]):
        sys.exit(f"hetao: the pack is named {draft.name}; the rules read packs named {', '.join(names)}.")
    if by is not None and not _SUBJECT.fullmatch(by):
        sys.exit("hetao: --by takes the subject of an account, as in officer-7: no name, no space.")
    report = asyncio.run(_try_pack(settings_of(data_dir), draft, first, by))
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
    else:
        _show_trial(report)


def settings_of(data_dir: Path | None) -> "Settings":
    """Return the settings of the environment, or those that an embedded stack gives its processes."""
    from settings import Settings

    if data_dir is not None:
        if os.environ.get("HETAO_ENV") == "production":
            sys.exit("An embedded stack does not run with HETAO_ENV=production.")
        from sandbox.stack.directory import StackError, running_stack
        from sandbox.stack.embedded import application_environment

        try:
            os.environ.update(application_environment(running_stack(data_dir)))
        except StackError as error:
            sys.exit(f"hetao: {error}")
    return Settings()


def _tried_by(by: str | None) -> dict[str, str]:
    """Return who runs the command as the operating system has it, and for whom, as stated."""
    import pwd

    uid = os.getuid()
    try:
        account = pwd.getpwuid(uid).pw_name
    except KeyError:  # an image may run under an account that has no name
        account = f"uid:{uid}"
    return {"account": account} | ({"stated_by": by} if by else {})


async def _try_pack(settings: "Settings", draft: Any, since: "date", by: str | None) -> dict[str, Any]:
    from cases.shared.build import build_context
    from domain.actors import system
    from programmes import PROGRAMMES
    from register.trials import try_pack

    errors = Console(stderr=True, highlight=False)
    context = build_context(settings, "policy_try", PROGRAMMES)
    try:
        trial = await try_pack(
            context,
            system("policy_try"),
            draft,
            since,
            tried_by=_tried_by(by),
            said=lambda cases: errors.print(f"{cases} cases"),
        )
        return trial.document()
    finally:
        await context.database.close()


def _show_trial(report: Mapping[str, Any]) -> None:
    console = Console(highlight=False)
    programmes = {edge.programme_of(flip["reference"]) for flip in report["flips"]}
    if programmes:
        console.print(f"Cases of {', '.join(sorted(programmes))}:", soft_wrap=True)
    # References are copied from here: whatever the width of the terminal, they are whole and on one line.
    longest = max((len(flip["reference"]) for flip in report["flips"]), default=0)
    case = Column("case", no_wrap=True, min_width=longest)
    further = (Column(title, overflow="fold") for title in ("scope", "stage", "before", "now", "by which rule"))
    table = Table(case, *further)
    for flip in report["flips"]:
        rules = ", ".join(f"{rule['code']}: {rule['before']} -> {rule['now']}" for rule in flip["rules"])
        table.add_row(flip["reference"], flip["scope"], flip["stage"], flip["before"], flip["now"], rules)
    console.print(table)
    for name in _TOTALS:
        console.print(f"{name.replace('_', ' ')}: {report[name]}", soft_wrap=True)
