"""Tests of `settings`."""

from pathlib import Path

import pytest
from pydantic import ValidationError

import worker
from domain.errors import SettingError
from domain.messages import NOTICE_QUEUE, QUEUES, REGISTRATION_QUEUE
from settings import Settings

LEAST = {
    "HETAO_DATABASE_URL": "postgresql://hetao_app:x@127.0.0.1:5432/hetao",
    "HETAO_KEYS_FILE": "/run/secrets/keys.json",
    "HETAO_OIDC_ISSUER": "https://id.example",
    "HETAO_OIDC_JWKS_URL": "https://id.example/jwks",
    "HETAO_PUBLIC_URL": "https://permits.example",
    "HETAO_AUTHORITY_URL": "https://authority.example",
    "HETAO_AUTHORITY_TOKEN": "token-of-the-authority",
    "HETAO_AUTHORITY_CALLBACK_SECRETS": "whsec_b25l, whpk_dHdv",
    "HETAO_SMTP_HOST": "mail.example",
    "HETAO_MAIL_FROM": "permits@hetao.example",
    "HETAO_SMS_URL": "https://sms.example/sms",
    "HETAO_SMS_TOKEN": "token-of-the-gateway",
    "HETAO_RECEIPTS_SECRETS": "whsec_b25l",
}


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in LEAST.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("surroundings")
def test_a_worker_that_may_not_seal_does_not_start_and_says_what_it_needs() -> None:
    with pytest.raises(SystemExit, match="HETAO_SEALER_DATABASE_URL"):
        worker.main()


def test_a_worker_serves_all_queues_unless_told_and_no_queue_that_is_none_of_ours(
    surroundings: pytest.MonkeyPatch,
) -> None:
    assert Settings().worker_queues == list(QUEUES)
    surroundings.setenv("HETAO_WORKER_QUEUES", " notices ,")
    assert Settings().worker_queues == [NOTICE_QUEUE]
    for wrong in ("cases", "notices,cases"):
        surroundings.setenv("HETAO_WORKER_QUEUES", wrong)
        with pytest.raises(ValidationError):
            Settings()


def test_a_worker_of_notices_alone_needs_no_sealer_and_goes_on_to_temporal(
    surroundings: pytest.MonkeyPatch,
) -> None:
    surroundings.delenv("TEMPORAL_ADDRESS", raising=False)
    surroundings.setenv("TEMPORAL_CONFIG_FILE", "/dev/null")
    for name in ("configure_logging", "configure_tracing"):
        surroundings.setattr(worker, name, lambda *_: None)
    with pytest.raises(SettingError, match="TEMPORAL_ADDRESS"):
        worker.main([NOTICE_QUEUE])
    with pytest.raises(SystemExit, match="HETAO_SEALER_DATABASE_URL"):
        worker.main([REGISTRATION_QUEUE])
    with pytest.raises(ValidationError, match="worker_queues"):
        worker.main(["cases"])


@pytest.mark.usefixtures("surroundings")
def test_least_settings_are_production_settings() -> None:
    settings = Settings()

    assert settings.env == "production"
    assert settings.keys_file == Path("/run/secrets/keys.json")
    assert [secret.get_secret_value() for secret in settings.authority_callback_secrets] == ["whsec_b25l", "whpk_dHdv"]
    assert settings.webhook_allowed == []


@pytest.mark.usefixtures("surroundings")
def test_secrets_do_not_show_when_settings_are_printed() -> None:
    shown = repr(Settings())

    assert "token-of" not in shown
    assert "b25l" not in shown


@pytest.mark.parametrize("name", sorted(LEAST))
def test_a_missing_setting_is_refused(surroundings: pytest.MonkeyPatch, name: str) -> None:
    surroundings.delenv(name)

    with pytest.raises(ValidationError):
        Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HETAO_ENV", "development"),
        ("HETAO_DATABASE_URL", "sqlite:///hetao.db"),
        ("HETAO_API_PORT", "65536"),
        ("HETAO_PUBLIC_URL", "permits.example"),
        ("HETAO_AUTHORITY_CALLBACK_SECRETS", " , "),
        ("HETAO_WEBHOOK_ALLOWED", "127.0.0.1"),
        ("HETAO_WEBHOOK_ALLOWED", "127.0.0.1:9000"),
        ("HETAO_SMTP_USERNAME", "only-a-name"),
        ("HETAO_CODEC_TOKEN", "without-an-origin"),
        ("HETAO_PARAMETERS", "../etc/passwd"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(surroundings: pytest.MonkeyPatch, name: str, value: str) -> None:
    surroundings.setenv(name, value)

    with pytest.raises(ValidationError):
        Settings()


def test_private_webhook_addresses_may_be_allowed_in_the_embedded_run(surroundings: pytest.MonkeyPatch) -> None:
    surroundings.setenv("HETAO_ENV", "embedded")
    surroundings.setenv("HETAO_WEBHOOK_ALLOWED", "127.0.0.1:9000,[::1]:9000")

    assert Settings().webhook_allowed == ["127.0.0.1:9000", "[::1]:9000"]


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_path_token_of_the_codec_is_refused_in_production(surroundings: pytest.MonkeyPatch) -> None:
    surroundings.setenv("HETAO_CODEC_TOKEN", "token")
    surroundings.setenv("HETAO_TEMPORAL_UI_ORIGIN", "https://ui.example")

    with pytest.raises(ValidationError, match="the web UI shows a token"):
        Settings()
    surroundings.setenv("HETAO_ENV", "embedded")
    assert Settings().codec_token is not None


def test_cases_are_not_poisoned_in_production(surroundings: pytest.MonkeyPatch) -> None:
    surroundings.setenv("HETAO_POISON_FILE", "/tmp/poisoned.txt")

    with pytest.raises(ValidationError, match="makes cases fail on purpose"):
        Settings()


def test_proxies_are_addresses_and_networks(surroundings: pytest.MonkeyPatch) -> None:
    surroundings.setenv("HETAO_PROXIES", "192.0.2.7, 2001:db8::/32")

    assert Settings().proxies == ["192.0.2.7/32", "2001:db8::/32"]


@pytest.mark.parametrize("value", ["*", "0.0.0.0/0", "::/0", "proxy.example", "192.0.2.7/24"])
def test_a_proxy_that_is_everybody_or_no_address_is_refused(surroundings: pytest.MonkeyPatch, value: str) -> None:
    surroundings.setenv("HETAO_PROXIES", value)

    with pytest.raises(ValidationError):
        Settings()
