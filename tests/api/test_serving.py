"""How a process serves: what it reads before anything of it starts."""

from collections import Counter
from typing import Any

import pytest

from api import serving
from cases.shared import build
from programmes import PROGRAMMES
from store.keyring import Keyring
from tests.api.conftest import settings_for_tests
from tests.cases.contexts import shared_keyring

AWAY = "postgresql://nobody@127.0.0.1:1/none"


async def test_a_process_reads_each_of_its_files_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[str] = Counter()

    def counted(name: str, load: Any) -> Any:
        def loads(*given: Any, **named: Any) -> Any:
            read[name] += 1
            return load(*given, **named)

        return loads

    monkeypatch.setattr(Keyring, "load", counted("keys", lambda _: shared_keyring()))
    for name in ("load_rule_packs", "load_limits"):
        monkeypatch.setattr(build, name, counted(name, getattr(build, name)))
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    settings = settings_for_tests(AWAY)

    app = (await serving.prepare(settings)).api
    async with app.router.lifespan_context(app):
        assert set(app.state.wiring.limits) == {"limits"}

    assert read == {
        "keys": 1,
        "load_rule_packs": sum(len(each.packs) for each in PROGRAMMES.values()),
        "load_limits": 1,
    }
