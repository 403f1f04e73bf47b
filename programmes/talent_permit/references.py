"""What references and numbers of registrations begin with: stored with every case, and never changed."""

from typing import Final

PREFIX: Final = "HT"
NUMBER_PREFIX: Final = "HR"
