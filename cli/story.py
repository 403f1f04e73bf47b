"""The command `hetao audit show`: the story of a case from the API, readable in a terminal."""

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from domain.languages import Language
    from record.story_views import StoodPermit, Story, StoryItem

_PAGE: Final = 200
_SECONDS: Final = 30.0
_STYLES: Final = {"ledger": "", "history": "dim", "notice": "cyan"}


class Say:
    """Names codes in one language."""

    def __init__(self, language: "Language", reference: str) -> None:
        from programmes import room_of

        self._language = language
        self._room = room_of(reference)

    def __call__(self, group: str, code: str) -> str:
        """Return the word for a code of a group."""
        from texts.story import word

        return word(group, code, self._language, self._room)

    def place(self, destination: str) -> str:
        """Return the name of a destination."""
        from texts.notices.wording import place

        return place(destination, self._language)

    def notice(self, kind: str, destination: str | None) -> str:
        """Return what a notice is about."""
        from texts.story import notice_name

        return notice_name(kind, destination, self._language, self._room)


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
    from domain.languages import Language

    if language not in set(Language):
        raise typer.BadParameter(f"The language is one of {', '.join(Language)}.")
    address, bearer = _reach(api, token, data_dir)
    story = _fetch(address, bearer, reference, as_of, language)
    if as_json:
        print(json.dumps(story, ensure_ascii=False, indent=1))
        return
    told = _read(story)
    console, say = Console(highlight=False), Say(Language(language), reference)
    _print_head(console, told, say)
    console.print(_table(told.items, say))
    if not told.complete:
        console.print(say("words", "incomplete"))


def _reach(api: str | None, token: str | None, data_dir: Path) -> tuple[str, str]:
    """Return address and token: those given, or those of the embedded stack."""
    if (api is None) != (token is None):
        raise typer.BadParameter("Give --api and --token together, or neither of them and --data-dir.")
    if api is not None and not api.startswith(("http://", "https://")):
        raise typer.BadParameter("The address of the API begins with http:// or https://.")
    if api is not None and token is not None:
        return api.rstrip("/"), token
    from sandbox.stack.directory import StackError, running_stack
    from sandbox.standins import control

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


def _read(story: Mapping[str, Any]) -> "Story":
    from pydantic import TypeAdapter, ValidationError

    from record.story_views import Story

    try:
        return TypeAdapter(Story).validate_python(story)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        print(f"hetao: the story has another form than this version knows, at {where}; try --json", file=sys.stderr)
        raise typer.Exit(1) from error


def _refusal(answer: Any) -> str:
    try:
        problem = answer.json()
        fields = "; ".join(f"{each['field']}: {each['message']}" for each in problem.get("errors", ()))
        return f"{problem['code']}: {problem['detail']}" + (f" ({fields})" if fields else "")
    except (ValueError, KeyError, TypeError):
        return f"the API answered {answer.status_code}"


def _print_head(console: Console, story: "Story", say: Say) -> None:
    state, when = story.state, f" {say('words', 'as_of')} {_time(story.as_of)}" if story.as_of else ""
    console.print(Text(f"{story.reference}{when}", style="bold"))
    if state is None:
        console.print(say("words", "not_there_yet"))
        return
    parts = [say("stages", state.stage), f"{say('words', 'round')} {state.round}"]
    if state.registration_number:
        parts.append(f"{say('words', 'number')} {state.registration_number}")
    if state.pending_act:
        parts.append(f"{say('words', 'proposed')}: {say('pending', state.pending_act)}")
    if state.holds:
        parts.append(f"{say('words', 'on_hold')}: {', '.join(say('holds', hold) for hold in state.holds)}")
    if state.due:
        parts.append(f"{say('words', 'due')} {_time(state.due.at)}")
    parts += [f"{say.place(permit.destination)}: {_permit(permit, say)}" for permit in state.permits]
    console.print("; ".join(parts))
    for task in state.tasks:
        held = f"{say('words', 'held_by')} {task.holder}" if task.holder else say("words", "free")
        console.print(f"{say('words', 'task')} {say('tasks', task.kind)}: {held}")
    for wait in story.waits:
        console.print(f"{wait.says}: {_duration(wait.seconds, say)}")


def _permit(permit: "StoodPermit", say: Say) -> str:
    pending = f" ({say('words', 'proposed')}: {say('pending', permit.pending_act)})" if permit.pending_act else ""
    return say("permit_stages", permit.stage) + pending


def _table(items: "list[StoryItem]", say: Say) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("when", "who", "what"):
        table.add_column(say("words", name), no_wrap=name == "when")
    for item in items:
        style = _STYLES.get(item.source, "")
        table.add_row(_time(item.placed_at or item.at), _who(item, say), "\n".join(_lines(item, say)), style=style)
    return table


def _who(item: "StoryItem", say: Say) -> str:
    return f"{say('roles', item.who.role)}\n{item.who.subject}" if item.who else say("sources", item.source)


def _lines(item: "StoryItem", say: Say) -> Iterator[str]:
    """Yield what happened, and under it when it was asked for, why, to whom it was told, and for whom was waited."""
    if item.source == "notice":
        yield from _notice_lines(item, say)
    else:
        yield f"{item.says}{f' ({say.place(item.destination)})' if item.destination else ''}"
    if item.placed_at:
        yield f"  {say('words', 'asked_at')} {_time(item.at)}"
    for reason in item.reasons or ():
        yield f"  {reason.says or reason.code}"
    if item.source == "history":
        facts = {name: value for name, value in (item.detail or {}).items() if value is not None}
        if facts:
            yield "  " + ", ".join(f"{say('facts', name)} {_fact(value)}" for name, value in facts.items())
    if item.rule_version:
        yield f"  {say('words', 'rules')} {item.rule_version}"
    if item.waited:
        yield f"  {item.waited.says}: {_duration(item.waited.seconds, say)}"


def _notice_lines(item: "StoryItem", say: Say) -> Iterator[str]:
    recipient = (item.detail or {}).get("recipient", "")
    yield f"{say('words', 'to')} {say('recipients', recipient)}: {say.notice(item.what, item.destination)}"
    for delivery in item.deliveries or ():
        receipts = "".join(
            f", {say('words', 'receipt')} {say('deliveries', each.status)}" for each in delivery.receipts
        )
        yield f"  {say('channels', delivery.channel)}: {say('deliveries', delivery.status)}{receipts}"


def _fact(value: Any) -> str:
    """Return a fact of a history: a time as all times are printed, anything else as the code that it is."""
    try:
        return _time(value) if isinstance(value, str) and "T" in value else str(value)
    except ValueError:
        return str(value)


def _time(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S")


def _duration(seconds: int, say: Say) -> str:
    days, rest = divmod(seconds, 86400)
    clock = str(timedelta(seconds=rest))
    return f"{days} {say('words', 'days')} {clock}" if days else clock
