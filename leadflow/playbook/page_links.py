"""Links to our own forms and pages, in emails and in pages: each leads to one that is there."""

import re
from collections.abc import Collection, Mapping

from leadflow.errors import Fault
from leadflow.reading import did_you_mean
from leadflow.text import _

_LINK = re.compile(r"(?:links\.page\(\s*[\"']|\]\(|href=[\"'])/(?P<kind>[fp])/(?P<name>[\w.-]+)")
_READ = ("templates/emails/", "pages/")


def wrong_links(files: Mapping[str, bytes], forms: Collection[str], pages: Collection[str]) -> list[Fault]:
    """A fault for each link of `files` (path → content) to a form or page that nobody wrote."""
    found = []
    for path, content in files.items():
        if not path.startswith(_READ) or path.endswith(".yaml"):
            continue
        text = content.decode("utf-8-sig")
        for match in _LINK.finditer(text):
            is_form = match["kind"] == "f"
            known = forms if is_form else pages
            told = _("there is no form {name}.") if is_form else _("there is no page {name}.")
            if match["name"] not in known:
                before = text[: match.start("name")]
                words = told.format(name=match["name"]) + did_you_mean(match["name"], known)
                line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
                found.append(Fault(file=path, line=line, column=column, message=words))
    return found
