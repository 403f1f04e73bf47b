"""What an employer sends of a subscription: the kinds are those that the programmes declare."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from api.published_words import NoticeKind
from domain import webhooks
from domain.fields import refusal
from domain.words import joined
from programmes import PROGRAMMES

# What an employer may subscribe a webhook to.
WEBHOOK_KINDS: Final = frozenset(
    str(kind) for kind, plan in joined(each.words for each in PROGRAMMES.values()).notices.items() if plan.by_webhook
)


def _for_webhooks(kinds: tuple[str, ...]) -> tuple[str, ...]:
    if not set(kinds) <= WEBHOOK_KINDS:
        raise refusal("unknown_value", "One of the kinds does not go out as a webhook.")
    return webhooks.each_once(kinds)


class WebhookRequest(webhooks.WebhookRequest):
    """A subscription: the URL names it, so that the same URL again replaces its kinds; no kinds turn it off.

    A new subscription gets a key of the scheme; the key of an old one changes by its own call only.
    """

    kinds: Annotated[
        tuple[NoticeKind, ...],
        Field(
            max_length=len(WEBHOOK_KINDS), json_schema_extra={"uniqueItems": True}, examples=[["registration_approved"]]
        ),
        AfterValidator(_for_webhooks),
    ]
