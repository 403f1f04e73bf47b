"""A catalogue is the core's file with what the rooms of programmes add to it."""

from pathlib import Path
from typing import Final

import pytest
import yaml

from programmes import PROGRAMMES
from texts import catalogue
from texts.catalogue import hand_over, read_groups
from texts.notices.catalogue import take_notices

SAID: Final = {"zh-Hans": "一", "zh-Hant": "一", "en": "One."}
CORE: Final = Path(str(catalogue.__file__)).parent / "catalogues"


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The texts of a package, and catalogues that nothing was handed to."""
    monkeypatch.setattr(catalogue, "_rooms", {})
    monkeypatch.setattr(catalogue, "_readers", [])
    monkeypatch.syspath_prepend(tmp_path)
    name = f"room_{tmp_path.name}"
    texts = tmp_path / name / "texts"
    texts.mkdir(parents=True)
    (texts.parent / "__init__.py").touch()
    return texts


def _say(room: Path, name: str, content: object) -> None:
    (room / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


@pytest.mark.parametrize("before", [True, False], ids=["handed over before", "handed over later"])
def test_a_room_adds_entries_to_a_group_and_groups_to_a_catalogue(room: Path, *, before: bool) -> None:
    _say(room, "story", {"acts": {"licence_given": SAID}, "licences": {"given": SAID}})
    if before:
        hand_over(room.parent.name)
    found = read_groups("story")
    hand_over(room.parent.name)
    hand_over(room.parent.name)
    assert found["acts"]["licence_given"].en == found["licences"]["given"].en == "One."
    assert "submitted" in found["acts"]


def test_what_is_said_already_is_not_said_again(room: Path) -> None:
    read_groups("story")
    _say(room, "story", {"acts": {"submitted": SAID}})
    with pytest.raises(ValueError, match="submitted is said twice"):
        hand_over(room.parent.name)


def test_a_room_does_not_say_a_notice_of_the_core(room: Path) -> None:
    (room / "notices").mkdir()
    _say(room / "notices", "fact_recorded", {})
    with pytest.raises(ValueError, match="fact_recorded is said twice"):
        take_notices(room / "notices")


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
