"""The rules of keys: first known everywhere, then current, and gone only when nothing is under them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.service_keys import CODEC_KEPT, Held, Holder, KeyKind, KeyState, Registered, is_needed, judge

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BOTH = {"k1": "a", "k2": "b"}


def _row(key_id: str, state: KeyState, kind: KeyKind = KeyKind.KEK, **times: datetime) -> Registered:
    known = {"current_at": NOW} if state in (KeyState.CURRENT, KeyState.RETIRED) else {}
    return Registered(kind, key_id, {"k1": "a", "k2": "b", "k3": "c"}[key_id], state, NOW, **{**known, **times})


OLD, NEW = _row("k1", KeyState.CURRENT), _row("k2", KeyState.KNOWN)


def _holder(**keys: str) -> Holder:
    return Holder("worker 7 on h", {KeyKind.KEK: Held("k1", keys)}, 12.0)


def test_a_key_becomes_current_once_every_other_process_knows_it() -> None:
    wanted = Held("k2", BOTH)
    refused = judge(KeyKind.KEK, wanted, [OLD, NEW], [_holder(**BOTH), _holder(k1="a")], {"k1"})
    (finding,) = refused.findings
    assert (finding.code, finding.refuses, refused.becomes_current) == ("not_known_everywhere", True, None)
    assert finding.words.count("worker 7 on h") == 1
    agreed = judge(KeyKind.KEK, wanted, [OLD, NEW], [_holder(**BOTH), _holder(**BOTH)], {"k1"})
    assert (agreed.findings, agreed.becomes_current) == ((), "k2")


def test_another_key_under_the_same_name_is_not_the_same_key() -> None:
    judged = judge(KeyKind.KEK, Held("k2", BOTH), [OLD, NEW], [_holder(k1="a", k2="z")], ())
    assert [each.code for each in judged.findings] == ["not_known_everywhere"]
    judged = judge(KeyKind.KEK, Held("k1", {"k1": "z"}), [OLD], [], ())
    assert [(each.code, each.refuses) for each in judged.findings] == [("other_key", True)]


def test_the_first_process_of_all_says_what_is_current() -> None:
    assert judge(KeyKind.KEK, Held("k1", BOTH), [], [], ()).becomes_current == "k1"


def test_a_process_with_the_file_of_before_starts_and_changes_nothing() -> None:
    rows = [_row("k1", KeyState.RETIRED), _row("k2", KeyState.CURRENT)]
    judged = judge(KeyKind.KEK, Held("k1", BOTH), rows, [], ())
    assert [(each.code, each.refuses) for each in judged.findings] == [("file_behind", False)]
    assert judged.becomes_current is None


def test_a_process_that_lacks_a_key_which_is_current_or_needed_is_refused() -> None:
    rows = [_row("k1", KeyState.RETIRED), _row("k2", KeyState.CURRENT)]
    lacks_current = judge(KeyKind.KEK, Held("k1", {"k1": "a"}), rows, [], ())
    assert [(each.code, each.key_id) for each in lacks_current.findings] == [("key_missing", "k2")]
    lacks_old = judge(KeyKind.KEK, Held("k2", {"k2": "b"}), rows, [], {"k1"})
    assert [(each.code, each.key_id) for each in lacks_old.findings] == [("key_missing", "k1")]
    assert judge(KeyKind.KEK, Held("k2", {"k2": "b"}), rows, [], ()).findings == ()
    given_up = [replace(rows[0], state=KeyState.LOST), rows[1]]
    assert judge(KeyKind.KEK, Held("k2", {"k2": "b"}), given_up, [], {"k1"}).findings == ()


def test_a_key_that_never_wrote_may_be_left_out() -> None:
    assert judge(KeyKind.KEK, Held("k1", {"k1": "a"}), [OLD, NEW], [], ()).findings == ()


@pytest.mark.parametrize(
    ("kind", "left", "after", "needed"),
    [
        (KeyKind.KEK, 1, timedelta(days=900), True),
        (KeyKind.KEK, 0, timedelta(0), False),
        (KeyKind.CODEC, 0, CODEC_KEPT - timedelta(days=1), True),
        (KeyKind.CODEC, 0, CODEC_KEPT + timedelta(days=1), False),
        (KeyKind.CURSOR, 0, timedelta(hours=23), True),
        (KeyKind.CURSOR, 0, timedelta(hours=25), False),
        (KeyKind.STATEMENT, 0, timedelta(days=9000), True),
        (KeyKind.SEAL, 0, timedelta(days=9000), True),
        (KeyKind.ARCHIVE, 0, timedelta(days=9000), True),
    ],
)
def test_an_old_key_is_needed_for_as_long_as_something_is_under_it(
    kind: KeyKind, left: int, after: timedelta, needed: bool
) -> None:
    assert is_needed(_row("k1", KeyState.RETIRED, kind, retired_at=NOW), left, NOW + after) is needed
