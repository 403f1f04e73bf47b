"""Limits so far away that no time passes between making a dump and any test of it."""

from pathlib import Path
from typing import Any, Final

import yaml

NAME: Final = "far"
# Units of which so many are twenty years; 250 working days make one.
_TWENTY_YEARS: Final = {"working days": 5000, "calendar days": 7300, "months": 240, "years": 80}


def write_far_limits(checkout: Path, folder: Path) -> dict[str, str]:
    """Write the limits of the embedded stack of a checkout with those that end something far away.

    Returns:
        What tells a stack to take them, for its environment.
    """
    pack: dict[str, Any] = yaml.safe_load((checkout / "policy/packs/limits/embedded.yaml").read_text())
    pack["name"] = f"limits/{NAME}"
    for name, parameter in pack["parameters"].items():
        far = _TWENTY_YEARS.get(parameter["unit"])
        if far is not None:
            is_list = isinstance(parameter["value"], list)
            parameter["value"] = [far] if is_list and "left" not in name else [1] if is_list else far
    file = folder / "limits" / f"{NAME}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(pack, allow_unicode=True, sort_keys=False))
    return {"HETAO_PARAMETERS": NAME, "HETAO_POLICY_DIR": str(folder)}
