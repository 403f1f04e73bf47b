"""The packs that ship with the engine and its programmes, read once at the edge and handed in."""

from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from policy.pack import Pack, PackError, parse_pack


@dataclass(frozen=True, slots=True)
class PackSource:
    """Where the versions of a pack lie that ship: in a folder of a package, which has its name where none is said."""

    name: str
    package: str = "policy.packs"
    folder: str | None = None


# The limits of any case, and of what stands beside cases.
LIMITS: Final = PackSource("limits")


def load_rule_packs(source: PackSource, directory: Path | None = None) -> tuple[Pack, ...]:
    """Return every version of a rule pack, earliest first; those of a directory stand beside the packaged ones.

    Raises:
        PackError: a file is no pack, or one of another name; or two of them have one version.
    """
    name, packs = source.name, [parse_pack(file.read_text("utf-8")) for file in _yaml_files(source, directory)]
    for pack in packs:
        if pack.name != name:
            raise PackError(f"A pack among those of {name} is named {pack.name}.")
    if len({pack.version for pack in packs}) != len(packs):
        raise PackError(f"Two packs of {name} have the same version.")
    return tuple(sorted(packs, key=lambda pack: pack.effective_from))


def load_limits(name: str = "default", directory: Path | None = None, *, source: PackSource = LIMITS) -> Pack:
    """Return a pack of time limits by its name; one of a directory comes before a packaged one.

    Raises:
        PackError: there is no such pack.
    """
    found = [file for file in _yaml_files(source, directory) if file.name == f"{name}.yaml"]
    if not found:
        raise PackError(f"There is no pack of {source.name} named {name}.")
    return parse_pack(found[-1].read_text("utf-8"))


def _yaml_files(source: PackSource, directory: Path | None) -> list[Traversable]:
    folders: list[Traversable] = [files(source.package) / (source.folder or source.name)]
    if directory is not None:
        folders.append(directory / source.name)
    return [
        file
        for folder in folders
        if folder.is_dir()
        for file in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if file.name.endswith(".yaml")
    ]
