"""The page to which a one-time link leads: it asks before it uses the link up, and shows what the person may read."""

import base64
import hashlib
from html import escape
from typing import Final

from domain.languages import Language
from texts.person import plain

# What is shown, each by the call of its name.
_PARTS: Final = ("registrations", "access-log", "data", "objections")
_STYLE: Final = (
    "body{font:16px/1.5 sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}"
    "pre{white-space:pre-wrap;background:#f4f4f4;padding:.7rem}button{font:inherit;padding:.3rem .8rem}"
    "label{display:block;margin:.5rem 0}input{font:inherit}"
)
# The secret comes from behind the `#` and goes nowhere but into the body of one call; the token stays in this page.
_TEMPLATE: Final = """
const PARTS = [PARTS];
const at = id => document.getElementById(id), lang = document.documentElement.lang;
let token = null;
const secret = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
at("use").hidden = !secret; at("ask").hidden = !!secret;
const call = async (method, path, body) => {
  const headers = {"Accept-Language": lang};
  if (token) headers.Authorization = "Bearer " + token;
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch("/v1/me/" + path, {method, headers, body: body && JSON.stringify(body)});
  const content = answer.status === 204 ? {} : await answer.json();
  at("said").textContent = answer.ok ? content.message || "" : content.title + " · " + content.detail;
  return answer.ok ? content : null;
};
const show = async path => {
  const content = await call("GET", path);
  if (content) at("shown").textContent = JSON.stringify(content.items || content, null, 2);
};
at("sign-in").onclick = async () => {
  const opened = await call("POST", "sessions", {link: secret});
  at("use").hidden = true; at("ask").hidden = !!opened;
  if (opened) { token = opened.token; at("in").hidden = false; await show("registrations"); }
};
at("ask").onsubmit = async event => {
  event.preventDefault();
  const address = at("address").value.trim(), body = {reference: at("reference").value.trim()};
  body[address.includes("@") ? "email" : "phone"] = address;
  await call("POST", "sign-in-links", body);
};
for (const path of PARTS) at(path).onclick = () => show(path);
at("sign-out").onclick = async () => { await call("POST", "sign-out"); location.reload(); };
"""
_SCRIPT: Final = _TEMPLATE.replace("[PARTS]", str(list(_PARTS)))
_HASH: Final = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; script-src 'sha256-{_HASH}'; style-src 'unsafe-inline'; "
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
        f'<pre id="shown"></pre></div><script>{_SCRIPT}</script></body></html>'
    )
