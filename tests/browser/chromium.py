"""Which Chromium the tests drive: the one that is installed, by its path; none is ever downloaded."""

import os
import shutil
from pathlib import Path
from typing import Final

# Debian's package, Ubuntu's, and what others call it.
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING: Final = (
    "No Chromium is installed: run `apt-get install chromium fonts-noto-cjk`, or set HETAO_CHROMIUM to its path."
)


def find_chromium() -> Path | None:
    """Return the path of the browser; None where there is none."""
    named = os.environ.get("HETAO_CHROMIUM")
    found = named or next((path for name in _NAMES if (path := shutil.which(name))), None)
    return Path(found) if found else None


def arguments() -> list[str]:
    """Return what it is started with: its sandbox does not start as root, as CI runs."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []
