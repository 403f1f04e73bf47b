"""Tests of the compose file, the image and what they promise."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from domain.messages import NOTICE_QUEUE
from settings import Settings

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
BACKUP = ("backup-log", "backup", "restore")
OURS = ("migrate", "load", "api", "worker", "worker-notices", "worker-before", "versions", *BACKUP)
ONE_SHOT = {"migrate", "versions", "load", "backup", "restore", "temporal-schema", "temporal-namespace"}
# Of the embedded stack alone; production refuses each of them.
EMBEDDED = {"HETAO_CODEC_TOKEN", "HETAO_POISON_FILE", "HETAO_WEBHOOK_ALLOWED"}
SECRET = re.compile(r"PASSWORD|PWD|TOKEN|SECRET")


def _environment(service: str) -> dict[str, str]:
    environment: dict[str, str] = SERVICES[service].get("environment", {})
    return environment


def test_compose_file_follows_the_compose_specification() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")

    result = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_secret_has_no_default(service: str) -> None:
    for name, value in _environment(service).items():
        if SECRET.search(name) and value not in ("", "/run/secrets/hetao_keys"):
            assert re.search(r"\$\{[A-Z_]+(:\?[^}]+|:-)\}", value) or value in ("true", "false"), name


def test_example_environment_names_every_variable_and_gives_no_value() -> None:
    needed = set(re.findall(r"\$\{([A-Z_]+):\?", TEXT))
    others = set(re.findall(r"\$\{([A-Z_]+):[-+]", TEXT)) - needed
    example = (ROOT / ".env.example").read_text(encoding="utf-8")

    assert dict(re.findall(r"^([A-Z_]+)=(.*)$", example, re.MULTILINE)) == dict.fromkeys(needed, "")
    assert dict(re.findall(r"^# ([A-Z_]+)=(.*)$", example, re.MULTILINE)) == dict.fromkeys(others, "")


def test_every_setting_can_be_given_to_compose() -> None:
    known = {f"HETAO_{name.upper()}" for name in Settings.model_fields} - EMBEDDED
    of_the_image = {"HETAO_API_HOST", "HETAO_API_PORT"}
    # Compose has a Temporal of its own, which asks for none.
    of_another_temporal = {"HETAO_TEMPORAL_API_KEY_FILE"}

    assert set().union(*(_environment(service) for service in OURS)) >= known - of_the_image - of_another_temporal


def test_the_workers_of_before_are_asked_for_and_new_work_is_sent_once_the_new_ones_are_there() -> None:
    before = {key: value for key, value in SERVICES["worker"].items() if key not in ("image", "build")}

    assert SERVICES["worker-before"]["profiles"] == ["before"]
    assert {key: SERVICES["worker-before"][key] for key in before} == before
    assert "build" not in SERVICES["worker-before"]
    assert SERVICES["worker-before"]["image"] != SERVICES["worker"]["image"]
    assert SERVICES["versions"]["depends_on"] == {"worker": {"condition": "service_healthy"}}
    # One that nothing waits for would count as a service that ended, and `up --wait` as failed.
    assert "versions" in SERVICES["temporal-ui"]["depends_on"]


def test_mail_goes_to_the_sink_only_where_somebody_says_so() -> None:
    assert SERVICES["mail"]["profiles"] == ["sink"]
    assert _environment("worker")["HETAO_SMTP_HOST"].startswith("${HETAO_SMTP_HOST:?")


@pytest.mark.parametrize("service", sorted(set(SERVICES) - ONE_SHOT - {"temporal-ui"}))
def test_a_service_says_when_it_is_healthy(service: str) -> None:
    assert SERVICES[service]["healthcheck"]["test"]


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_an_image_names_its_version(service: str) -> None:
    _, _, version = SERVICES[service]["image"].partition(":")

    assert version
    assert "latest" not in version
    assert "auto-setup" not in SERVICES[service]["image"]


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_published_port_is_open_to_this_host_only(service: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[service].get("ports", []))


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_service_waits_for_services_that_exist(service: str) -> None:
    for name, condition in SERVICES[service].get("depends_on", {}).items():
        expected = "service_completed_successfully" if name in ONE_SHOT else "service_healthy"
        assert condition == {"condition": expected}
        assert name in SERVICES


@pytest.mark.parametrize("service", OURS)
def test_our_containers_have_no_rights_they_do_not_need(service: str) -> None:
    assert SERVICES[service]["read_only"] is True
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    assert SERVICES[service]["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("service", OURS)
def test_compose_knows_only_settings_that_exist(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name for name in _environment(service) if name.startswith("HETAO_")}
    known = {f"HETAO_{name.upper()}" for name in Settings.model_fields}

    assert given <= known
    for name, value in _environment(service).items():
        monkeypatch.setenv(name, _filled(value))
    assert Settings().env == "production"


@pytest.mark.parametrize("service", OURS)
def test_only_the_migration_knows_the_owner(service: str) -> None:
    assert ("HETAO_OWNER_DATABASE_URL" in _environment(service)) == (service == "migrate")


@pytest.mark.parametrize("service", OURS)
def test_only_the_worker_knows_the_sealer(service: str) -> None:
    assert ("HETAO_SEALER_DATABASE_URL" in _environment(service)) == (service in ("worker", "worker-before"))


def test_workers_for_notices_alone_are_asked_for_and_serve_the_queue_of_notices() -> None:
    of_notices = SERVICES["worker-notices"]

    assert of_notices["profiles"] == ["notices"]
    assert of_notices["command"] == ["worker", "--queue", NOTICE_QUEUE]


@pytest.mark.parametrize("path", re.findall(r"- \./([^:\s]+):", TEXT))
def test_a_mounted_file_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_image_runs_as_an_unprivileged_user_and_says_when_it_is_healthy() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001", "USER 0:0", "USER 10001:10001"]
    assert any(line.startswith("HEALTHCHECK ") for line in lines)
    # The last is what is made untold.
    stages = [line.partition(" AS ")[2] for line in lines if line.startswith("FROM ")]
    assert stages == ["build", "base", "backup", "run"]
    assert {SERVICES[service]["build"]["target"] for service in OURS if service != "worker-before"} == {"run", "backup"}
    assert {service for service in SERVICES if SERVICES[service].get("build", {}).get("target") == "backup"} == {
        *BACKUP
    }


@pytest.mark.parametrize("script", sorted((ROOT / "deploy").glob("*/*.sh")), ids=lambda path: path.name)
def test_a_deployment_script_is_valid_shell(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True)


def test_the_proxy_of_the_example_asks_for_readiness_and_believes_no_caller_of_its_address() -> None:
    lines = [line.strip() for line in (ROOT / "deploy/proxy/haproxy.cfg").read_text(encoding="utf-8").splitlines()]

    assert "http-check send meth GET uri /health/ready ver HTTP/1.1 hdr Host permits" in lines
    # Dropped before its own is added, which the API believes (HETAO_PROXIES).
    assert lines.index("http-request del-header X-Forwarded-For") < lines.index("option forwardfor")
    # A call that a copy may have taken is not made again by the proxy: its caller has the Idempotency-Key.
    assert "retry-on conn-failure" in lines


def _filled(value: str) -> str:
    """Put in what a person would, in place of each variable."""
    made = {"URL": "https://example.test", "ISSUER": "https://id.example.test", "SECRETS": "whsec_b25l"}

    def fill(match: re.Match[str]) -> str:
        name, _, default = match[1].partition(":")
        if default.startswith(("-", "+")):
            return default[1:]
        return next((text for ending, text in made.items() if name.endswith(ending)), "filled-in")

    return re.sub(r"\$\{([^}]+)\}", fill, value)


def test_the_web_ui_shows_an_operators_token_to_the_codec_and_there_is_no_token_in_a_path() -> None:
    told = _environment("temporal-ui")

    assert told["TEMPORAL_AUTH_ENABLED"] == told["TEMPORAL_CODEC_PASS_ACCESS_TOKEN"] == "true"
    assert told["TEMPORAL_CODEC_ENDPOINT"].endswith("}/codec")
    assert "CODEC_TOKEN" not in TEXT
