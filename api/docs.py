"""The docs pages: the OpenAPI document as a page, and what the problem codes mean; their parts all come from here."""

from html import escape
from importlib.resources import files
from typing import Final

from domain.errors import PROBLEM_STATUS
from domain.field_errors import FieldCode
from domain.languages import Language
from texts.problems import field_message, problem_detail, problem_title

_ASSETS: Final = "/docs/assets"
_STYLE: Final = (
    "body{font:16px/1.5 sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}code{background:#eee;padding:0 .3em}"
)
_START: Final = (
    'SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", layout: "BaseLayout", deepLinking: true,'
    " showExtensions: true, showCommonExtensions: true, persistAuthorization: true, validatorUrl: null,"
    " presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset]});\n"
)
_BUNDLED: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
_OURS: Final = {"start.js": ("text/javascript", _START), "problems.css": ("text/css", _STYLE)}
HEADERS: Final = {
    # Nothing stands in the page itself, so that nothing put into it runs; the signs of the page are data URLs.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
}


def find_asset(name: str) -> tuple[str, bytes] | None:
    """Return media type and content of a script, style or picture of the pages, where there is one of the name."""
    if name in _OURS:
        kind, content = _OURS[name]
        return kind, content.encode()
    if name in _BUNDLED:
        return _BUNDLED[name], files("fastapi_offline").joinpath("static", name).read_bytes()
    return None


def api_page() -> str:
    """Return the page on which the OpenAPI document is read and tried."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Hetao permits: HTTP API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="{_ASSETS}/swagger-ui.css"><link rel="icon" href="{_ASSETS}/favicon.png"></head>'
        f'<body><div id="swagger-ui"></div><script src="{_ASSETS}/swagger-ui-bundle.js"></script>'
        f'<script src="{_ASSETS}/start.js"></script></body></html>'
    )


def problems_page(language: Language) -> str:
    """Return the page in a language: each problem code with its status and words, then the codes of single fields."""
    rows = "\n".join(
        f'<h2 id="{code}"><code>{code}</code> · {status}</h2>'
        f"<p><strong>{escape(problem_title(code, language))}</strong> {escape(problem_detail(code, language))}</p>"
        for code, status in sorted(PROBLEM_STATUS.items(), key=lambda entry: (entry[1], entry[0]))
    )
    fields = "\n".join(
        f"<dt><code>{code}</code></dt><dd>{escape(field_message(code, language))}</dd>" for code in sorted(FieldCode)
    )
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>Problem codes</title>'
        f'<link rel="stylesheet" href="{_ASSETS}/problems.css"></head><body><h1>Problem codes</h1>{rows}'
        f"<h2><code>errors[].code</code></h2><dl>{fields}</dl></body></html>"
    )
