"""The keys of a process as it starts: its own word for the register, and a look before a server runs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import structlog

from cases.keys.register import KeyHolder
from cases.shared.build import Files, build_context
from cases.shared.context import Context
from cases.shared.machine_secrets import CALLBACKS, RECEIPTS, MachineSecrets, broken_secrets, read_witness_keys, usable
from domain.errors import Unavailable
from domain.service_keys import KeyFinding, KeyKind, KeysRefusedError
from settings import Settings
from store.keyring import Keyring

_log = structlog.get_logger(__name__)


def key_holder(
    context: Context, settings: Settings, process: str, *, secrets: Sequence[MachineSecrets] = ()
) -> KeyHolder:
    """Return a process as a holder of the keys of its context; what is malformed among its settings is logged."""
    broken = malformed_settings(settings)
    for each in broken:
        _log.error(each.code, setting=each.kind, place=each.key_id)
    return KeyHolder(context, process, secrets, broken)


def malformed_settings(settings: Settings) -> list[KeyFinding]:
    """Return what is malformed among all lists of secrets and keys."""
    found = broken_secrets(CALLBACKS, settings.authority_callback_secrets)
    found += broken_secrets(RECEIPTS, settings.receipts_secrets)
    try:
        return found + read_witness_keys(settings.witness_keys)[1]
    except KeysRefusedError as refused:
        return found + list(refused.findings)


def callback_secrets(keyring: Keyring, settings: Settings) -> MachineSecrets:
    """Return the keys of the authority's answers that can be used.

    Raises:
        KeysRefusedError: when none can.
    """
    return usable(keyring, KeyKind.CALLBACKS, CALLBACKS, settings.authority_callback_secrets)


def receipts_secrets(keyring: Keyring, settings: Settings) -> MachineSecrets:
    """Return the keys of delivery receipts that can be used.

    Raises:
        KeysRefusedError: when none can.
    """
    return usable(keyring, KeyKind.RECEIPTS, RECEIPTS, settings.receipts_secrets)


@asynccontextmanager
async def announced(context: Context, process: str) -> AsyncIterator[None]:
    """Have a command that writes with keys stand in the register while it does.

    Raises:
        KeysRefusedError: when it must not work with the keys that it holds.
        Unavailable: when PostgreSQL is away.
    """
    holder = KeyHolder(context, process)
    await holder.announce()
    try:
        yield
    finally:
        with suppress(Unavailable):
            await holder.leave()


async def check_keys_at_start(settings: Settings, process: str, files: Files | None = None) -> None:
    """Say once which keys a process holds, and take it back: for words before a server takes over.

    Raises:
        KeyFileError: when the key file cannot be used.
        KeysRefusedError: when the process must not work with the keys that it holds, or has no secret to take a message
            under.
    """
    context = build_context(settings, process, {}, files=files, pool_size=1)
    try:
        secrets = callback_secrets(context.keyring, settings), receipts_secrets(context.keyring, settings)
        holder = KeyHolder(context, process, secrets)
        await holder.announce()
        await holder.leave()
    except Unavailable:
        pass  # the process itself says so, and asks again
    finally:
        await context.database.close()
