"""What a change asks that waits for an officer, as its task keeps it: sealed, with who asked for each field, and when.

The fields, what each is to be, and what is said to prove it are sealed as two wholes; a change of the person's identity
number seals them again (`cases.case.identity`).
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from cases.case.file import CaseFile
from cases.case.view import shown_at
from domain.actors import Actor
from domain.changes import HAPPENED_ON, PROOF
from domain.tasks import TaskKind
from store.rows.work import TaskRow

_ASKED: Final = "asked"


def waiting(file: CaseFile) -> frozenset[str]:
    """Return the fields whose change waits for an officer."""
    task = file.find_task(TaskKind.CHANGE)
    return frozenset() if task is None else frozenset(task.detail.get("fields", ()))


def wanted_by(file: CaseFile, task: TaskRow) -> dict[str, Any]:
    """Return what an open task asks to have changed, by field."""
    if "change" not in task.detail:
        return {}
    wanted: dict[str, Any] = file.open("tasks", "detail", _place(file), bytes.fromhex(task.detail["change"]))
    return wanted


def proofs_of(file: CaseFile, task: TaskRow) -> dict[str, Any]:
    """Return what is said to prove what an open task asks, by field."""
    if PROOF not in task.detail:
        return {}
    proofs: dict[str, Any] = file.open("tasks", "detail", _place_of_proof(file), bytes.fromhex(task.detail[PROOF]))
    return proofs


def asker_of(task: TaskRow, field: str) -> str:
    """Return the role of who asked for a field; a task of before tells of one who asked for all."""
    asked = task.detail.get(_ASKED, {})
    return str(asked[field]["role"] if field in asked else task.detail["by"]["role"])


def asked_at(task: TaskRow, field: str) -> datetime:
    """Return when a field was asked for."""
    asked = task.detail.get(_ASKED, {})
    return shown_at(datetime.fromisoformat(asked[field]["at"]) if field in asked else task.opened_at)


def happened_on(task: TaskRow, field: str) -> date | None:
    """Return the day on which a field is said to have changed."""
    said = task.detail.get(_ASKED, {}).get(field, {}).get(HAPPENED_ON)
    return None if said is None else date.fromisoformat(said)


def keep(
    file: CaseFile,
    task: TaskRow,
    asked: Mapping[str, Any],
    proof: Mapping[str, Any] | None,
    happened: date | None,
    actor: Actor,
    at: datetime,
) -> None:
    """Keep what is asked with the task, in the place of what it asked of the same fields."""
    proofs = {name: each for name, each in proofs_of(file, task).items() if name not in asked}
    if proof is not None:
        proofs |= {name: dict(proof) for name in asked}
    said = {"role": actor.role.value, "at": at.isoformat()}
    if happened is not None:
        said[HAPPENED_ON] = happened.isoformat()
    by = {name: dict(said) for name in asked}
    _set(file, task, {**wanted_by(file, task), **asked}, proofs, task.detail.get(_ASKED, {}) | by)


def keep_rest(file: CaseFile, task: TaskRow, rest: Iterable[str]) -> None:
    """Keep with the task what is not answered yet."""
    left = set(rest)
    _set(
        file,
        task,
        {name: each for name, each in wanted_by(file, task).items() if name in left},
        {name: each for name, each in proofs_of(file, task).items() if name in left},
        {name: each for name, each in task.detail.get(_ASKED, {}).items() if name in left},
    )


def _set(
    file: CaseFile, task: TaskRow, wanted: Mapping[str, Any], proofs: Mapping[str, Any], asked: Mapping[str, Any]
) -> None:
    detail: dict[str, Any] = {
        "fields": sorted(wanted),
        "change": file.seal("tasks", "detail", _place(file), wanted).hex(),
        _ASKED: dict(asked),
    }
    if "by" in task.detail:  # one of before tells of all that it asks at once who asked it
        detail["by"] = task.detail["by"]
    if proofs:
        detail[PROOF] = file.seal("tasks", "detail", _place_of_proof(file), proofs).hex()
    file.change_task(task, detail=detail)


def _place(file: CaseFile) -> str:
    return f"{file.reference}/change"


def _place_of_proof(file: CaseFile) -> str:
    return f"{file.reference}/change/proof"
