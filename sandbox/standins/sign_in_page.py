"""The page of the stand-in issuer: the demo personas, each with a button; in three languages, and without a script."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from starlette.responses import HTMLResponse

from domain.accept_language import negotiate
from domain.actors import Role
from domain.languages import Language

_STYLE: Final = (
    "body{font:16px/1.6 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#16282c}"
    "h1{font-size:1.6rem}h2{font-size:1.1rem;margin:1.4rem 0 .4rem}p{color:#4b5c61}"
    "button{font:inherit;display:block;width:100%;text-align:start;margin:.3rem 0;padding:.5rem .9rem;cursor:pointer;"
    "border:1px solid #5d6f74;border-radius:4px;background:#fff;color:#16282c}"
    "button:hover{background:#f5f3ec}button:focus{outline:3px solid #ffce3d;outline-offset:0}small{color:#4b5c61}"
)
# Heading, what it is, and the roles, by language.
_WORDS: Final[Mapping[Language, tuple[str, str, Mapping[Role, str]]]] = {
    Language.ZH_HANS: (
        "选择一个演示身份登录",
        "这是替代真实身份系统的样例，没有密码。所有人物和单位均为虚构。",
        {
            Role.EMPLOYER: "用人单位",
            Role.OFFICER: "工作人员",
            Role.SUPERVISOR: "主管",
            Role.OPERATOR: "运维",
            Role.AUDITOR: "审计",
            Role.PERSON: "本人",
        },
    ),
    Language.ZH_HANT: (
        "選擇一個演示身份登入",
        "這是替代真實身份系統的樣例，沒有密碼。所有人物和單位均屬虛構。",
        {
            Role.EMPLOYER: "用人單位",
            Role.OFFICER: "工作人員",
            Role.SUPERVISOR: "主管",
            Role.OPERATOR: "運維",
            Role.AUDITOR: "審計",
            Role.PERSON: "本人",
        },
    ),
    Language.EN: (
        "Choose a demo persona to sign in as",
        "This stands in for a real identity provider and has no passwords. All people and bodies are made up.",
        {
            Role.EMPLOYER: "Employer",
            Role.OFFICER: "Staff",
            Role.SUPERVISOR: "Supervisor",
            Role.OPERATOR: "Operator",
            Role.AUDITOR: "Auditor",
            Role.PERSON: "Person",
        },
    ),
}


def page_of(personas: Mapping[str, Any], asked: Mapping[str, str], accept_language: str) -> HTMLResponse:
    """Return the page; `asked` goes on with the choice."""
    language = negotiate(accept_language)
    heading, what, roles = _WORDS[language]
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in asked.items()
    )
    groups = "".join(
        f"<h2>{words}</h2>"
        + "".join(
            f'<button name="persona" value="{escape(name)}"><span lang="en">{escape(each.name)}</span> '
            f"<small>{escape(name)}</small></button>"
            for name, each in personas.items()
            if each.role is role
        )
        for role, words in roles.items()
    )
    return HTMLResponse(
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{heading}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f'<body><main><h1>{heading}</h1><p>{what}</p><form method="post" action="/authorize">{hidden}{groups}</form>'
        "</main></body></html>",
        headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )
