"""The packs that ship with the engine, read once at the edge and handed in."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from policy.pack import Pack, PackError, parse_pack

TALENT_PERMIT: Final = "talent_permit"
LIMITS: Final = "limits"


def load_rule_packs(directory: Path | None = None, name: str = TALENT_PERMIT) -> tuple[Pack, ...]:
    """Return every version of a rule pack, earliest first; those of a directory stand beside the packaged ones.

    Raises:
        PackError: a file is no pack, or one of another name; or two of them have one version.
    """
    packs = [parse_pack(file.read_text("utf-8")) for file in _yaml_files(name, directory)]
    for pack in packs:
        if pack.name != name:
            raise PackError(f"A pack among those of {name} is named {pack.name}.")
    if len({pack.version for pack in packs}) != len(packs):
        raise PackError(f"Two packs of {name} have the same version.")
    return tuple(sorted(packs, key=lambda pack: pack.effective_from))


def load_limits(name: str = "default", directory: Path | None = None) -> Pack:
    """Return a pack of time limits by its name; one of a directory comes before a packaged one.

    Raises:
        PackError: there is no such pack.
    """
    found = [file for file in _yaml_files(LIMITS, directory) if file.name == f"{name}.yaml"]
    if not found:
        raise PackError(f"There is no pack of limits named {name}.")
    return parse_pack(found[-1].read_text("utf-8"))


def _yaml_files(name: str, directory: Path | None) -> list[Traversable]:
    folders: list[Traversable] = [files("policy.packs") / name]
    if directory is not None:
        folders.append(directory / name)
    return [
        file
        for folder in folders
        if folder.is_dir()
        for file in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if file.name.endswith(".yaml")
    ]
