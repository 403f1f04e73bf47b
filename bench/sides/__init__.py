"""The sides of the comparison: each starts its processes and gives the driver the same handles."""

from bench.sides.base import Side
from bench.sides.dbos import DbosSide
from bench.sides.hetao import HetaoSide
from bench.sides.plain import PlainSide
from bench.sides.restate import RestateSide

ALL: dict[str, type[Side]] = {
    "hetao": HetaoSide,
    "plain_temporal": PlainSide,
    "dbos": DbosSide,
    "restate": RestateSide,
}

__all__ = ["ALL", "Side"]
