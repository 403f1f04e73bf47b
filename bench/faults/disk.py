"""A disk of its own for PostgreSQL, that can be slow and full: a file system in a file, mounted over a loop device."""

import contextlib
import os
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SIZE_MB: Final = 3072
FAST: Final = 1_000_000
_BLKIO: Final = Path("/sys/fs/cgroup/blkio")
_THROTTLE: Final = "blkio.throttle.write_iops_device"


class NoDiskError(RuntimeError):
    """This machine does not let us have a disk of our own; the message says why."""


@dataclass(frozen=True)
class Disk:
    """A mounted file system; `throttle` is the control group whose writes to it can be slowed down, if there is one."""

    mount: Path
    device: str
    throttle: Path | None

    @property
    def filler(self) -> Path:
        """The file that takes what is free."""
        return self.mount / "filler"

    def fill(self) -> int:
        """Take all that is free, and return how many bytes that was."""
        descriptor = os.open(self.filler, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            while free := os.statvfs(self.mount).f_bavail * os.statvfs(self.mount).f_frsize:
                size = os.fstat(descriptor).st_size
                try:
                    os.posix_fallocate(descriptor, size, free)
                except OSError:
                    # What is left goes for the file system's own notes.
                    break
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    def empty(self) -> None:
        """Give back what `fill` took."""
        self.filler.unlink(missing_ok=True)

    def slow_down(self, writes_a_second: int, processes: Iterable[int]) -> None:
        """Let these processes, and what they start, write so often a second to this disk; all together.

        Raises:
            NoDiskError: where the kernel offers no throttle.
        """
        if self.throttle is None:
            raise NoDiskError("the kernel offers no throttle for this disk (control group blkio)")
        (self.throttle / _THROTTLE).write_text(f"{self.device} {writes_a_second}")
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                (self.throttle / "cgroup.procs").write_text(str(process))

    def speed_up(self) -> None:
        """Take the throttle away."""
        if self.throttle is not None:
            (self.throttle / _THROTTLE).write_text(f"{self.device} {FAST}")


@contextlib.contextmanager
def open_disk(mount: Path) -> Iterator[Disk]:
    """Make a file system beside a folder, mount it there, and take it away in the end.

    Raises:
        NoDiskError: where mounting is not possible.
    """
    image = mount.with_name(f"{mount.name}.img")
    mount.mkdir(parents=True, exist_ok=True)
    with image.open("wb") as file:
        file.truncate(SIZE_MB * 1024 * 1024)
    try:
        # Without the share that only root may fill: PostgreSQL runs as another account.
        _run("mkfs.ext4", "-q", "-F", "-m", "0", str(image))
        _run("mount", "-o", "loop", str(image), str(mount))
    except NoDiskError:
        image.unlink()
        raise
    group = None
    try:
        device = _device(image)
        group = _control_group(device)
        yield Disk(mount, device, group)
    finally:
        if group is not None:
            _leave(group)
        # Lazily: a process that still ends may have a file open.
        _run("umount", "--lazy", str(mount))
        image.unlink()


def _device(image: Path) -> str:
    """Return the numbers by which the kernel knows the loop device."""
    name = _run("losetup", "--associated", str(image), "--noheadings", "--output", "NAME").split()[0]
    return Path(f"/sys/block/{Path(name).name}/dev").read_text().strip()


def _control_group(device: str) -> Path | None:
    group = _BLKIO / f"hetao-faults-{os.getpid()}"
    try:
        group.mkdir()
        (group / _THROTTLE).write_text(f"{device} {FAST}")
    except OSError:
        with contextlib.suppress(OSError):
            group.rmdir()
        return None
    return group


def _leave(group: Path) -> None:
    """Move what is left in a control group up, and remove it."""
    for process in (group / "cgroup.procs").read_text().split():
        with contextlib.suppress(OSError):
            (_BLKIO / "cgroup.procs").write_text(process)
    with contextlib.suppress(OSError):
        group.rmdir()


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoDiskError(f"{command[0]}: {type(error).__name__}") from error
    if done.returncode:
        raise NoDiskError(f"{command[0]}: {done.stderr.strip() or done.returncode}")
    return done.stdout
