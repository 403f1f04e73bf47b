"""A catalogue is the core's file with what the rooms of programmes add to it."""

from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest
import yaml

from domain.evidence import EVIDENCE_WORDS
from domain.languages import Language
from domain.words import CORE_WORDS
from tests.programmes.declared import DECLARED
from texts import catalogue
from texts.catalogue import hand_over, read_groups, read_sentences
from texts.notices import catalogue as notices
from texts.notices.catalogue import take_notices

SAID: Final = {"zh-Hans": "一", "zh-Hant": "一", "en": "One."}
# The catalogue and its group that say the words of a kind.
SAID_IN: Final = {
    "acts": ("story", "acts"), "tasks": ("show", "tasks"), "reasons": ("reasons", None), "uses": ("refusals", "uses"),
}  # fmt: skip
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
    read_sentences("reasons")
    _say(room, "reasons", {"identity_number_wrong": SAID})
    with pytest.raises(ValueError, match="identity_number_wrong is said twice"):
        hand_over(room.parent.name)


def test_a_room_says_an_entry_of_a_group_otherwise_for_its_own_cases(room: Path) -> None:
    found = read_groups("story")
    core = found["acts"]["submitted"]
    _say(room, "story", {"acts": {"submitted": SAID}})
    hand_over(room.parent.name)
    said = found.find("acts", "submitted", room.parent.name)
    assert said is not None
    assert said.en == "One."
    assert found.find("acts", "submitted") is found.find("acts", "submitted", "another") is core


def test_a_room_says_a_notice_of_the_core_in_its_own_way_for_its_own_cases(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ROOMS", "COMPILED"):
        monkeypatch.setattr(notices, name, dict(getattr(notices, name)))
    (room / "notices").mkdir()
    _say(room / "notices", "fact_recorded", {"subject": SAID, "heading": SAID})
    _say(room / "notices", "shared", {"words": {"case": SAID}})
    take_notices("room", room / "notices")
    said, core = notices.ROOMS["room"], notices.ROOMS[catalogue.CORE]
    assert said.entry("fact_recorded").heading[Language.EN] == said.words[Language.EN]["own"]["case"] == "One."
    assert said.entry("fact_upheld") is core.entry("fact_upheld")
    assert core.entry("fact_recorded").heading[Language.EN] == "The Park has recorded a fact"


def _said(folder: Path, kind: str) -> set[str]:
    """Return which words of a kind a folder has sentences for."""
    if kind == "notices":
        return {file.stem for file in (folder / kind).glob("*.yaml")} - {"shared"}
    name, group = SAID_IN[kind]
    file = folder / f"{name}.yaml"
    content = yaml.safe_load(file.read_text("utf-8")) if file.is_file() else {}
    return {code.partition(".")[0] for code in (content.get(group, {}) if group else content)}


# What the core has words for: of any case, and of those programmes whose cases have evidence.
_OF_CORE = CORE_WORDS | EVIDENCE_WORDS


@pytest.mark.parametrize("kind", [*SAID_IN, "notices"])
@pytest.mark.parametrize("code", DECLARED)
def test_a_room_says_its_own_words_and_those_alone(code: str, kind: str) -> None:
    programme = DECLARED[code]
    own = set(map(str, getattr(programme.words, kind))) - set(map(str, getattr(_OF_CORE, kind)))
    said = _said(Path(str(files(programme.texts))) / "texts", kind)
    # What the core says it may say in its own way.
    assert said - set(map(str, getattr(_OF_CORE, kind))) == own


@pytest.mark.parametrize("kind", SAID_IN)
def test_the_core_says_the_words_of_any_case_and_those_alone(kind: str) -> None:
    assert _said(CORE, kind) == set(map(str, getattr(_OF_CORE, kind)))
