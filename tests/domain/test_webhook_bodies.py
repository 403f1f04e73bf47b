"""Bodies of webhook calls: which URLs and keys."""

from datetime import datetime, timedelta

import pytest

from domain.clock import CHINA
from domain.webhooks import MOST_KEYS, SigningKey, SigningKeys, UnfitTargetError, check_target

NOON = datetime(2026, 3, 2, 12, tzinfo=CHINA)

FIT = """
https://example.com https://example.com/hooks?x=1 https://example.com:8443/ https://EXAMPLE.com/a
https://xn--fiqs8s.example https://8.8.8.8/hook https://[2606:4700::1111]/ https://a_b.example.com/ https://example.com./
""".split()
UNFIT = """
http://example.com ftp://example.com example.com https:// https://user@example.com https://user:pw@example.com
https://example.com/#part https://localhost https://foo.localhost https://intranet/x https://db.internal https://x.local
https://127.0.0.1 https://10.1.2.3/ https://192.168.0.1 https://169.254.169.254/latest https://[::1]/ https://[::ffff:8.8.8.8]
https://[fd00::1] https://0x7f.1 https://2130706433 https://127.1 https://0177.0.0.1 https://example.com:99999
https://example.com:0 https://-a.example https://a..example https://例え.jp https://example.com/\x01 javascript:alert(1)
""".split()


@pytest.mark.parametrize("url", FIT)
def test_public_https_urls_are_taken(url: str) -> None:
    check_target(url)


@pytest.mark.parametrize("url", [*UNFIT, "https://example.com/ a", "https://example.com/" + "a" * 2000, "https://[::1"])
def test_urls_inside_or_malformed_are_refused(url: str) -> None:
    with pytest.raises(UnfitTargetError) as error:
        check_target(url)
    assert "example" not in str(error.value).replace("https://example.com/hooks", "")


def test_an_exact_pair_may_be_private_and_plain() -> None:
    allowed = {"127.0.0.1:8025", "[::1]:443"}
    check_target("http://127.0.0.1:8025/hooks/a", allowed)
    check_target("https://[::1]/hooks", allowed)
    for url in ("http://127.0.0.1:8026/hooks/a", "http://127.0.0.2:8025/", "http://localhost:8025/"):
        with pytest.raises(UnfitTargetError):
            check_target(url, allowed)


def test_a_replaced_key_signs_for_another_day() -> None:
    keys = SigningKeys(keys=(SigningKey(key="old"),)).replaced_by("new", NOON)
    day = timedelta(hours=24)
    assert keys.at(NOON + day - timedelta(seconds=1)) == ("new", "old")
    assert keys.at(NOON + day) == ("new",)
    assert [each.key for each in keys.replaced_by("newer", NOON + day).keys] == ["newer", "new"]


def test_keys_do_not_pile_up() -> None:
    keys = SigningKeys(keys=(SigningKey(key="0"),))
    for number in range(20):
        keys = keys.replaced_by(str(number + 1), NOON)
    assert len(keys.keys) == MOST_KEYS
    assert keys.at(NOON)[0] == "20"
