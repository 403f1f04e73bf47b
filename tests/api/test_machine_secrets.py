"""Lists of secrets: one that is malformed never closes the door for the good ones, and which were used is known."""

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from cases.keys.register import KeyHolder
from cases.keys.start import check_keys_at_start, key_holder
from cases.shared.machine_secrets import CALLBACKS, WITNESSES, read_witness_keys, usable
from domain.service_keys import KeyFileError, KeyKind, KeysRefusedError
from store import tables
from tests.api.bodies import ANSWER
from tests.api.callers import TestIssuer
from tests.api.conftest import AUTHORITY_SECRET, RECEIPTS_SECRET, Stage, set_stage, settings_for_tests
from tests.api.test_machines import send
from tests.cases.contexts import WITNESS_KEY, shared_keyring

NEXT_SECRET = "whsec_dGhlLW5leHQtc2VjcmV0LW9mLXRoZS1hdXRob3JpdHk="
BROKEN = ("whsec_!", "nonsense", "whpk_b25l")


async def test_a_malformed_secret_closes_the_door_for_no_good_one(
    clean_database: str, issuer_of_tests: TestIssuer
) -> None:
    secrets = (BROKEN[0], AUTHORITY_SECRET, *BROKEN[1:], NEXT_SECRET)
    async with set_stage(clean_database, issuer_of_tests, callback_secrets=secrets) as stage:
        for secret in (AUTHORITY_SECRET, NEXT_SECRET):
            assert (await send(stage, ANSWER, secret)).status_code != 401
        assert (await send(stage, ANSWER, RECEIPTS_SECRET)).status_code == 401
        holder = key_holder(stage.context, stage.settings, "api")
        await holder.announce()
        await holder.announce()
        async with stage.context.database.begin() as connection:
            i = tables.incidents.c
            query = select(i.step, i.reason).where(i.kind == "setting_malformed").order_by(i.reason)
            shown = [tuple(row) for row in await connection.execute(query)]
        assert shown == [(CALLBACKS, f"number {place} of 5") for place in (1, 3, 4)]


async def test_which_secret_a_message_came_under_says_when_the_old_one_may_go(
    clean_database: str, issuer_of_tests: TestIssuer
) -> None:
    secrets = (AUTHORITY_SECRET, NEXT_SECRET)
    async with set_stage(clean_database, issuer_of_tests, callback_secrets=secrets) as stage:
        callbacks = stage.app.state.wiring.callbacks
        holder = KeyHolder(stage.context, "api", [callbacks])
        await holder.announce()
        await send(stage, ANSWER, NEXT_SECRET)
        await holder.beat()
        assert await _used(stage) == {callbacks.prints[0]: False, callbacks.prints[1]: True}
        assert AUTHORITY_SECRET not in repr(callbacks)


async def _used(stage: Stage) -> dict[str, bool]:
    k = tables.service_keys.c
    query = select(k.key_id, k.used_at).where(k.kind == KeyKind.CALLBACKS)
    async with stage.context.database.begin() as connection:
        return {row.key_id: row.used_at is not None for row in await connection.execute(query)}


def test_a_list_without_a_good_one_is_refused_in_words_that_quote_none() -> None:
    with pytest.raises(KeysRefusedError, match=f"{CALLBACKS}: none of its 3") as refused:
        usable(shared_keyring(), KeyKind.CALLBACKS, CALLBACKS, [SecretStr(each) for each in BROKEN])
    assert not any(each in str(refused.value) for each in BROKEN)
    with pytest.raises(KeysRefusedError, match=f"{WITNESSES}: none of its 1"):
        read_witness_keys(["nonsense"])
    known, broken = read_witness_keys(["nonsense", str(WITNESS_KEY)])
    assert ([str(each) for each in known], [each.key_id for each in broken]) == ([str(WITNESS_KEY)], ["number 1 of 2"])
    assert read_witness_keys([]) == ((), [])


async def test_a_start_without_a_key_file_ends_in_words(clean_database: str) -> None:
    with pytest.raises(KeyFileError, match="unused cannot be read: No such file"):
        await check_keys_at_start(settings_for_tests(clean_database), "api")
