"""The embedded stack: which processes it has, what each is told, and when it is ready."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from sandbox.stack.directory import Stack, lock, open_stack
from sandbox.stack.postgres import OWNER, SEALER, PostgresServer
from sandbox.stack.supervisor import Child, Step, Supervisor, Task
from sandbox.stack.temporal_server import NAMESPACE, TemporalServer, environment
from sandbox.standins.issuer import AUDIENCE, KIND_CLAIM, NUMBER_CLAIM

# What a caller's environment may change in the embedded run.
PASSED_ON: Final = (
    "HETAO_LOG_LEVEL",
    "HETAO_PARAMETERS",
    "HETAO_POLICY_DIR",
    "HETAO_LOG_ORIGIN",
    "HETAO_WITNESS_KEYS",
    "HETAO_TIMESTAMP_URL",
)
PROBE_SECONDS: Final = 2.0
WORKER_STOP_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Ours:
    """What the sandbox cannot know by itself: the commands and names of the layers above and beside it."""

    make_keys: Callable[[], Mapping[str, Any]]
    commands: Mapping[str, Sequence[str]]
    tasks: Sequence[tuple[str, Sequence[str]]] = ()
    search_attributes: Mapping[str, str] = field(default_factory=dict)
    codec_path: str = "/codec"
    console_path: str = "/"


def up(
    directory: Path,
    *,
    port: int | None,
    ours: Ours,
    say: Callable[[str], None],
    on_ready: Callable[[dict[str, str]], None],
    only_servers: bool = False,
) -> int:
    """Run the embedded stack of a directory until a signal ends it; 0 after a signal, 1 when it had to give up.

    With `only_servers` it is PostgreSQL and Temporal alone, for what comes between a restore and the start of all else.
    """
    directory = directory.resolve()
    with lock(directory):
        stack = open_stack(directory, port=port, make_keys=ours.make_keys, say=say)
        phases = servers_alone(stack, ours) if only_servers else plan(stack, ours)
        supervisor = Supervisor(phases, stack.logs, say, stack.record_process)
        return asyncio.run(supervisor.run(lambda: on_ready(addresses(stack, ours))))


def addresses(stack: Stack, ours: Ours) -> dict[str, str]:
    """Return what the ready line says (design, section 9)."""
    return {
        "event": "ready",
        "console": stack.url("api") + ours.console_path,
        "api": stack.url("api"),
        "temporal_ui": stack.url("temporal_ui"),
        "temporal_address": stack.temporal_address,
        "database_url": _postgres(stack).url(),
        "mail": stack.url("mail"),
    }


def plan(stack: Stack, ours: Ours) -> list[list[Step]]:
    """Return the phases of the start: what is outside, then the schema, then what is ours."""
    postgres = _postgres(stack)
    told = application_environment(stack)
    owner = told | {"HETAO_OWNER_DATABASE_URL": postgres.url(role=OWNER)}
    outside: list[Step] = [_postgres_child(postgres), _temporal_child(stack, ours), *_stand_ins(stack)]
    tasks: list[list[Step]] = [[Task(name, command, owner)] for name, command in ours.tasks]
    ports = {"api": "api", "worker": "worker_metrics"}
    further = {"worker": sealer_environment(stack)}
    children: list[Step] = [
        Child(
            name,
            command,
            environment=told | further.get(name, {}),
            ready=_answers(stack.url(ports[name]) + "/health/ready"),
            stop_seconds=WORKER_STOP_SECONDS,
        )
        for name, command in ours.commands.items()
    ]
    return [outside, [postgres.create_roles], *tasks, children]


def servers_alone(stack: Stack, ours: Ours) -> list[list[Step]]:
    """Return the phases of a start of PostgreSQL and Temporal alone."""
    postgres = _postgres(stack)
    return [[_postgres_child(postgres), _temporal_child(stack, ours)], [postgres.create_roles]]


def application_environment(stack: Stack) -> dict[str, str]:
    """Return the environment of API, worker and the commands that work on the register."""
    secrets = stack.secrets
    mail_host = f"127.0.0.1:{stack.ports['mail']}"
    allowed = [mail_host, *filter(None, [os.environ.get("HETAO_WEBHOOK_ALLOWED")])]
    return _inherited() | {
        "HETAO_ENV": "embedded",
        "HETAO_DATABASE_URL": _postgres(stack).url(),
        "HETAO_KEYS_FILE": str(stack.directory / "keys.json"),
        "HETAO_OIDC_ISSUER": stack.url("issuer"),
        "HETAO_OIDC_AUDIENCE": AUDIENCE,
        "HETAO_OIDC_JWKS_URL": stack.url("issuer") + "/jwks",
        "HETAO_OIDC_DOCUMENT_KIND_CLAIM": KIND_CLAIM,
        "HETAO_OIDC_DOCUMENT_NUMBER_CLAIM": NUMBER_CLAIM,
        "HETAO_PUBLIC_URL": stack.url("api"),
        "HETAO_API_HOST": "127.0.0.1",
        "HETAO_API_PORT": str(stack.ports["api"]),
        "HETAO_API_METRICS_PORT": str(stack.ports["api_metrics"]),
        "HETAO_WORKER_METRICS_PORT": str(stack.ports["worker_metrics"]),
        "HETAO_AUTHORITY_URL": stack.url("authority"),
        "HETAO_AUTHORITY_TOKEN": secrets["authority_token"],
        "HETAO_AUTHORITY_CALLBACK_SECRETS": secrets["callback_secret"],
        "HETAO_SMTP_HOST": "127.0.0.1",
        "HETAO_SMTP_PORT": str(stack.ports["smtp"]),
        "HETAO_SMTP_STARTTLS": "false",
        "HETAO_MAIL_FROM": "notices@hetao.example",
        "HETAO_STAFF_MAILBOX": "staff@hetao.example",
        "HETAO_SMS_URL": stack.url("mail") + "/sms",
        "HETAO_SMS_TOKEN": secrets["sms_token"],
        "HETAO_RECEIPTS_SECRETS": secrets["receipts_secret"],
        "HETAO_WEBHOOK_ALLOWED": ",".join(allowed),
        "HETAO_PARAMETERS": os.environ.get("HETAO_PARAMETERS", "embedded"),
        "HETAO_CODEC_TOKEN": secrets["codec_token"],
        "HETAO_POISON_FILE": str(stack.directory / "poisoned.txt"),
        "HETAO_TEMPORAL_UI_ORIGIN": stack.url("temporal_ui"),
        "TEMPORAL_ADDRESS": stack.temporal_address,
        "TEMPORAL_NAMESPACE": NAMESPACE,
        "TEMPORAL_CONFIG_FILE": os.devnull,
    }


def sealer_environment(stack: Stack) -> dict[str, str]:
    """Return what the worker alone is told: PostgreSQL as the one who may add leaves to the seal."""
    return {"HETAO_SEALER_DATABASE_URL": _postgres(stack).url(role=SEALER)}


def _postgres(stack: Stack) -> PostgresServer:
    return PostgresServer(stack.directory / "postgres", stack.ports["postgres"])


def _postgres_child(server: PostgresServer) -> Child:
    async def ready(pid: int) -> bool:
        return server.is_ready(pid)

    return Child(
        "postgres",
        # The directory of the command is absolute, so it may be built before the cluster is.
        server.command(),
        environment=server.environment(),
        ready=ready,
        prepare=server.prepare,
        setup=server.child_setup,
        stop_signal=signal.SIGINT,
    )


def _temporal_child(stack: Stack, ours: Ours) -> Child:
    codec = f"{stack.url('api')}{ours.codec_path}/{stack.secrets['codec_token']}"
    server = TemporalServer(
        stack.directory / "temporal",
        stack.ports["temporal"],
        stack.ports["temporal_ui"],
        search_attributes=ours.search_attributes,
        codec_endpoint=codec,
    )

    async def ready(_pid: int) -> bool:
        return await asyncio.to_thread(server.set_retention)

    return Child("temporal", server.command(), environment=environment(), ready=ready, prepare=server.prepare)


def _stand_ins(stack: Stack) -> list[Step]:
    secrets = stack.secrets
    told = _inherited() | {
        "HETAO_ENV": "embedded",
        "SANDBOX_API_URL": stack.url("api"),
        "SANDBOX_AUTHORITY_TOKEN": secrets["authority_token"],
        "SANDBOX_CALLBACK_SECRET": secrets["callback_secret"],
        "SANDBOX_SMS_TOKEN": secrets["sms_token"],
        "SANDBOX_RECEIPTS_SECRET": secrets["receipts_secret"],
    }
    further = {"mail": ["--smtp-port", str(stack.ports["smtp"])]}
    probes = {"issuer": "/jwks", "authority": "/sandbox/mood", "mail": "/sandbox/mood"}
    return [
        Child(
            name,
            [
                *[sys.executable, "-P", "-m", f"sandbox.standins.{name}", "--dir", str(stack.directory / "sandbox")],
                *["--port", str(stack.ports[name]), *further.get(name, [])],
            ],
            environment=told,
            ready=_answers(stack.url(name) + probe),
        )
        for name, probe in probes.items()
    ]


def _answers(url: str) -> Callable[[int], Awaitable[bool]]:
    async def ready(_pid: int) -> bool:
        async with httpx.AsyncClient(timeout=PROBE_SECONDS, trust_env=False) as client:
            try:
                return (await client.get(url)).is_success
            except httpx.HTTPError:
                return False

    return ready


def _inherited() -> dict[str, str]:
    """The caller's environment without settings that point elsewhere."""
    ours = ("HETAO_", "TEMPORAL_", "SANDBOX_", "PG")
    return {name: value for name, value in os.environ.items() if name in PASSED_ON or not name.startswith(ours)}
