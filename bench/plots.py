"""Plots of what was measured, as SVG beside the results."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "hetao"  # the same figures give the same file
from matplotlib import pyplot  # noqa: E402

_COLOURS = {"hetao": "#1b6ca8", "plain_temporal": "#b0413e", "dbos": "#6a8d3a", "restate": "#8457a3"}


def draw(found: dict[str, Any], directory: Path) -> list[Path]:
    """Draw what the results hold, and return the files."""
    directory.mkdir(parents=True, exist_ok=True)
    drawn = []
    if found.get("whole_cases", {}).get("summary"):
        summary = found["whole_cases"]["summary"]
        drawn.append(_bars(summary, "cases_per_second", "cases a second", directory / "cases.svg"))
        drawn.append(_bars(summary, "cpu_ms_a_case", "CPU ms a case, without the stand-ins", directory / "cpu.svg"))
    if "growth" in found:
        drawn.append(_growth(found["growth"], directory / "growth.svg"))
    return drawn


def _bars(summary: dict[str, Any], figure: str, label: str, path: Path) -> Path:
    """Draw a group of bars for each number of cases in flight, with lines from the least to the most of the runs."""
    chart, axes = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
    groups = sorted(summary, key=int)
    names = list(dict.fromkeys(name for group in groups for name in summary[group]))
    width = 0.8 / len(names)
    for place, name in enumerate(names):
        spots = [spot + place * width for spot, group in enumerate(groups) if name in summary[group]]
        seen = [summary[group][name][figure] for group in groups if name in summary[group]]
        middles = [each["median"] for each in seen]
        spans = [
            [each["median"] - each["min"] for each in seen],
            [each["max"] - each["median"] for each in seen],
        ]
        bars = axes.bar(spots, middles, width, yerr=spans, label=name, color=_COLOURS.get(name), capsize=3)
        axes.bar_label(bars, fmt="%g", fontsize=7, padding=3)
    axes.set_xticks([spot + 0.4 - width / 2 for spot in range(len(groups))], [f"{group} in flight" for group in groups])
    axes.set_ylabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    return _save(chart, path)


def _growth(found: dict[str, Any], path: Path) -> Path:
    """Draw the p95 of each read and write against the size of the register."""
    chart, axes = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
    sizes = list(found["sizes"])
    for name in found["p95_ratio"]:
        p95 = [found["sizes"][size]["latency_ms"][name]["p95"] for size in sizes]
        axes.plot([int(size) for size in sizes], p95, marker="o", label=name)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("registrations")
    axes.set_ylabel("p95, ms")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    return _save(chart, path)


def _save(chart: Any, path: Path) -> Path:
    chart.savefig(path, metadata={"Date": None})
    pyplot.close(chart)
    return path
