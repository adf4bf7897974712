"""`/f/{name}.js`: one line in a page of the site shows a form there, as high as it is."""

import json

from fastapi import APIRouter, Response

from leadflow.web.form_page import prefix_of
from leadflow.web.forms import form_named
from leadflow.web.fresh import Fresh

router = APIRouter()

#: Where the visitor came from goes with it; nothing is kept in the visitor's browser.
_SCRIPT = """(() => {
  const here = document.currentScript, page = new URL(location), base = new URL(here.src);
  const asked = new URLSearchParams({ embed: "1", page: page.origin + page.pathname, referrer: document.referrer });
  for (const [name, value] of page.searchParams) if (name.startsWith("utm_") || name === "who") asked.set(name, value);
  if (window.leadflow?.visitor) asked.set("visitor", leadflow.visitor);
  asked.set("lang", here.dataset.lang || document.documentElement.lang || navigator.language);
  const frame = document.createElement("iframe");
  frame.src = base.origin + PATH + "?" + asked;
  frame.title = here.dataset.title || TITLE;
  frame.style.cssText = "display:block;width:100%;height:36rem;border:0";
  addEventListener("message", (event) => {
    if (event.source === frame.contentWindow && event.origin === base.origin && event.data.leadflow > 0)
      frame.style.height = Math.min(event.data.leadflow, 6000) + "px";
  });
  here.after(frame);
})();
"""


# Before `/f/{name}`, which would take the name for one with a dot in it.
@router.api_route("/f/{name}.js", methods=["GET", "HEAD"])
def script(name: str, app: Fresh) -> Response:
    """The script that puts the form where it stands."""
    form = form_named(app, name)
    title = next(iter(form.title.values()), name)
    text = _SCRIPT.replace("PATH", json.dumps(f"{prefix_of(app)}/f/{name}")).replace("TITLE", json.dumps(title))
    headers = {"Cache-Control": "public, max-age=300", "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(text, media_type="text/javascript", headers=headers)
