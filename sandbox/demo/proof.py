"""The end of the demo: the record is taken out of the stack, and checked by the command line with public keys alone."""

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sandbox.demo.api import Callers

SEAL_SECONDS: Final = 60.0
_PAUSE: Final = 0.5


@dataclass
class Proved:
    """What was checked, and what did not come out as it should."""

    files: int = 0
    receipts: int = 0
    checkpoint: int = 0
    altered_refused: int = 0
    differences: list[str] = field(default_factory=list)

    def view(self) -> dict[str, int]:
        """Return the counts for the summary."""
        return {
            "files_checked": self.files,
            "receipts": self.receipts,
            "rows_sealed": self.checkpoint,
            "altered_files_refused": self.altered_refused,
        }


@dataclass(frozen=True)
class Proof:
    """Takes the record out, checks it, and keeps the export, with `keys.json` beside it, where a file is named."""

    hetao: Sequence[str]
    keep: Path | None = None

    async def take(self, callers: Callers, references: Sequence[str]) -> Proved:
        """Take the receipts of every case and the keys, and see that they hold, and that one changed byte does not."""
        proved = Proved()
        folder = Path(tempfile.mkdtemp(prefix="hetao-demo-proof-"))
        try:
            keys = folder / "keys.json"
            keys.write_bytes(await callers.content("auditor", "/v1/audit/keys"))
            files = [
                file for reference in references if (file := await self._receipts(callers, folder, reference, proved))
            ]
            proved.checkpoint = int((await callers.get("auditor", "/v1/audit/checkpoint"))["size"])
            export = folder / "export.ndjson"
            export.write_bytes(await callers.content("auditor", "/v1/audit/export", headers={"Purpose": "audit"}))
            if files:
                await self._check([export, *files], keys, proved, intact=True)
                for file in (export, files[0]):
                    await self._check([_altered(file)], keys, proved, intact=False)
            else:
                proved.differences.append("no decision has a receipt")
            if self.keep is not None:
                self.keep.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(export, self.keep)
                shutil.copyfile(keys, self.keep.with_name("keys.json"))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return proved

    async def _receipts(self, callers: Callers, folder: Path, reference: str, proved: Proved) -> Path | None:
        """Write the receipts of a case to a file, once all its decisions are sealed; None where none was made."""
        path = f"/v1/registrations/{reference}/receipts"
        end = time.monotonic() + SEAL_SECONDS
        content = await callers.content("auditor", path)
        while (found := json.loads(content))["pending"] and time.monotonic() < end:
            await asyncio.sleep(_PAUSE)
            content = await callers.content("auditor", path)
        if found["pending"]:
            proved.differences.append(f"{reference}: a decision was not sealed within {SEAL_SECONDS:.0f} s")
        if not found["items"]:
            return None
        proved.receipts += len(found["items"])
        file = folder / f"receipts-{reference}.json"
        file.write_bytes(content)
        return file

    async def _check(self, files: Sequence[Path], keys: Path, proved: Proved, *, intact: bool) -> None:
        process = await asyncio.create_subprocess_exec(
            *self.hetao,
            *["audit", "verify", *(str(file) for file in files), "--keys", str(keys), "--json"],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        told, complaint = await process.communicate()
        proved.files += len(files)
        if process.returncode == (0 if intact else 1):
            proved.altered_refused += not intact
            return
        said = (told or complaint).decode(errors="replace").strip()[:300]
        proved.differences.append(f"the check of {len(files)} files ended with {process.returncode}: {said}")


def _altered(file: Path) -> Path:
    """Return a copy of a file with one bit turned round in its middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    copy = file.with_name(f"altered-{file.name}")
    copy.write_bytes(bytes(content))
    return copy
