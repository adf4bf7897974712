"""Merge fields as other programs write them, and greetings that name nobody when the name is missing."""

import re
from collections.abc import Iterator, Mapping

from leadflow.email.checks.rows import Finding
from leadflow.email.checks.source import NOTHING, VALUE, Written
from leadflow.reading import nearest
from leadflow.text import _

_FOREIGN = re.compile(
    r"\*\|[A-Z_:0-9]{2,40}\|\*"  # Mailchimp
    r"|%%[A-Za-z_]{2,40}%%|%[A-Z_]{4,40}%"  # Salesforce, Brevo
    r"|\[\[\s*\w[\w.:]{1,40}\s*\]\]"  # listmonk's elders
    r"|\$?(?<![{\w])\{\s*(?:lead|contact|company|subscriber|user|person)\.\w{1,40}\s*\}(?!\})"  # one brace
    r"|<%=?[^%<>\n]{1,80}%>"  # ERB and its like
)
_GREETING = re.compile(
    r"(?:^|(?<=[\s>]))(Hi|Hello|Dear|Hey|Bonjour|Bonsoir|Cher|Chère|Salut)( | |&nbsp;)"
    r"\{\{-?\s*((?:lead|company)\.\w+)\s*-?\}\}\s*([,!.])"
)
_SAME = {
    **dict.fromkeys(("fname", "firstname", "prenom", "prénom"), "lead.first_name"),
    **dict.fromkeys(("lname", "lastname", "nom"), "lead.last_name"),
    **dict.fromkeys(("company", "societe", "société", "entreprise"), "company.name"),
}


def check_merge_fields(written: Written, plain: str, known: frozenset[str]) -> Iterator[Finding]:
    """Findings for what people would read as it stands, with the name of ours that was probably meant."""
    for found in _FOREIGN.finditer(plain):
        if VALUE in found[0] or NOTHING in found[0]:
            continue
        near = _meant(re.sub(r"[^\w.]", "", found[0]), known)
        mend = _("Write {words}").format(words=f"{{{{ {near} }}}}") if near else _("Take it out, or write {{ lead.… }}")
        yield written.finding("foreign-merge-field", found.start(), words=found[0], mend=mend)


def _meant(word: str, known: frozenset[str]) -> str | None:
    leaf = word.rpartition(".")[2].casefold().replace("_", "")
    if same := _SAME.get(leaf):
        return same
    leaves = {
        name.rpartition(".")[2]: name for name in sorted(known, reverse=True) if name.startswith(("lead.", "company."))
    }
    near = nearest(word.rpartition(".")[2], leaves)
    return leaves[near] if near else None


def check_greeting(written: Written, defaults: Mapping[str, str]) -> Iterator[Finding]:
    """Findings for `Hello {{ lead.first_name }},` where a missing name is an empty one."""
    for found in _GREETING.finditer(written.text):
        if defaults.get(found[3]) == "":
            told = {"name": found[3], "greeting": found[1], "sign": found[4]}
            yield written.finding("greets-nobody", found.start(1), words=f"{found[1]} {found[4]}", **told)
