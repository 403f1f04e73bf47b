"""The command `hetao doctor`: looks at an installation and says of each part how it stands and what to do."""

import importlib
import json
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer

from cli import edge
from cli.policy import settings_of
from domain.checkups import Health, Line, fail, ok, warn

if TYPE_CHECKING:
    from cases.shared.context import Context
    from settings import Settings

_SECONDS: Final = 10.0
_FAILED: Final = 1
_MARKS: Final = {Health.OK: "ok  ", Health.WARN: "warn", Health.FAIL: "FAIL"}
_PORTS: Final = {"http": 80, "https": 443}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one object and nothing else.")] = False,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Directory of an embedded stack.")] = None,
) -> None:
    """Look at settings, keys, PostgreSQL, Temporal, what is loaded and what is outside; ends with 1 where a line fails.

    Nothing is changed but the mark by which PostgreSQL shows that it takes a write.
    """
    import asyncio

    lines = asyncio.run(_look(data_dir))
    failed = [line for line in lines if line.health is Health.FAIL]
    if as_json:
        shown = [{"name": e.name, "health": e.health, "says": e.says, "to_do": e.to_do or None} for e in lines]
        print(json.dumps({"healthy": not failed, "lines": shown}, ensure_ascii=False, indent=1))
    else:
        for line in lines:
            print(f"{_MARKS[line.health]}  {line.name}: {line.says}")
            if line.to_do:
                print(f"      -> {line.to_do}")
        warned = sum(line.health is Health.WARN for line in lines)
        print(f"{len(lines)} looked at, {len(failed)} failed, {warned} to look at.")
    raise typer.Exit(_FAILED if failed else 0)


async def _look(data_dir: Path | None) -> list[Line]:
    """Return all lines; one look that breaks is a line of its own, and all others go on."""
    import asyncio
    import logging

    from pydantic import ValidationError

    # What a driver logs of an address that does not answer is said by the line.
    logging.disable(logging.CRITICAL)
    try:
        settings = settings_of(data_dir)
    except ValidationError as error:
        to_do = "set it as docs/operations.md says; nothing else was looked at"
        return [fail("settings", each, to_do) for each in edge.settings_lines(error)]
    files = _files(settings)
    _load()
    looks: list[tuple[str, Awaitable[list[Line]]]] = [("PostgreSQL", _postgres(settings))]
    if not any(line.health is Health.FAIL for line in files):
        looks += [("register", _register(_context(settings))), ("Temporal", _temporal(settings))]
        looks += [("keys", _keys(settings))]
    looks += [(name, _reach(name, host, port, why)) for name, host, port, why in _outside(settings)]
    found = await asyncio.gather(*(_guarded(name, look) for name, look in looks))
    return [ok("settings", f"read; HETAO_ENV is {settings.env}"), *files, *(line for part in found for line in part)]


def _load() -> None:
    """Load what the looks work with: later it would hold up the loop, and answers in time would seem to be late."""
    schedules = ("archive", "authority_poll", "notification", "reconciliation", "retention", "seal_check")
    looks = ("cases.shared.build", "cases.health.register_check", "store.roles_check", "temporal.check")
    for name in (*looks, *(f"workflows.{each}" for each in schedules)):
        importlib.import_module(name)


async def _guarded(name: str, look: Awaitable[list[Line]]) -> list[Line]:
    try:
        return await look
    except Exception as error:  # noqa: BLE001 - a look that breaks hides no other; its message may hold an address
        if edge.lacks_schema(error):
            return [warn(name, "the database lacks tables of this version", "run `hetao migrate`, which makes them")]
        to_do = "look at the lines above first; where they are well, it is a defect of ours"
        return [fail(name, f"the look itself broke ({type(error).__name__})", to_do)]


def _files(settings: "Settings") -> list[Line]:
    """Return the key file, the secrets, and the packs of rules and limits."""
    return [_key_file(settings.keys_file), *_secrets(settings), *_packs(settings)]


def _key_file(path: Path) -> Line:
    from store.keyring import Keyring

    try:
        Keyring.load(path)
    except ValueError as error:
        said = str(error).removeprefix("key file: ")
        return fail("key file", said, 'mend it as docs/operations.md, "Keys", says')
    return ok("key file", "every key parses, and others cannot read it")


async def _keys(settings: "Settings") -> list[Line]:
    """Return how the key file stands beside what the database and the other processes know (`hetao keys check`)."""
    from cases.keys.check import check_key_file
    from store.database import Database

    database = Database(settings.database_url, pool_size=1, application="doctor")
    try:
        findings = await check_key_file(settings, database)
    finally:
        await database.close()
    to_do = "`hetao keys check` shows each key, and `hetao keys rotate` the next step"
    lines = [(fail if each.refuses else warn)("keys", each.words, to_do) for each in findings]
    return lines or [ok("keys", "the file agrees with the database and with every process that runs")]


def _secrets(settings: "Settings") -> Iterator[Line]:
    """Yield each list of secrets; one that cannot be read is named by its place, never by its value."""
    from proof.checkpoints import parse_verifier_key

    lists = {
        "HETAO_AUTHORITY_CALLBACK_SECRETS": settings.authority_callback_secrets,
        "HETAO_RECEIPTS_SECRETS": settings.receipts_secrets,
    }
    for name, values in lists.items():
        wrong = [place for place, each in enumerate(values, 1) if not _parses(each.get_secret_value())]
        yield _parsed(name, len(values), wrong, 'a secret is `whsec_…` or `whpk_…` (docs/operations.md, "Keys")')
    wrong = []
    for place, key in enumerate(settings.witness_keys, 1):
        try:
            parse_verifier_key(key)
        except Exception:  # noqa: BLE001 - whatever is wrong with it
            wrong.append(place)
    yield _parsed("HETAO_WITNESS_KEYS", len(settings.witness_keys), wrong, "`hetao witness keygen` makes one")


