"""What stands where a backup is laid back is kept under a name that is nobody's yet."""

from datetime import UTC, datetime
from pathlib import Path

from store.recovery import aside_of

NOW = datetime(2026, 11, 30, 8, 0, 0, 1, UTC)


def test_what_is_set_aside_twice_in_a_second_is_kept_twice(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    kept = []
    for number in range(3):
        keys.write_text(str(number), encoding="utf-8")
        aside = aside_of(keys, NOW)
        keys.rename(aside)
        kept.append(aside)
    assert [each.name for each in kept] == [f"keys.json.before-20261130T080000Z{end}" for end in ("", "-2", "-3")]
    assert [each.read_text(encoding="utf-8") for each in kept] == ["0", "1", "2"]
