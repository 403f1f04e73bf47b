"""The command `hetao audit show`: the story of a case from the API, readable in a terminal."""

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

_PAGE: Final = 200
_SECONDS: Final = 30.0
_STYLES: Final = {"ledger": "", "history": "dim", "notice": "cyan"}

Item = Mapping[str, Any]


def show(
    reference: Annotated[str, typer.Argument(help="Reference of the case, as in HT-7K2M-9QXA-3.")],
    as_of: Annotated[str | None, typer.Option(help="A past time with offset: tell it as it stood then.")] = None,
    language: Annotated[str, typer.Option(help="en, zh-Hans or zh-Hant.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print one object and nothing else.")] = False,
    api: Annotated[
        str | None, typer.Option(envvar="HETAO_API", help="Address of the API; else the stack of --data-dir.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="HETAO_TOKEN", help="An auditor's bearer token; else of the stand-in issuer.")
    ] = None,
    data_dir: Annotated[Path, typer.Option("--data-dir", help="Directory of the embedded stack.")] = Path(".hetao"),
) -> None:
    """Tell the story of a case: what happened, who did it and why, and for whom it waited how long."""
    address, bearer = _reach(api, token, data_dir)
    story = _fetch(address, bearer, reference, as_of, language)
    if as_json:
        print(json.dumps(story, ensure_ascii=False, indent=1))
        return
    console = Console(highlight=False)
    _print_head(console, story)
    console.print(_table(story["items"]))
    if not story["complete"]:
        console.print("A history could be read neither from Temporal nor from the archive; see `runs` with --json.")


def _reach(api: str | None, token: str | None, data_dir: Path) -> tuple[str, str]:
    """Return address and token: those given, or those of the embedded stack."""
    if (api is None) != (token is None):
        raise typer.BadParameter("Give --api and --token together, or neither of them and --data-dir.")
    if api is not None and token is not None:
        return api.rstrip("/"), token
    from sandbox import control
    from sandbox.stack import StackError, running_stack

    try:
        return running_stack(data_dir).url("api"), control.token(data_dir, "auditor")
    except StackError as error:
        print(f"hetao: {error}", file=sys.stderr)
        raise typer.Exit(2) from error


def _fetch(address: str, token: str, reference: str, as_of: str | None, language: str) -> dict[str, Any]:
    """Return the whole story, page after page."""
    import httpx

    headers = {"Authorization": f"Bearer {token}", "Accept-Language": language}
    query: dict[str, str | int] = {"limit": _PAGE} | ({"as_of": as_of} if as_of else {})
    story: dict[str, Any] = {}
    with httpx.Client(timeout=_SECONDS, headers=headers, trust_env=False) as client:
        while True:
            try:
                answer = client.get(f"{address}/v1/audit/cases/{reference}/history", params=query)
            except httpx.HTTPError as error:
                print(f"hetao: {address} does not answer ({type(error).__name__}).", file=sys.stderr)
                raise typer.Exit(2) from error
            if answer.is_error:
                print(f"hetao: {_refusal(answer)}", file=sys.stderr)
                raise typer.Exit(1)
            page = answer.json()
            items = [*story.get("items", []), *page["items"]]
            story = {**page, "items": items}
            if page["next_cursor"] is None:
                del story["next_cursor"]
                return story
            query["cursor"] = page["next_cursor"]


def _refusal(answer: Any) -> str:
    try:
        problem = answer.json()
        return f"{problem['code']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"the API answered {answer.status_code}"


def _print_head(console: Console, story: Mapping[str, Any]) -> None:
    state, when = story["state"], f" as of {_time(story['as_of'])}" if story["as_of"] else ""
    console.print(Text(f"{story['reference']}{when}", style="bold"))
    if state is None:
        console.print("The case was not there yet.")
        return
    parts = [f"{state['stage']}, round {state['round']}"]
    parts += [f"number {state['registration_number']}"] if state["registration_number"] else []
    parts += [f"proposed: {state['pending_act']}"] if state["pending_act"] else []
    parts += [f"on hold: {', '.join(state['holds'])}"] if state["holds"] else []
    parts += [f"due {_time(state['due']['at'])}"] if state["due"] else []
    parts += [f"{permit['destination']} {permit['stage']}" for permit in state["permits"]]
    console.print("; ".join(parts))
    for task in state["tasks"]:
        console.print(f"task {task['kind']}: {'held by ' + task['holder'] if task['holder'] else 'free'}")
    for wait in story["waits"]:
        console.print(f"{wait['says']}: {_duration(wait['seconds'])}")


def _table(items: list[Item]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("when", "who", "what"):
        table.add_column(name, no_wrap=name == "when")
    for item in items:
        style = _STYLES.get(item["source"], "")
        table.add_row(_time(item["at"]), _who(item), "\n".join(_lines(item)), style=style)
    return table


def _who(item: Item) -> str:
    who = item.get("who")
    return f"{who['role']}\n{who['subject']}" if who else item["source"]


def _lines(item: Item) -> Iterator[str]:
    """Yield what happened, and under it why, how it was delivered, and for whom was waited."""
    about = [item.get("destination"), item["what"] if item["source"] == "notice" else None]
    named = ", ".join(part for part in about if part)
    yield f"{item['says']}{f' ({named})' if named else ''}"
    for reason in item.get("reasons", ()):
        yield f"  {reason['code']}: {reason['says']}" if reason["says"] else f"  {reason['code']}"
    for delivery in item.get("deliveries", ()):
        receipts = "".join(f", receipt {each['status']}" for each in delivery.get("receipts", ()))
        yield f"  {delivery['channel']}: {delivery['status']}{receipts}"
    if item["source"] == "history":
        facts = {name: value for name, value in (item.get("detail") or {}).items() if value is not None}
        if facts:
            yield "  " + ", ".join(f"{name} {value}" for name, value in facts.items())
    if item.get("rule_version"):
        yield f"  rules of {item['rule_version']}"
    if waited := item.get("waited"):
        yield f"  {waited['says']}: {_duration(waited['seconds'])}"


def _time(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S")


def _duration(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    clock = str(timedelta(seconds=rest))
    return f"{days} d {clock}" if days else clock
