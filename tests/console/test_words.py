"""Every word that a page asks for is there in three languages, and every word that is there is asked for."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Final

from console.entries import ENTRIES
from domain.actors import Role
from texts import console as texts
from texts.catalogue import read_groups

CONSOLE: Final = Path(str(files("console")))
_SAID: Final = re.compile(r"""\bsay\(\s*["']([a-z_]+)\.([a-z_]+)["']""")
_BEGUN: Final = re.compile(r"""\bsay\(\s*["']([a-z_]+)\.([a-z_]*)["']\s*~""")


def _sources() -> list[str]:
    found = [*CONSOLE.rglob("*.py"), *(CONSOLE / "templates").rglob("*.html")]
    return [file.read_text("utf-8") for file in found]


def test_every_word_of_a_template_is_said() -> None:
    said = {(group, code) for name in texts.FILES for group, codes in read_groups(name).items() for code in codes}
    groups = {group for group, _ in said}
    asked = {pair for source in _sources() for pair in _SAID.findall(source)}
    begun = {pair for source in _sources() for pair in _BEGUN.findall(source)}

    assert asked - begun <= said, sorted(asked - begun - said)
    assert {group for group, _ in begun} <= groups
    for group, start in begun:
        assert any(each == group and code.startswith(start) for each, code in said), (group, start)


def test_every_entry_and_role_has_its_words() -> None:
    groups = {name: codes for file in texts.FILES for name, codes in read_groups(file).items()}
    assert {said for entries in ENTRIES.values() for _, said in entries} <= groups["bar"].keys()
    assert {role.value for role in Role if role is not Role.SYSTEM} <= groups["roles"].keys()


def test_no_group_is_said_by_two_files() -> None:
    listed = [group for name in texts.FILES for group in read_groups(name)]
    assert len(listed) == len(set(listed))
