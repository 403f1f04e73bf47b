"""The page to which a one-time link leads: it asks before it uses the link up, and shows what the person may read."""

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from typing import Final

from domain.languages import Language
from texts.person import GROUPS, plain

# What is shown, each by the call of its name.
_PARTS: Final = ("registrations", "access-log", "data", "objections")
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#1c2430}"
    "article{border:1px solid #cfd6df;border-radius:.4rem;padding:.2rem 1rem .8rem;margin:1rem 0}"
    "h2{font-size:1.15rem}h3{font-size:1rem;margin:1rem 0 .3rem}h4{font-size:1rem;margin:.5rem 0}"
    "dl{display:grid;grid-template-columns:minmax(5rem,30%) 1fr;gap:.15rem 1rem;margin:.4rem 0}"
    "dt{color:#52606f}dd{margin:0;overflow-wrap:anywhere}table{border-collapse:collapse;font-size:.9rem;min-width:44rem}"
    "td,th{border-bottom:1px solid #dde3ea;padding:.25rem .6rem .25rem 0;text-align:left;vertical-align:top}"
    "section>div>div{overflow-x:auto}pre{white-space:pre-wrap;background:#f4f6f8;padding:.7rem;font:inherit}"
    "button,input,select,textarea{font:inherit;padding:.35rem .7rem;max-width:100%;box-sizing:border-box}"
    "textarea{width:100%}label{display:block;margin:.5rem 0}summary{cursor:pointer;margin:.3rem 0}"
    "#said:not(:empty){background:#eef4fb;padding:.5rem .8rem}[aria-pressed=true]{font-weight:600}"
    "#said{overflow-wrap:anywhere}[hidden]{display:none}"
)
_SCRIPT: Final = (files("api") / "me_page.js").read_text("utf-8")


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; script-src {_hash(_SCRIPT)}; style-src {_hash(_STYLE)}; "
    "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def me_page(language: Language) -> str:
    """Return the page in a language."""

    def say(code: str) -> str:
        return escape(str(plain("page", code, language)))

    buttons = "".join(f'<button id="{part}">{say(part)}</button> ' for part in _PARTS)
    return (
        f'<!doctype html><html lang="{language.value}"><head><meta charset="utf-8"><title>{say("title")}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f'<body><h1>{say("title")}</h1><p id="said" role="status"></p>'
        f'<div id="use" hidden><p>{say("use")}</p><button id="sign-in">{say("sign_in")}</button></div>'
        f'<form id="ask" hidden><p>{say("ask")}</p>'
        f'<label>{say("reference")} <input id="reference" required maxlength="20" autocomplete="off"></label>'
        f'<label>{say("address")} <input id="address" required maxlength="254"></label>'
        f"<button>{say('send')}</button></form>"
        f'<div id="in" hidden><p>{buttons}<button id="sign-out">{say("sign_out")}</button></p>'
        f'<div id="shown"></div></div><script type="application/json" id="words">{_words(language)}</script>'
        f"<script>{_SCRIPT}</script></body></html>"
    )


def _words(language: Language) -> str:
    """Return what the script says, in a form that no word of it can break out of."""
    said = {code: sentence.in_language(language) for code, sentence in GROUPS["page_words"].items()}
    return json.dumps(said, ensure_ascii=False).replace("<", "\\u003c")
