"""Moving windows: how many calls are taken within a minute, and what is kept of them."""

import pytest

from api.limiting import Allowance, Limiter, Windows
from api.problems import Answered

OFFICER = ("caller", "issuer", "officer-1")


def test_a_call_is_taken_again_when_the_first_one_is_a_minute_old() -> None:
    windows = Windows()
    assert [windows.hit(OFFICER, 2, at) for at in (0.0, 10.0)] == [None, None]
    assert windows.hit(OFFICER, 2, 30.0) == 30.0
    assert windows.hit(("caller", "issuer", "officer-2"), 2, 30.0) is None
    assert windows.hit(OFFICER, 2, 60.0) is None
    assert windows.hit(OFFICER, 2, 60.5) == 9.5


def test_whoever_has_not_called_for_a_minute_is_forgotten() -> None:
    windows = Windows()
    for number in range(100):
        windows.hit(("caller", "issuer", str(number)), 5, 1.0)
    windows.hit(OFFICER, 5, 200.0)
    assert len(windows) == 1


async def test_what_one_network_address_asks_about_a_thing_is_not_counted_against_another() -> None:
    limiter = Limiter(Allowance(caller_a_minute=1, tenant_a_minute=1, at_once=1))
    for _ in range(3):
        await limiter.count_stranger("192.0.2.1", "link", "HT-1", "address")
    with pytest.raises(Answered):
        await limiter.count_stranger("192.0.2.1", "link", "HT-1", "address")
    await limiter.count_stranger("192.0.2.1", "link", "HT-1", "another address")
    await limiter.count_stranger("192.0.2.1", "link", "HT-2", "address")
    await limiter.count_stranger("192.0.2.2", "link", "HT-1", "address")
