"""The limits that the talent permit has for itself: read from the pack of limits, each of the right form."""

import pytest

from policy.pack import PackError
from policy.packs import load_limits
from programmes.talent_permit.limits import read


def test_the_limits_are_those_of_the_table() -> None:
    found = read(load_limits())
    assert (found.applicant_reminders, found.applicant_inactive_days) == ((10, 30), 60)
    assert (found.authority_answer_days, found.authority_second_alert_days) == (7, 20)
    assert (found.permit_reminders, found.contract_reminders) == ((90, 60, 30), (60, 30))


WRONG = [("contract_grace_days", 0), ("permit_reminders", (90, 0)), ("report_days", "2")]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_limit_of_no_days_or_of_another_form_is_refused(name: str, value: object) -> None:
    pack = load_limits()
    wrong = pack.parameters[name].model_copy(update={"value": value})
    with pytest.raises(PackError, match=name):
        read(pack.model_copy(update={"parameters": {**pack.parameters, name: wrong}}))
