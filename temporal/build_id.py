"""The build id of the workers: a hash of the code that histories are replayed with, the same for the same code."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

_CODE: Final = Path(__file__).parents[1]
# All that workflows reach but for their steps (tests/workflows/reach.py); a release that touches none of it keeps the
# build id, and no case has to change over.
STEERING: Final = (
    "domain/commands.py",
    "domain/messages.py",
    "domain/notices.py",
    "domain/spellings.py",
    "domain/stages.py",
)


@cache
def build_id(case_types: tuple[str, ...]) -> str:
    """Return the hash of the workflows, of what they reach, and of the types of cases, twelve hexadecimal digits.

    A worker that was not handed a programme fails the tasks of its cases, so a programme more is another build.
    """
    digest = hashlib.sha256("\n".join(sorted(case_types)).encode())
    for path in sorted([*(_CODE / "workflows").glob("*.py"), *(_CODE / name for name in STEERING)]):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(_CODE).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:12]
