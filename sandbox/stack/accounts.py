"""Which user PostgreSQL runs as where we are root, which it refuses, and where that user reaches its programs."""

import fcntl
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from sandbox.stack.directory import StackError
from sandbox.stack.processes import Account

# Numbers that distributions and systemd give to nobody (systemd.io/UIDS-GIDS), so that no other program has our files.
OF_NOBODY_ELSE: Final = range(60_578, 61_184)
# The account that other programs share; versions before gave it PostgreSQL's data.
SHARED: Final = "nobody"
# What root needs to hand files to another user, to run as it, and to read and end what is that user's (capability.h).
NEEDED: Final = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_KILL": 5, "CAP_SETGID": 6, "CAP_SETUID": 7}
# Where programs may lie that another user runs; the first that can be written, and run from, is taken.
PLACES: Final = (Path("/var/cache"), Path("/usr/local/lib"), Path("/opt"), Path(tempfile.gettempdir()))
FOLDER: Final = "hetao-permits"


def account_for(data: Path) -> Account | None:
    """Return the user whose the data are or will be where we are root, and None where we are not."""
    if os.geteuid() != 0:
        return None
    missing = [name for name, bit in NEEDED.items() if not _permitted_capabilities() >> bit & 1]
    if missing:
        raise StackError(
            f"PostgreSQL does not run as root, and this root lacks {', '.join(missing)} to run it as another user:"
            " run this as an ordinary user."
        )
    if data.exists():
        found = data.stat()
        # Whoever started the stack before root did keeps the data.
        if found.st_uid not in (0, named_account().uid):
            return Account(found.st_uid, found.st_gid)
    free = next(number for number in OF_NOBODY_ELSE if not _is_named(number))
    return Account(free, free)


def named_account() -> Account:
    """Return an ordinary user that has a name, for the programs that ask for it: `nobody` where there is one."""
    entries = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    if not entries:
        raise StackError("PostgreSQL does not run as root, and this system has no other user: run `useradd hetao`.")
    entry = min(entries, key=lambda entry: entry.pw_name != SHARED)
    return Account(entry.pw_uid, entry.pw_gid)


def give(folder: Path, account: Account) -> None:
    """Make a folder with all that is in it a user's; the folder last, so that a run cut short is made good."""
    try:
        for _, folders, files, here in os.fwalk(folder):
            for name in (*folders, *files):
                os.chown(name, account.uid, account.gid, dir_fd=here, follow_symlinks=False)
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
    except OSError as error:
        raise StackError(
            f"PostgreSQL does not run as root, and {folder} cannot be given to the user {account.uid}"
            f" ({error.strerror}): run this as an ordinary user, or choose a --data-dir on another disk."
        ) from error


def is_open(folder: Path) -> bool:
    """Whether every user may reach and read a folder with all that is in it."""
    real = folder.resolve()
    if not _lets_pass(real.parents):
        return False
    inside = (path for path in real.rglob("*") if not path.is_symlink())
    return all(_is_readable(path.stat()) for path in (real, *inside))


def copy_for_all(folder: Path, parts: Sequence[str], name: str, places: Iterable[Path] = PLACES) -> Path:
    """Return a copy of parts of a folder that every user may run and only root may write, made where it is not."""
    refused = []
    for place in places:
        try:
            return _copy_in(place, folder, parts, name)
        except OSError as error:
            refused.append(f"{place}: {error.strerror or error}")
    raise StackError(
        f"PostgreSQL does not run as root, other users may not read its programs in {folder.resolve()}, and there is"
        f" no place for a copy of them ({'; '.join(refused)}): move the checkout to a folder that all users may"
        " read, or run this as an ordinary user."
    )


def _copy_in(place: Path, folder: Path, parts: Sequence[str], name: str) -> Path:
    if not _lets_pass((place.resolve(strict=True), *place.resolve().parents)):
        raise OSError("closed to other users")
    if os.statvfs(place).f_flag & os.ST_NOEXEC:
        raise OSError("programs may not be run from there")
    home, target = place / FOLDER, place / FOLDER / name
    _make_ours(home)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _sizes(target, parts) != _sizes(folder, parts):
            unfinished = target.with_name(f"{name}.unfinished")
            for path in (unfinished, target):
                shutil.rmtree(path, ignore_errors=True)
            for part in parts:
                shutil.copytree(folder / part, unfinished / part, copy_function=shutil.copyfile)
            _open_to_all(unfinished, like=folder)
            unfinished.rename(target)
    return target


def _make_ours(home: Path) -> None:
    """Make a folder that only root writes to; where another user made it first, it is refused."""
    if not home.exists():
        home.mkdir()
        home.chmod(0o755)  # whatever the umask
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise OSError(f"{home} is not ours alone")


def _open_to_all(copy: Path, *, like: Path) -> None:
    for path in (copy, *copy.rglob("*")):
        may_run = path.is_dir() or (like / path.relative_to(copy)).stat().st_mode & 0o100
        path.chmod(0o755 if may_run else 0o644)


def _sizes(folder: Path, parts: Sequence[str]) -> dict[str, int]:
    files = (path for part in parts for path in (folder / part).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.stat().st_size for path in files}


def _lets_pass(folders: Iterable[Path]) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in folders)


def _is_readable(found: os.stat_result) -> bool:
    needed = 0o005 if stat.S_ISDIR(found.st_mode) or found.st_mode & 0o100 else 0o004
    return found.st_mode & needed == needed


def _is_named(number: int) -> bool:
    try:
        pwd.getpwuid(number)
    except KeyError:
        return False
    return True


def _permitted_capabilities() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("CapPrm:"))
