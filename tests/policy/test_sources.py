"""Every source key that a pack, a reason or a rule names is listed in docs/sources.md."""

import re
from pathlib import Path

from policy.packs import load_limits, load_rule_packs
from programmes.appraisal.rules import conditions as appraisal
from programmes.appraisal.rules.points import PACKS as APPRAISAL
from programmes.talent_permit.limits import RULES
from programmes.talent_permit.rules import PERMIT_RULES, REGISTRATION_RULES
from programmes.work_permit.rules import conditions
from programmes.work_permit.rules import points as work_permit
from tests.programmes.declared import WORDS

LISTED = set(
    re.findall(r"^\| (S\d+) \|", (Path(__file__).parents[2] / "docs" / "sources.md").read_text("utf-8"), re.MULTILINE)
)


def test_every_source_is_listed() -> None:
    packs = [
        *load_rule_packs(RULES),
        *load_rule_packs(work_permit.PACKS),
        *load_rule_packs(APPRAISAL),
        load_limits(),
        load_limits("embedded"),
    ]
    named = [parameter.reference for pack in packs for parameter in pack.parameters.values()]
    named += [row.reference for pack in packs for table in pack.tables.values() for row in table.rows]
    named += [reason.source for reason in WORDS.reasons.values()]
    named += [rule.source for rule in (*REGISTRATION_RULES, *PERMIT_RULES, *conditions.RULES, *appraisal.RULES)]
    keys = {key for text in named for key in re.findall(r"\bS\d+\b", text)}
    assert keys
    assert keys <= LISTED
