"""The change of a case that waits for an officer, as it is shown to whoever takes or declines it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import facts as case_facts
from cases.case.change_views import ChangeAskedForView, FieldAskedView
from cases.case.corrected import value_of
from cases.case.file import CaseFile
from cases.case.view import shown_at
from cases.decisions import changes_kept, changes_weighed
from cases.programme import Changing, programme_of
from domain.actors import Role
from domain.clock import day_of
from domain.tasks import TaskKind
from store.rows.work import TaskRow


async def shown(file: CaseFile, connection: AsyncConnection, at: datetime) -> ChangeAskedForView | None:
    """Return the change that waits for an officer, with what the rules that look at it find now and would find."""
    task, changing = file.find_task(TaskKind.CHANGE), programme_of(file).changing
    if task is None or changing is None:
        return None
    wanted, proofs = changes_kept.wanted_by(file, task), changes_kept.proofs_of(file, task)
    known, whole = case_facts.known(file), changing.merged(file.application, wanted)
    by = await changes_weighed.by_of(file, connection, at)
    return ChangeAskedForView(
        reference=file.reference,
        task_id=task.task_id,
        round=file.round,
        due_at=shown_at(task.due_at) if task.due_at else None,
        rule_version=by.pack.version,
        fields=tuple(
            FieldAskedView(
                field=name,
                known=value_of(known, name),
                wanted=wanted[name],
                asked_by=Role(changes_kept.asker_of(task, name)),
                asked_at=changes_kept.asked_at(task, name),
                happened_on=changes_kept.happened_on(task, name),
                late=_is_late(file, changing, task, name),
                proof=proofs.get(name),
            )
            for name in sorted(wanted)
        ),
        rules=tuple(await changes_weighed.rules_on(file, connection, at, changing, whole, set(wanted))),
    )


def _is_late(file: CaseFile, changing: Changing, task: TaskRow, field: str) -> bool:
    happened = changes_kept.happened_on(task, field)
    if happened is None or changing.report_days is None:
        return False
    days = file.calendar.working_days_between(happened, day_of(changes_kept.asked_at(task, field)))
    return days > changing.report_days(file)
