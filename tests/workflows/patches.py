"""Patches of workflow code go in three steps: `patched`, then `deprecate_patch`, then out; each is listed for good.

`patches.json` has them by id, `{"id": {"patched": "2026-11-30", "deprecated": null, "out": null}}`, with the days on
which the code took these steps. A run of between the first two has a marker, and code without the patch cannot go on
with it: so a patch stays deprecated until no run is left that was begun before it was.
"""

import ast
import json
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

PATCHES: Final = Path(__file__).parent / "patches.json"
# No run is older than 13 months.
LONGEST: Final = timedelta(days=14 * 30)
_CALLS: Final = {"workflow.patched": "patched", "workflow.deprecate_patch": "deprecated"}
Days = Mapping[str, str | None]


def listed() -> dict[str, Days]:
    """Return the patches that ever were."""
    found: dict[str, Days] = json.loads(PATCHES.read_text(encoding="utf-8"))
    return found


def in_code(paths: Iterable[Path]) -> dict[str, str]:
    """Return the step of each patch that is in the code, by its id; one whose id is not written out is a `?`."""
    found = {}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            step = _CALLS.get(ast.unparse(node.func)) if isinstance(node, ast.Call) else None
            if step is not None and isinstance(node, ast.Call):
                given = node.args[0] if node.args else node.keywords[0].value
                found[str(given.value) if isinstance(given, ast.Constant) else "?"] = step
    return found


def marked(history: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ids of the patches whose markers a saved history has."""
    for event in history["events"]:
        marker = event.get("markerRecordedEventAttributes", {})
        if marker.get("markerName") == "core_patch":
            for payload in marker["details"]["patch-data"]["payloads"]:
                yield str(json.loads(b64decode(payload["data"]))["id"])


def complaints(listed: Mapping[str, Days], code: Mapping[str, str], histories: Iterable[str]) -> list[str]:
    """Return what is wrong between the list, the code, and the ids that saved histories have."""
    found = [f"{name} is not listed" for name in sorted({*code, *histories} - set(listed))]
    for name, days in listed.items():
        step = "out" if days["out"] else "deprecated" if days["deprecated"] else "patched"
        if code.get(name, "out") != step:
            found.append(f"{name} is listed as {step} and is {code.get(name, 'out')} in the code")
        taken = [days[each] for each in ("patched", "deprecated", "out")]
        known = [date.fromisoformat(day) for day in taken if day]
        if None in taken[: len(known)] or known != sorted(known):
            found.append(f"{name} skipped a step")
        elif len(known) == 3 and known[2] - known[1] < LONGEST:
            found.append(f"{name} went out while runs were left that know it: deprecated for less than 14 months")
    return found
