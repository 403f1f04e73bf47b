"""What became of something that was asked for; the edge makes an answer of it."""

from enum import IntEnum


class Became(IntEnum):
    """What became of it: done at once, added as new, or taken on and waiting for somebody or for its time.

    The numbers are stored spellings: the first answer to a key is kept with one of them.
    """

    DONE = 200
    ADDED = 201
    WAITS = 202
