"""The settings of an installation with an empty register, for commands that are run in the test's own process."""

from pathlib import Path

import pytest

from store.key_file import generate, make_key_file
from tests.api.conftest import settings_for_tests


def tell_settings(monkeypatch: pytest.MonkeyPatch, database_url: str, keys: Path) -> None:
    """Make a key file, and put the settings into the environment."""
    make_key_file(keys, generate())
    settings = settings_for_tests(database_url).model_copy(update={"keys_file": keys})
    for name in ("database_url", "keys_file", "oidc_issuer", "oidc_jwks_url", "public_url", "authority_url",
                 "smtp_host", "mail_from", "sms_url"):  # fmt: skip
        monkeypatch.setenv(f"HETAO_{name.upper()}", str(getattr(settings, name)))
    for name in ("AUTHORITY_TOKEN", "AUTHORITY_CALLBACK_SECRETS", "SMS_TOKEN", "RECEIPTS_SECRETS"):
        monkeypatch.setenv(f"HETAO_{name}", "whsec_YQ==")
