"""Stories and receipts as the API tells them."""

from typing import Any

import orjson

from cases.shared.context import Context
from cases.shared.views import document
from domain.actors import Actor
from record.receipts import issue_receipts
from record.story import tell_story
from temporal.histories import Histories


async def story_of(
    context: Context, histories: Histories, actor: Actor, reference: str, **asked: Any
) -> tuple[dict[str, Any], int | None]:
    """Return a page of the story of a case as JSON shows it, and the place of the next page."""
    story, more = await tell_story(context, histories, actor, reference, **asked)
    shown: dict[str, Any] = orjson.loads(orjson.dumps(document(story)))
    return shown, more


async def receipts_of(context: Context, actor: Actor, reference: str) -> dict[str, Any]:
    """Return the receipts of a case as JSON shows them."""
    shown: dict[str, Any] = document(await issue_receipts(context, actor, reference))
    return shown
