"""Which kinds an employer may subscribe a webhook to."""

import pytest
from pydantic import ValidationError

from api.webhook_bodies import WebhookRequest


@pytest.mark.parametrize(
    "kinds", [["due_soon"], ["registration_approved", "registration_approved"], ["nothing"], "registration_approved"]
)
def test_only_kinds_that_go_out_as_webhooks_once_each(kinds: object) -> None:
    with pytest.raises(ValidationError):
        WebhookRequest.model_validate({"url": "https://example.com", "kinds": kinds})
