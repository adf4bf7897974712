"""`/v1/openapi.json` and `/v1/docs`: the API for programs and for people; the page loads nothing from anywhere."""

import base64
import hashlib
import json
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from leadflow.text import speaking
from leadflow.web.fresh import Fresh
from leadflow.web.openapi import DOORS, EXAMPLES, openapi_of
from leadflow.web.pages import language_of, template

router = APIRouter(prefix="/v1")

_STYLE = """
:root { color-scheme: light dark }
body { font: 1.125rem/1.6 system-ui, sans-serif; margin: 0; color: #1d2433; background: #fff }
main { max-width: 52rem; margin: 6vh auto; padding: 0 1.5rem }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 1rem }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 3rem 0 .5rem }
.brand { color: #55607a; margin: 0 0 2rem }
code, pre { font: .9rem/1.5 ui-monospace, monospace } h2 code { font-size: 1.2rem }
pre { overflow-x: auto; padding: 1rem; border: 1px solid #8a94a8; border-radius: .5rem; white-space: pre-wrap }
table { border-collapse: collapse; font-size: 1rem }
th, td { text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0 }
th, td:first-child { white-space: nowrap }
td:last-child { overflow-wrap: anywhere }
a { color: inherit }
:focus-visible { outline: 3px solid #1b4fd6; outline-offset: 3px }
@media (prefers-color-scheme: dark) {
  body { color: #e8ebf2; background: #14181f } .brand { color: #a3adc2 } :focus-visible { outline-color: #8fb0ff }
}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@router.api_route("/openapi.json", methods=["GET", "HEAD"])
def openapi(request: Request, app: Fresh) -> Response:
    """The document, in the words of today's playbook."""
    with speaking(language_of(request, None)):
        return JSONResponse(openapi_of(app.playbook, app.settings.public_url))


@router.api_route("/docs", methods=["GET", "HEAD"])
def docs(request: Request, app: Fresh) -> Response:
    """The same for whoever writes the program."""
    language = language_of(request, None)
    with speaking(language):
        told = openapi_of(app.playbook, app.settings.public_url)
        html = template("api.html").render(
            language=language, brand=app.playbook.brand.name, style=_STYLE, told=told, doors=_doors(told)
        )
    return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY, "Content-Language": language})


def _doors(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Each door with a call that can be pasted, and what its items may hold."""
    url = told["servers"][0]["url"]
    return [
        {
            "path": f"/v1/{path}",
            "scope": scope,
            "words": words,
            "call": f"curl -X POST {url}/v1/{path} -H 'Authorization: Bearer KEY' \\\n  -H 'Idempotency-Key: 1' -d '"
            + json.dumps([EXAMPLES[name]], indent=2, ensure_ascii=False)
            + "'",
            "rows": [_row(*pair) for pair in told["components"]["schemas"][name]["properties"].items()],
        }
        for scope, path, name, words in DOORS
    ]


def _row(name: str, spec: dict[str, Any]) -> tuple[str, str, str]:
    """Name, type and values of one property."""
    kind = spec.get("format") or spec["type"]
    values = ", ".join(spec.get("enum") or spec.get("properties") or ())
    return name, kind if isinstance(kind, str) else " / ".join(kind), values or spec.get("description", "")
