"""How a child process is started so that it ends with its parent and has no more rights than it needs."""

import ctypes
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Account:
    """A user and a group of the system, which need not have a name."""

    uid: int
    gid: int


def child_setup(
    *,
    death_signal: signal.Signals = signal.SIGKILL,
    account: Account | None = None,
    directory: Path | None = None,
) -> Callable[[], None]:
    """What runs in a new child before its program: own process group and files, other user, death with the parent.

    The kernel ties the death signal to the thread that started the child, so start children from the main thread.
    The working directory is entered before the user is changed, so that folders above it may be closed to that user.
    """
    parent = os.getpid()

    def prepare() -> None:
        os.setpgid(0, 0)
        # What children write has personal data and secrets in it.
        os.umask(0o077)
        if directory:
            os.chdir(directory)
        if account:
            os.setgroups([])
            os.setgid(account.gid)
            os.setuid(account.uid)
        # After the change of user, which clears the death signal (prctl(2)).
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def is_alive(pid: int) -> bool:
    """Whether a process of that id runs, zombies not counted."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc/self/stat").exists()


def started_at(pid: int) -> int | None:
    """The kernel's start time of a process, which with its id names it beyond doubt, or None where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def processes_in(directory: Path) -> Iterator[int]:
    """Ids of the processes whose working directory is this one."""
    target = os.path.realpath(directory)
    for entry in Path("/proc").iterdir() if Path("/proc/self").exists() else ():
        try:
            if entry.name.isdigit() and os.readlink(entry / "cwd") == target:
                yield int(entry.name)
        except OSError:
            continue
