"""What the references of talent permits begin with: stored with every case, and never changed."""

from typing import Final

PREFIX: Final = "HT"