def _parsed(name: str, count: int, wrong: list[int], to_do: str) -> Line:
    if not wrong:
        return ok(name, f"{count} set, each parses")
    return fail(name, f"number {', '.join(map(str, wrong))} of {count} cannot be read", f"mend it: {to_do}")


def _parses(key: str) -> bool:
    """Whether a key of webhooks can check a signature: a malformed one fails otherwise than by refusing."""
    from datetime import UTC, datetime

    from domain.errors import Refused
    from proof import webhooks

    now = datetime.now(UTC)
    told = {
        webhooks.ID: "doctor",
        webhooks.TIMESTAMP: str(int(now.timestamp())),
        webhooks.SIGNATURE: "v1,AA== v1a," + "A" * 86 + "==",
    }
    try:
        webhooks.verify(told, b"", [key], now)
    except Refused:
        return True
    except Exception:  # noqa: BLE001 - whatever is wrong with it
        return False
    return True


def _packs(settings: "Settings") -> Iterator[Line]:
    from cases.shared.build import load_packs
    from programmes import PROGRAMMES

    try:
        files = load_packs(settings, PROGRAMMES)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a file that somebody wrote
        yield fail("rules and limits", f"cannot be read ({type(error).__name__})", "mend HETAO_POLICY_DIR or its files")
        return
    yield ok("rules and limits", f"{len(files.packs)} rule packs, limits `{settings.parameters}`")


async def _postgres(settings: "Settings") -> list[Line]:
    import asyncio

    from programmes import PROGRAMMES  # noqa: F401 - its tables stand among them
    from store import roles_check
    from store.cluster import SEALER
    from store.tables import tenant_tables

    lines = await roles_check.look_at_role("HETAO_DATABASE_URL", settings.database_url, roles_check.APPLICATION)
    others = []
    for setting, url, role, who in (
        ("HETAO_SEALER_DATABASE_URL", settings.sealer_database_url, SEALER, "the workers need it"),
        ("HETAO_OWNER_DATABASE_URL", settings.owner_database_url, roles_check.OWNER, "only `hetao migrate` needs it"),
    ):
        if url is None:
            lines.append(ok(f"PostgreSQL as {role}", f"{setting} is not set here; {who}"))
        else:
            others.append(roles_check.look_at_role(setting, url, role))
    for part in await asyncio.gather(*others, roles_check.look_at_schema(settings.database_url, list(tenant_tables()))):
        lines += part
    return lines


def _context(settings: "Settings") -> "Context":
    from cases.shared.build import build_context
    from programmes import PROGRAMMES

    return build_context(settings, "doctor", PROGRAMMES, pool_size=1)


async def _register(context: "Context") -> list[Line]:
    from cases.health.register_check import look_at_register
    from domain.errors import Unavailable

    try:
        return await look_at_register(context)
    except Unavailable:
        return [warn("register", "it could not be read", "mend the lines of PostgreSQL and of the schema first")]
    finally:
        await context.database.close()
        if context.sealer_database is not None:
            await context.sealer_database.close()


async def _temporal(settings: "Settings") -> list[Line]:
    from domain.messages import QUEUES
    from store.keyring import Keyring
    from temporal.check import look_at_temporal
    from workflows import archive, authority_poll, notification, reconciliation, retention, seal_check

    parts = (archive, authority_poll, reconciliation, retention, seal_check)
    return await look_at_temporal(
        Keyring.load(settings.keys_file),
        QUEUES,
        [part.SCHEDULE_ID for part in parts],
        [notification.notification_workflow_id(channel) for channel in notification.CHANNELS],
        settings.worker_deployment,
        api_key_file=settings.temporal_api_key_file,
    )


def _outside(settings: "Settings") -> Iterator[tuple[str, str, int, str]]:
    """Yield what is outside: name, host, port, and the setting that says where it is."""
    yield "mail relay", settings.smtp_host, settings.smtp_port, "HETAO_SMTP_HOST and HETAO_SMTP_PORT"
    for name, setting, url in (
        ("authority", "HETAO_AUTHORITY_URL", settings.authority_url),
        ("SMS gateway", "HETAO_SMS_URL", settings.sms_url),
        ("issuer's keys", "HETAO_OIDC_JWKS_URL", settings.oidc_jwks_url),
        ("time-stamping authority", "HETAO_TIMESTAMP_URL", settings.timestamp_url),
    ):
        if url is not None:
            parts = urlsplit(url)
            yield name, parts.hostname or "", parts.port or _PORTS[parts.scheme], setting


async def _reach(name: str, host: str, port: int, setting: str) -> list[Line]:
    """Return whether something listens; what it would answer is its own matter."""
    import asyncio

    to_do = f"start it, open the way to it, or mend {setting}"
    try:
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return [fail(name, f"{host}:{port} does not answer", to_do)]
    except OSError as error:
        said = "has no address" if type(error).__name__ == "gaierror" else "takes no connection"
        return [fail(name, f"{host}:{port} {said}", to_do)]
    writer.close()
    return [ok(name, f"{host}:{port} takes connections")]
