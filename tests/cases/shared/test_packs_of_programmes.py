"""The packs of several programmes: each with rules and limits of its own, read once and found by name."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml

from cases.shared.build import load_packs
from cases.shared.context import Context, code_of_pack, own_limits, pack_names, shelf_of
from policy.limits import OwnLimits
from policy.pack import PackShelves
from policy.packs import LIMITS, PackSource, load_limits
from programmes.talent_permit.limits import RULES, TalentPermitLimits, limits_in
from programmes.talent_permit.programme import TALENT_PERMIT
from store.database import Database
from tests.api.conftest import settings_for_tests
from tests.cases.contexts import Clock, shared_keyring

_TOY = replace(
    TALENT_PERMIT,
    code="toy",
    packs=(PackSource("toy_rules"), PackSource("toy_caps")),
    limits=OwnLimits(lambda pack: pack.integer("weeks"), PackSource("toy_limits")),
)
_BOTH = {TALENT_PERMIT.code: TALENT_PERMIT, _TOY.code: _TOY}


def _written(folder: Path, name: str, file: str, **parameters: int) -> None:
    about = {"unit": "week", "reference": "design", "status": "unconfirmed"}
    given = {each: {**about, "value": value} for each, value in parameters.items()}
    pack = {
        "name": name,
        "version": "2026-01-01",
        "effective_from": "2026-01-01",
        "reads": [1],
        "note": "A toy.",
        "parameters": given,
    }
    (folder / name).mkdir()
    (folder / name / f"{file}.yaml").write_text(yaml.safe_dump(pack), "utf-8")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Return what the verbs of two programmes work with, but for a database."""
    _written(tmp_path, "toy_rules", "first", weeks=1)
    _written(tmp_path, "toy_caps", "first", weeks=2)
    _written(tmp_path, "toy_limits", "embedded", weeks=3)
    settings = settings_for_tests("postgresql://127.0.0.1:1/none").model_copy(update={"policy_dir": tmp_path})
    packs = load_packs(settings, _BOTH)
    assert set(packs.limits_packs) == {LIMITS.name, "toy_limits"}
    return Context(
        Database(settings.database_url, application="nowhere"),
        shared_keyring(),
        PackShelves(packs.packs),
        packs.limits,
        Clock(),
        programmes=_BOTH,
        own_limits=packs.own_limits,
    )


def test_a_case_of_a_programme_finds_the_packs_and_limits_of_its_own(context: Context) -> None:
    assert pack_names(context) == [RULES.name, "toy_rules", "toy_caps"]
    assert [code_of_pack(context, name) for name in ("toy_rules", "toy_caps", RULES.name)] == [
        "toy",
        None,
        "talent_permit",
    ]
    assert shelf_of(context, "toy").on(date(2026, 3, 2)).integer("weeks") == 1
    assert context.packs.of("toy_caps").on(date(2026, 3, 2)).integer("weeks") == 2
    assert RULES.name not in {pack.name for pack in shelf_of(context, "toy").packs}
    assert own_limits(context, "toy", int) == 3
    assert limits_in(context).report_days == load_limits().integer("report_days")


def test_limits_of_another_kind_are_those_of_another_programme(context: Context) -> None:
    with pytest.raises(TypeError):
        own_limits(context, "toy", TalentPermitLimits)
    with pytest.raises(KeyError):
        own_limits(context, "unheard_of", int)
