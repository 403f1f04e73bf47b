"""The sides of the comparison: each starts its processes and gives the driver the same handles."""

from bench.compare.sides.base import Side
from bench.compare.sides.dbos import DbosSide
from bench.compare.sides.hetao import HetaoSide
from bench.compare.sides.plain import PlainSide
from bench.compare.sides.restate import RestateSide

ALL: dict[str, type[Side]] = {
    "hetao": HetaoSide,
    "plain_temporal": PlainSide,
    "dbos": DbosSide,
    "restate": RestateSide,
}

__all__ = ["ALL", "Side"]
