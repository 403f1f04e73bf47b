"""How a case is corrected whose form says what may be given again (`Form.corrections`), for programmes to declare."""

from datetime import datetime

from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.identity import take_identity
from cases.commands import routes
from cases.commands.one_live import need_within_limit, refuse_second
from cases.decisions import amending
from cases.decisions.reported_days import need_days_past
from cases.decisions.versions import keep_version
from cases.moves.front_half import Event
from cases.programme import Body, Command, Given, effect
from cases.programme import programme as find_programme
from cases.shared.context import Context
from domain.actors import Actor
from domain.acts import Act
from domain.bodies import Corrections
from domain.documents import Document
from domain.errors import Refused
from domain.field_errors import field_errors
from domain.forms import Form, need_form
from domain.routes import Route


def correct(programme: str, form: type[Form], route: Route = routes.CORRECT) -> Command:
    """Return the command that gives parts of a form again; the rules are applied anew to the whole (R5, R5a).

    Whoever brings another person is held to the limit of the day, and told of that person's live case as at intake.

    Args:
        programme: the code of the programme.
        form: its form.
        route: how it is asked.
    """

    async def does(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
        asked, before = form.corrections.model_validate(body), need_form(file.application, form)
        amending.need_may_be_given(file, actor, at, asked.round)
        whole = _corrected(before, asked)
        need_days_past(whole, at, before)
        amending.need_amendment(file, whole)
        await take_identity(file, connection, whole, at)
        told = keep_version(file, at, whole=whole)
        await amending.take(file, connection, actor, at, before, contact_changed=told)

    async def before(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, given: Given) -> None:
        if _document_in(form, given) not in (None, file.subject.document):
            await need_within_limit(file.context, connection, actor, at)

    async def refused(context: Context, actor: Actor, given: Given, refused: Refused) -> Refused:
        document = _document_in(form, given)
        if refused.code == "live_registration_exists" and document is not None:
            return await refuse_second(context, find_programme(context, programme), actor, document)
        return refused

    return Command(
        does=does,
        route=route,
        acts=effect(Act.CORRECTED, further=(Act.ASSESSED,)),
        events=(Event.CORRECT,),
        refuses=amending.refuses,
        body=form.corrections,
        writes_by_itself=True,
        before=before,
        refused=refused,
    )


def _corrected(given: Form, asked: Corrections) -> Form:
    """Return a form with the parts that change.

    Raises:
        Refused: `invalid` where the whole does not hold together, or a field that it needs was removed.
    """
    try:
        return given.corrected(asked)
    except ValidationError as error:
        raise Refused("invalid", "The form would not hold together.", field_errors(error)) from error


def _document_in(form: type[Form], given: Given) -> Document | None:
    parts = given.model_dump(exclude_none=True) if isinstance(given, BaseModel) else given
    return form.document_in(parts)
