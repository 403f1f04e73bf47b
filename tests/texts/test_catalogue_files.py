"""A catalogue is the core's file with what the rooms of programmes add to it."""

from pathlib import Path
from typing import Final

import pytest
import yaml

from programmes import PROGRAMMES
from texts import catalogue
from texts.catalogue import read_catalogue, read_groups
from texts.notices.catalogue import FOLDERS

SAID: Final = {"zh-Hans": "一", "zh-Hant": "一", "en": "One."}
CORE: Final = Path(str(catalogue.__file__)).parent / "catalogues"


def _room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: object) -> None:
    (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    monkeypatch.setattr(catalogue, "rooms", lambda: [tmp_path])


def test_a_room_adds_entries_to_a_group_and_groups_to_a_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _room(tmp_path, monkeypatch, "story", {"acts": {"licence_given": SAID}, "licences": {"given": SAID}})
    found = read_groups("story")
    assert found["acts"]["licence_given"].en == found["licences"]["given"].en == "One."
    assert "submitted" in found["acts"]


@pytest.mark.parametrize("content", [{"acts": {"submitted": SAID}}], ids=["an act of the core"])
def test_what_is_said_already_is_not_said_again(
    content: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _room(tmp_path, monkeypatch, "story", content)
    with pytest.raises(ValueError, match="submitted is said twice"):
        read_catalogue("story")


@pytest.mark.parametrize("code", PROGRAMMES)
def test_the_core_says_nothing_of_the_own_acts_and_tasks_of_a_programme(code: str) -> None:
    words, others = PROGRAMMES[code].words, {"acts": "story", "tasks": "show"}
    own = {
        "acts": {str(act) for act in words.acts if act.__class__.__module__.startswith("programmes.")},
        "tasks": {str(kind) for kind in words.tasks if kind.__class__.__module__.startswith("programmes.")},
    }
    for group, name in others.items():
        said = yaml.safe_load((CORE / f"{name}.yaml").read_text("utf-8"))[group]
        assert own[group]
        assert not {each.partition(".")[0] for each in said} & own[group]


def test_each_room_of_a_programme_has_its_texts() -> None:
    assert {room.parent.name for room in catalogue.rooms()} == set(PROGRAMMES)
    assert len(FOLDERS) == 1 + len(PROGRAMMES)
