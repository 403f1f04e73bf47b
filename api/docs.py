"""The page that explains the problem codes."""

from html import escape

from domain.errors import PROBLEM_STATUS
from domain.field_errors import FieldCode
from domain.languages import Language
from texts.problems import field_message, problem_detail, problem_title

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}code{background:#eee;padding:0 .3em}"
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
        f"<style>{_STYLE}</style></head><body><h1>Problem codes</h1>{rows}"
        f"<h2><code>errors[].code</code></h2><dl>{fields}</dl></body></html>"
    )
