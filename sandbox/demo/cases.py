"""The people of the demo at work: for each case the act that its plan has next, until all are at their end."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from domain.clock import CHINA
from sandbox.demo.api import Callers, DemoError
from sandbox.demo.plan import LAST_DAY_AGO, OFFICERS, PERSONAS, Decision, Fate, fate_of

Case = dict[str, Any]
POLL_SECONDS: Final = 0.4
# Changes are read from a little earlier, and all cases now and then: a case shows the time of what was asked, and
# the step that does it may end later.
OVERLAP: Final = timedelta(seconds=5)
WHOLE_SECONDS: Final = 3.0
STALLED_SECONDS: Final = 120.0
AT_ONCE: Final = 6
WATCHER: Final = "auditor"
# Who approves clear cases together; the others take them one by one.
TOGETHER: Final = frozenset({"officer-1"})
_ISSUED_ONCE: Final = frozenset({"issued", "revoked"})


@dataclass(frozen=True)
class Act:
    """One call that somebody makes about a case."""

    name: str
    persona: str
    path: str
    body: Mapping[str, Any]


class Work:
    """Drives the cases of the demo, each by what it shows now."""

    def __init__(self, callers: Callers, references: Mapping[str, str], tell: Callable[[str], None]) -> None:
        self._callers = callers
        self._fates = {reference: fate_of(row) for reference, row in references.items()}
        self._rows = references
        self._tell = tell
        self._places = asyncio.Semaphore(AT_ONCE)
        self._done: set[str] = set()
        self._acted_on: dict[str, str] = {}
        self._acting: set[asyncio.Task[None]] = set()
        self._since: datetime | None = None
        self._moved_at = self._looked_at = time.monotonic()
        self.cases: dict[str, Case] = {}
        self.acts: dict[str, int] = {}

    async def run(self, show: Callable[[Mapping[str, Case]], None]) -> None:
        """Go on until every case has come to the end of its plan.

        Raises:
            DemoError: an act was refused, or nothing has moved for too long.
        """
        while not self._is_done():
            await self._look()
            self._act()
            show(self.cases)
            for task in [task for task in self._acting if task.done()]:
                self._acting.discard(task)
                task.result()
            if time.monotonic() - self._moved_at > STALLED_SECONDS:
                raise DemoError(f"Nothing has moved for {STALLED_SECONDS:.0f} s; {'; '.join(self.unfinished())}")
            await asyncio.sleep(POLL_SECONDS)

    def unfinished(self) -> list[str]:
        """The cases that are not where their plan ends."""
        return [
            f"{self._rows[reference]} is {_standing(self.cases.get(reference))}"
            for reference, fate in self._fates.items()
            if not _is_at_end(self.cases.get(reference), fate)
        ]

    def _is_done(self) -> bool:
        return not self._acting and all(_is_at_end(self.cases.get(r), fate) for r, fate in self._fates.items())

    async def _look(self) -> None:
        query = {}
        if self._since and time.monotonic() - self._looked_at < WHOLE_SECONDS:
            query = {"updated_after": (self._since - OVERLAP).isoformat()}
        else:
            self._looked_at = time.monotonic()
        for case in await self._callers.pages(WATCHER, "/v1/registrations", **query):
            reference, changed = case["reference"], datetime.fromisoformat(case["updated_at"])
            self._since = max(self._since or changed, changed)
            if reference in self._fates and case != self.cases.get(reference):
                self.cases[reference] = case
                self._moved_at = time.monotonic()

    def _act(self) -> None:
        together: dict[str, list[Case]] = {}
        for reference, case in self.cases.items():
            fate = self._fates[reference]
            # What is seen may be older than the last act on it, which serves what else is seen to be asked.
            if self._acted_on.get(reference) == case["updated_at"]:
                continue
            act = next_act(case, fate, partial(self._is_known, reference))
            if act is None:
                continue
            self._done.add(f"{reference}/{act.name}")
            self._acted_on[reference] = case["updated_at"]
            plainly = {"action": "approve", "round": case["round"], "reasons": []}
            if act.body == plainly and act.persona in TOGETHER:
                together.setdefault(act.persona, []).append(case)
            else:
                self._start(self._do(case, act))
        for persona, cases in together.items():
            self._start(self._approve_together(persona, cases))

    def _is_known(self, reference: str, name: str) -> bool:
        return f"{reference}/{name}" in self._done

    def _start(self, doing: Coroutine[Any, Any, None]) -> None:
        self._acting.add(asyncio.create_task(doing))

    async def _do(self, case: Case, act: Act) -> None:
        async with self._places:
            key = f"demo/{case['reference']}/{act.name}"
            await self._callers.write(act.persona, "POST", act.path, act.body, key=key)
        self._count(act.name.partition("/")[0])
        self._tell(f"{act.persona}: {act.name.partition('/')[0]} {self._rows[case['reference']]}")

    async def _approve_together(self, persona: str, cases: list[Case]) -> None:
        body = [{"reference": case["reference"], "round": case["round"]} for case in cases]
        async with self._places:
            answer = await self._callers.write(persona, "POST", "/v1/decisions", body)
        refused = [outcome for outcome in answer["items"] if outcome["status"] >= 400]
        if refused:
            raise DemoError(f"{persona}: approving several: {refused}")
        self._count("approve", len(cases))
        self._tell(f"{persona}: approve {len(cases)} together")

    def _count(self, name: str, number: int = 1) -> None:
        self.acts[name] = self.acts.get(name, 0) + number
        self._moved_at = time.monotonic()


def next_act(case: Case, fate: Fate, is_done: Callable[[str], bool]) -> Act | None:
    """What somebody has to do about a case now, or None while it waits for the engine or is at its end."""
    round_, officer = case["round"], OFFICERS[case["employer_id"]]
    employer, path = PERSONAS[case["employer_id"]], f"/v1/registrations/{case['reference']}"
    acts: list[Act] = []
    match case["stage"]:
        case "correction_requested" if fate.contest:
            acts = [Act("contest", employer, f"{path}/contest", {"note": fate.contest})]
        case "correction_requested" if fate.correction:
            acts = [Act("correct", employer, f"{path}/correction", fate.correction)]
        case "under_review":
            acts = _review(case, fate, officer, employer, path, is_done)
        case "awaiting_confirmation" if round_ in fate.decisions:
            acts = [_signature(fate.decisions[round_], round_, path)]
        case "approved":
            acts = _follow(case, fate, officer, employer, path)
    return next((act for act in acts if not is_done(act.name)), None)


def _review(
    case: Case, fate: Fate, officer: str, employer: str, path: str, is_done: Callable[[str], bool]
) -> list[Act]:
    if fate.withdraws:
        return [Act("withdraw", employer, f"{path}/withdrawal", {"reason": "The person chose another post."})]
    if case["hold"]:
        return [Act("release", officer, f"{path}/hold", {"action": "release", "reason": case["hold"]["reason"]})]
    if fate.holds and not is_done("hold"):
        return [Act("hold", officer, f"{path}/hold", {"action": "place", "reason": "other_authority_asked"})]
    if fate.amendment and case["round"] == 1:
        return [Act("amend", employer, f"{path}/correction", {**fate.amendment, "round": 1})]
    decision = fate.decisions.get(case["round"])
    if decision is None or (fate.holds and not is_done("release")):
        return []
    reasons = [{"code": code} for code in decision.reasons]
    body = {"action": decision.action, "round": case["round"], "reasons": reasons}
    return [Act(f"{decision.action}/{case['round']}", officer, f"{path}/decision", body)]


def _signature(decision: Decision, round_: int, path: str) -> Act:
    name = "reject" if decision.rejects else "confirm"
    reasons = [{"code": decision.rejects}] if decision.rejects else []
    body = {"action": name, "round": round_, "reasons": reasons}
    return Act(f"{name}/{round_}", str(decision.second), f"{path}/confirmation", body)


def _follow(case: Case, fate: Fate, officer: str, employer: str, path: str) -> list[Act]:
    acts: list[Act] = []
    tasks = (task for task in case["tasks"] if task["kind"] == "permit_eligibility")
    asked = {destination for task in tasks for destination in task["destinations"]}
    planned = [(permit, fate.eligibility.get(permit["destination"])) for permit in case["permits"]]
    # To send one for which the same was asked serves the other too, unless it is to be withheld by then.
    for permit, plan in sorted(planned, key=lambda each: each[1] is None or each[1].action != "withhold"):
        if plan is None:
            continue
        destination = permit["destination"]
        place = f"{path}/permits/{destination}"
        if permit["pending_act"] == "withhold":
            acts.append(Act(f"sign/{destination}", str(plan.second), f"{place}/confirmation", {"action": "confirm"}))
        elif destination in asked:
            body = {"action": plan.action, "reasons": [{"code": plan.reason}]}
            acts.append(Act(f"{plan.action}/{destination}", officer, f"{place}/eligibility", body))
    # After a restore the authority may tell of the end that a lost departure brought before it is reported anew.
    if fate.departs and case["permits"] and all(permit["stage"] in _ISSUED_ONCE for permit in case["permits"]):
        last_day = datetime.now(CHINA).date() - timedelta(days=LAST_DAY_AGO)
        acts.append(Act("depart", employer, f"{path}/departure", {"last_day": str(last_day), "reason": "resigned"}))
    return acts


def _is_at_end(case: Case | None, fate: Fate) -> bool:
    if case is None or case["stage"] != fate.ends:
        return False
    return _permits(case) == fate.permits_of(case["destinations"])


def _permits(case: Case) -> dict[str, str | None]:
    return {permit["destination"]: permit["stage"] for permit in case["permits"]}


def _standing(case: Case | None) -> str:
    if case is None:
        return "not to be seen"
    return f"{case['stage']} in round {case['round']} with permits {_permits(case) or 'none'}"
