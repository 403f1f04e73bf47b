"""How a child process is started so that it ends with its parent and has no more rights than it needs."""

import ctypes
import os
import pwd
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def unprivileged_account() -> pwd.struct_passwd | None:
    """The account that PostgreSQL runs under where we are root, and None where we are not."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def child_setup(
    *,
    death_signal: signal.Signals = signal.SIGKILL,
    account: pwd.struct_passwd | None = None,
    reads: tuple[Path, ...] = (),
) -> Callable[[], None]:
    """What runs in a new child before its program: own process group, other account, and death with the parent.

    The kernel ties the death signal to the thread that started the child, so start children from the main thread.
    Where a path of `reads` lies behind folders closed to the account, the child keeps the right to search them.
    """
    parent = os.getpid()
    capability = _needed_capability(account, reads) if account else None

    def prepare() -> None:
        os.setpgid(0, 0)
        if account:
            _become(account, capability)
        # After the change of account, which clears the death signal (prctl(2)).
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


def command_line(pid: int) -> list[str]:
    """The arguments that a process was started with; none where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def processes_in(directory: Path) -> Iterator[int]:
    """Ids of the processes whose working directory is this one."""
    target = os.path.realpath(directory)
    for entry in Path("/proc").iterdir() if Path("/proc/self").exists() else ():
        try:
            if entry.name.isdigit() and os.readlink(entry / "cwd") == target:
                yield int(entry.name)
        except OSError:
            continue


def _needed_capability(account: pwd.struct_passwd, paths: tuple[Path, ...]) -> int | None:
    if all(_reaches(account, path) for path in paths):
        return None
    held = _permitted_capabilities()
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if held >> capability & 1:
            return capability
    raise PermissionError(
        f"The account {account.pw_name} cannot reach {', '.join(map(str, paths))}: choose a directory open to it."
    )


def _reaches(account: pwd.struct_passwd, path: Path) -> bool:
    folders = [folder for folder in Path(os.path.realpath(path)).parents if folder.exists()]
    return all(folder.stat().st_mode & 0o001 or folder.stat().st_uid == account.pw_uid for folder in folders)


def _permitted_capabilities() -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapPrm:")), 0)


def _become(account: pwd.struct_passwd, capability: int | None) -> None:
    if capability is not None:
        _libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    if capability is not None:
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        bit = 1 << capability
        # Two blocks of effective, permitted, inheritable; both capabilities stand in the first.
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
        if _libc.capset(header, sets) or _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0):
            os._exit(126)
