"""The key file: nobody else may read it, nothing overwrites it, and it changes as a whole or not at all."""

import json
import os
import stat
from pathlib import Path

import pytest

from domain.service_keys import KeyFileError, KeyKind
from store.key_file import generate, make_key_file, next_key_id, read_key_file, replace_key_file
from store.keyring import Keyring


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    make_key_file(path, generate())
    return path


def test_a_new_file_is_closed_to_others_and_overwrites_nothing(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    with pytest.raises(KeyFileError, match="is there already"):
        make_key_file(file, generate())
    assert file.read_bytes() == before
    assert Keyring.load(file).kek.current == "k1"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620, 0o610, 0o602, 0o666])
def test_a_file_that_others_may_read_or_change_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(KeyFileError, match=f"mode {mode:04o}") as refused:
        Keyring.load(file)
    assert json.loads(file.read_text())["lookup"] not in str(refused.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of others")
@pytest.mark.parametrize(("owner", "is_taken"), [(0, True), (10001, False)])
def test_a_group_may_read_what_root_mounts_for_it_and_nothing_else(file: Path, owner: int, is_taken: bool) -> None:
    os.chown(file, owner, 10001)
    file.chmod(0o440)
    if is_taken:
        assert read_key_file(file)
    else:
        with pytest.raises(KeyFileError, match="mode 0440"):
            read_key_file(file)


def test_a_file_is_replaced_with_the_mode_that_it_has(file: Path) -> None:
    file.chmod(0o400)
    document = generate()
    replace_key_file(file, document)
    assert stat.S_IMODE(file.stat().st_mode) == 0o400
    assert read_key_file(file) == document
    assert [each.name for each in file.parent.iterdir()] == ["keys.json"]


def test_a_replacement_that_breaks_off_leaves_the_file_of_before(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyFileError, match="No space left"):
        replace_key_file(file, generate())
    assert file.read_bytes() == before
    assert [each.name for each in file.parent.iterdir()] == ["keys.json"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[]", b"{", b'{"kek": {"current": "k1", "keys": {"k1": "short"}}}'])
def test_what_is_wrong_with_a_file_is_said_in_words(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(KeyFileError, match="key file: "):
        Keyring.load(file)


def test_a_file_with_one_cursor_key_without_an_id_is_still_read() -> None:
    document = generate()
    document["cursor"] = document["lookup"]
    assert Keyring.parse(document).cursor.current == "1"


def test_a_new_key_has_a_number_above_all_others() -> None:
    assert next_key_id(KeyKind.KEK, {"k1": 0, "k9": 0, "mine": 0}) == "k10"
    assert next_key_id(KeyKind.CURSOR, {"1": 0}) == "p2"
