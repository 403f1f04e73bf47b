"""What becomes of cases after their approval or refusal: changed, renewed, objected to, given up and asked for anew."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bench.faults.people import Person
from sandbox.demo.cases import Act
from sandbox.demo.plan import OFFICERS, PERSONAS

Case = Mapping[str, Any]
_CARD: Final = {"permit_card_number": "C87654321", "permit_card_valid_until": "2037-01-31"}
_GROUNDS: Final = "The contract was enclosed; it is enclosed again with the seal of the institute."
_GIVEN_UP, _KEPT = "MO", "HK"
TERMS: Final = 2


def later_act(case: Case, person: Person, is_done: Callable[[str], bool]) -> Act | None:
    """Return what somebody does next of what this case has before it, or None while it waits for the engine."""
    plan = _PLANS.get(person.kind)
    acts = plan(case) if plan is not None else []
    return next((act for act in acts if not is_done(act.name)), None)


def is_through(case: Case, person: Person) -> bool:
    """Whether all that this case has before it was done."""
    ends = _ENDS.get(person.kind)
    return ends is None or ends(case)


def _path(case: Case) -> str:
    return f"/v1/registrations/{case['reference']}"


def _by_employer(case: Case, name: str, verb: str, body: Mapping[str, Any]) -> Act:
    return Act(name, PERSONAS[case["employer_id"]], f"{_path(case)}/{verb}", body)


def _take(case: Case) -> list[Act]:
    """Return an officer's answer to the change that waits for one."""
    officer = OFFICERS[case["employer_id"]]
    asked = [task["task_id"] for task in case["tasks"] if task["kind"] == "change"]
    return [Act(f"take/{task_id}", officer, f"/v1/tasks/{task_id}/answer", {"action": "take"}) for task_id in asked]


def _are_issued(case: Case) -> bool:
    permits = [permit["stage"] for permit in case["permits"]]
    return case["stage"] == "approved" and bool(permits) and set(permits) == {"issued"}


def _changed(case: Case) -> list[Act]:
    if case["facts_version"] == 1 and _are_issued(case):
        return [*_take(case), _by_employer(case, "change", "change", _CARD)]
    return []


def _renewed(case: Case) -> list[Act]:
    waiting = [each["number"] for each in case["renewals"] if each["stage"] == "under_review"]
    if waiting:
        body = {"action": "grant", "renewal": waiting[0]}
        return [Act("grant", OFFICERS[case["employer_id"]], f"{_path(case)}/renewal-decision", body)]
    if not case["renewals"] and _are_issued(case):
        return [_by_employer(case, "renew", "renewal", {})]
    return []


def _objected(case: Case) -> list[Act]:
    path = _path(case)
    if case["stage"] == "under_review" and any(each["state"] == "upheld" for each in case["objections"]):
        body = {"action": "approve", "round": case["round"], "reasons": []}
        return [Act("approve", OFFICERS[case["employer_id"]], f"{path}/decision", body)]
    if case["stage"] != "refused":
        return []
    if any(task["kind"] == "confirm" for task in case["tasks"]):
        body = {"action": "confirm", "round": case["round"], "reasons": []}
        return [Act("confirm/objection", "supervisor-2", f"{path}/confirmation", body)]
    for each in case["objections"]:
        body = {"objection": each["id"], "action": "uphold", "reasons": [{"code": "new_proof"}]}
        return [Act("uphold", "supervisor", f"{path}/objection-decision", body)]
    return [_by_employer(case, "object", "objection", {"against": "refusal", "grounds": _GROUNDS})]


def _terms(case: Case, destination: str) -> list[str]:
    return sorted(term["stage"] for term in case["terms"] if term["destination"] == destination)


def _asked_anew(case: Case) -> list[Act]:
    """Give one of two destinations up, and ask for it once more when the authority has ended its permit."""
    stages = {permit["destination"]: permit["stage"] for permit in case["permits"]}
    if case["stage"] != "approved" or stages.get(_KEPT) != "issued":
        return []
    acts = _take(case)
    if stages[_GIVEN_UP] == "issued" and _terms(case, _GIVEN_UP) == ["issued"]:
        acts.append(_by_employer(case, "give_up", "change", {"destinations": [_KEPT]}))
    elif stages[_GIVEN_UP] == "ended" and case["destinations"] == [_KEPT]:
        acts.append(_by_employer(case, "ask_anew", "change", {"destinations": [_KEPT, _GIVEN_UP]}))
    return acts


def _is_renewed(case: Case) -> bool:
    return all(_terms(case, permit["destination"]) == ["issued"] * TERMS for permit in case["permits"])


_PLANS: Final[Mapping[str, Callable[[Case], list[Act]]]] = {
    "changed": _changed,
    "renewed": _renewed,
    "objected": _objected,
    "asked_anew": _asked_anew,
}
_ENDS: Final[Mapping[str, Callable[[Case], bool]]] = {
    "changed": lambda case: bool(case["facts_version"] == TERMS),
    "renewed": _is_renewed,
    "asked_anew": lambda case: _terms(case, _GIVEN_UP) == ["ended", "issued"],
}


def entries_of(kind: str, destination: str) -> int:
    """Return how many list entries the authority gets of a case of this kind for a destination."""
    return TERMS if kind == "renewed" or (kind, destination) == ("asked_anew", _GIVEN_UP) else 1
