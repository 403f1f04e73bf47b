"""Moving windows: how many calls are taken within a minute, and what is kept of them."""

from api.limiting import Windows

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
