"""The words a template may use: names, filters and tests; everything else is an error of `leadflow check`."""

from collections.abc import Iterable

#: Shown by every email, whatever the person.
_FIXED = (
    "brand.name",
    "brand.postal_address",
    "brand.site",
    "company.name",
    "lead.country",
    "lead.first_name",
    "lead.language",
    "lead.last_name",
    "links.page",
    "links.unsubscribe",
    "question.field",
    "question.label",
    "segment.name",
    "segment.title",
    "sender.first_name",
    "sender.name",
    "sender.reply_to",
)
#: What only the frame of _base may use besides.
FRAME = ("content", "language", "preheader", "strings.address", "strings.reason", "strings.unsubscribe", "subject")

#: Known for everybody by construction: never a reason to leave somebody out.
ALWAYS = frozenset(name for name in _FIXED if name.split(".")[0] in {"brand", "links", "sender"}) | {"lead.language"}

FILTERS = frozenset({"capitalize", "default", "join", "length", "lower", "replace", "title", "trim", "upper"})
TESTS = frozenset({"defined", "undefined"})


def allowed_names(fields: Iterable[str]) -> frozenset[str]:
    """The dotted names an email may use where the playbook declares `fields`."""
    return frozenset(_FIXED) | {f"lead.{name}" for name in fields}
