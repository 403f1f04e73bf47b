"""Dates, places, roles and acts as each language writes them."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from domain.actors import Role
from domain.languages import Language
from domain.stages import Destination, PendingAct
from texts.person import plain

_HANS: Final = Language.ZH_HANS
_HANT: Final = Language.ZH_HANT
_EN: Final = Language.EN

_CHINESE_WEEKDAYS: Final = "一二三四五六日"
_ENGLISH_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_PLACES: Final[Mapping[Language, Mapping[Destination, str]]] = {
    _HANS: {Destination.HK: "香港", Destination.MO: "澳门"},
    _HANT: {Destination.HK: "香港", Destination.MO: "澳門"},
    _EN: {Destination.HK: "Hong Kong", Destination.MO: "Macao"},
}
_ROLES: Final[Mapping[Language, Mapping[Role, str]]] = {
    _HANS: {Role.OFFICER: "园区经办人员", Role.SUPERVISOR: "园区主管人员"},
    _HANT: {Role.OFFICER: "園區經辦人員", Role.SUPERVISOR: "園區主管人員"},
    _EN: {Role.OFFICER: "officer of the Park", Role.SUPERVISOR: "supervisor of the Park"},
}
_ACTS: Final[Mapping[Language, Mapping[PendingAct, str]]] = {
    _HANS: {
        PendingAct.REFUSE: "不予备案",
        PendingAct.APPROVE: "批准备案",
        PendingAct.REVOKE: "撤销备案",
        PendingAct.WITHHOLD: "不送交名单",
        PendingAct.OUTCOME: "记录主管机关的答复",
    },
    _HANT: {
        PendingAct.REFUSE: "不予備案",
        PendingAct.APPROVE: "批准備案",
        PendingAct.REVOKE: "撤銷備案",
        PendingAct.WITHHOLD: "不送交名單",
        PendingAct.OUTCOME: "記錄主管機關的答覆",
    },
    _EN: {
        PendingAct.REFUSE: "refuse the registration",
        PendingAct.APPROVE: "approve the registration",
        PendingAct.REVOKE: "revoke the registration",
        PendingAct.WITHHOLD: "withhold the list entry",
        PendingAct.OUTCOME: "record the authority's answer",
    },
}


def field(value: str, language: Language) -> str:
    """Return what a field of a registration is called, as persons read it everywhere."""
    return str(plain("fields", value, language))


def day(value: date, language: Language) -> str:
    """Return the date with its weekday, written out so that no order of figures can be mistaken."""
    if language is _EN:
        return f"{_ENGLISH_WEEKDAYS[value.weekday()]}, {value.day} {_MONTHS[value.month - 1]} {value.year}"
    return f"{value.year}年{value.month}月{value.day}日（星期{_CHINESE_WEEKDAYS[value.weekday()]}）"


def place(destination: Destination, language: Language) -> str:
    """Return the name of a destination."""
    return _PLACES[language][destination]


def places(destinations: Iterable[Destination], language: Language) -> str:
    """Return the names of several destinations as one phrase."""
    names = [place(destination, language) for destination in destinations]
    return " and ".join(names) if language is _EN else "、".join(names)


def role(value: Role, language: Language) -> str:
    """Return how a letter names the role of its decider."""
    return _ROLES[language][value]


def act(value: PendingAct, language: Language) -> str:
    """Return how a staff notice names a proposal that waits for a second signature."""
    return _ACTS[language][value]
