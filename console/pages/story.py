"""The record of cases as auditors read it: searched, told as a story by day, and compared on request."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from console.calling import ProblemError
from console.rendering import render
from console.routes import Calls, signed_in
from domain.actors import Role
from domain.browser_sessions import Session
from domain.languages import Language
from domain.references import find_reference
from programmes import room_of
from record.reconciliation.views import ReconciliationView
from record.story_views import DeliveryTold, StoryItem, StoryView
from texts.story import act_sentence, notice_name, word

router: Final = APIRouter()
_PAGE: Final = 100
_FILTERS: Final = ("case", "actor", "act", "from", "to")
# What is shown of a story, each with what it takes in.
_KINDS: Final = ("all", "people", "engine", "notices", "readings")


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened, in words: when, what, by whom, what stands beside it, and where it is recorded."""

    at: str
    kind: str  # of `_KINDS`
    says: str
    who: str | None
    beside: Sequence[str]
    record: Sequence[tuple[str, str]]
    waited: str | None = None  # for whom was waited before it
    waited_seconds: int = 0


@router.get("/audit")
async def audit(
    request: Request, api: Calls, session: Annotated[Session, signed_in(Role.AUDITOR)], cursor: str | None = None
) -> Response:
    """Search the ledger; a reference alone leads to its story as well."""
    given: dict[str, Any] = {name: request.query_params.get(name, "").strip() for name in _FILTERS}
    problem, found = None, None
    if any(given.values()):
        try:
            found = await api.read_json("/v1/audit/events", **given, cursor=cursor, limit=50)
        except ProblemError as refused:
            problem = refused
    language: Language = request.state.language
    rows = [_event(each, language) for each in (found or {"items": []})["items"]]
    asked = urlencode({name: value for name, value in given.items() if value})
    after = (found or {}).get("next_cursor")
    return render(
        request,
        "audit",
        status=200 if problem is None else problem.status,
        given=given,
        rows=rows,
        is_asked=found is not None,
        problem=problem,
        first=f"/audit?{asked}" if cursor else None,
        next=f"/audit?{asked}&{urlencode({'cursor': after})}" if after else None,
    )


@router.get("/cases/{reference}/story")
async def tell(
    request: Request,
    api: Calls,
    reference: str,
    session: Annotated[Session, signed_in(Role.AUDITOR)],
    cursor: str | None = None,
    as_of: str | None = None,
    show: Annotated[str, Query()] = "all",
    compare: bool = False,
) -> Response:
    """Tell the story of a case by day; `compare` says whether its records agree."""
    path = f"/v1/audit/cases/{reference}"
    found = await api.read(f"{path}/history", StoryView, as_of=as_of, cursor=cursor, limit=_PAGE)
    compared = await api.read(f"{path}/reconciliation", ReconciliationView) if compare else None
    say = Words(reference, request.state.language)
    told = [say.item(each) for each in found.items]
    counts = {kind: sum(kind in ("all", each.kind) for each in told) for kind in _KINDS}
    show = show if show in _KINDS else "all"
    shown = [each for each in told if show in ("all", each.kind)]
    here = f"/cases/{reference}/story"
    asked = {"as_of": as_of} if as_of else {}
    return render(
        request,
        "story",
        reference=reference,
        story=found,
        say_of=say,
        days=[(day, list(those)) for day, those in groupby(shown, key=lambda each: each.at[:10])],
        kinds=[(kind, _address(here, asked, show=kind), counts[kind], kind == show) for kind in _KINDS],
        compared=compared,
        compare=_address(here, asked, show=show, compare="true"),
        first=_address(here, asked, show=show) if cursor else None,
        next=_address(here, asked, show=show, cursor=found.next_cursor) if found.next_cursor else None,
        as_of=as_of or "",
    )


class Words:
    """Names what stands in the story of one case, in one language and as its programme does."""

    def __init__(self, reference: str, language: Language) -> None:
        self.language = language
        self._room = room_of(reference)

    def __call__(self, group: str, code: str) -> str:
        """Return the word for a code of a group."""
        return word(group, code, self.language, self._room)

    def item(self, item: StoryItem) -> Told:
        """Return what happened, in words."""
        is_notice = item.source == "notice"
        says = item.says
        if is_notice:
            recipient = self("recipients", str((item.detail or {}).get("recipient", "")))
            named = notice_name(item.what, item.destination, self.language, self._room)
            says = f"{self('words', 'to')} {recipient}: {named}"
        who = None
        if item.who is not None:
            who = f"{self('roles', item.who.role)} ({item.who.subject})"
        return Told(
            at=item.placed_at or item.at,
            kind=_kind(item),
            says=says,
            who=who or (None if is_notice else self("sources", item.source)),
            beside=list(self._beside(item)),
            record=_record(item),
            waited=item.waited.says if item.waited else None,
            waited_seconds=item.waited.seconds if item.waited else 0,
        )

    def _beside(self, item: StoryItem) -> Iterator[str]:
        for reason in item.reasons or ():
            yield reason.says or reason.code
        if item.stage:
            yield self("stages", item.stage)
        if item.round:
            yield f"{self('words', 'round')} {item.round}"
        if item.rule_version:
            yield f"{self('words', 'rules')} {item.rule_version}"
        for delivery in item.deliveries or ():
            yield self._delivery(delivery)

    def _delivery(self, delivery: DeliveryTold) -> str:
        return f"{self('channels', delivery.channel)}: {self('deliveries', delivery.status)}"


def _kind(item: StoryItem) -> str:
    if item.source == "notice":
        return "notices"
    if item.purpose is not None:
        return "readings"
    return "people" if item.who is not None and item.who.role != Role.SYSTEM else "engine"


def _record(item: StoryItem) -> list[tuple[str, str]]:
    """Return where it is recorded, by name and value."""
    return [(name, str(value)) for name, value in asdict(item.place).items() if value is not None]


def _event(row: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """Return what a line of the search shows of a row of the ledger."""
    reference = row["reference"]
    is_case = reference is not None and find_reference(reference) is not None
    return {
        "at": row["at"],
        "says": act_sentence(row["act"], row["outcome"], language, room_of(reference)),
        "role": word("roles", row["actor_role"], language),
        "subject": row["actor_subject"],
        "reference": reference,
        "story": f"/cases/{reference}/story" if is_case else None,
        "place": f"{row['chain']} · {row['seq']}",
    }


def _address(path: str, asked: Mapping[str, str], **more: str | None) -> str:
    query = {**asked, **{name: value for name, value in more.items() if value and value != "all"}}
    return f"{path}?{urlencode(query)}" if query else path
