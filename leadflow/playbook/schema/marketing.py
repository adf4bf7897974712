"""The files marketers write every week, key by key: segments, sequences, emails."""

from leadflow.playbook.schema.parts import (
    DATE,
    NAME,
    PERCENT,
    TEXT,
    TRUTH,
    WALL_TIME,
    Schema,
    integer,
    list_of,
    mapping,
    mapping_of,
    one_of,
    ref,
    several,
)
from leadflow.playbook.vocabulary import CONSENT_PURPOSES
from leadflow.steps import step_types

_CONDITION, _SPAN, _DURATION, _LOCALISED = ref("condition"), ref("span"), ref("duration"), ref("localised")


def segment_schema() -> Schema:
    """A file of segments/."""
    examples = mapping({"match": list_of(ref("example")), "no_match": list_of(ref("example"))})
    keys = {"title": _LOCALISED, "why": TEXT, "opener": _LOCALISED, "when": _CONDITION, "examples": examples}
    return mapping(keys, ["title", "when"])


def sequence_schema() -> Schema:
    """A file of config/sequences/."""
    ramp = {"anyOf": [one_of("none", "all"), {"type": "string", "pattern": "^[1-9][0-9]{0,6} per day$"}]}
    again = mapping({"after": _DURATION, "at_most": integer(1)}, ["after"])
    return mapping(
        {
            "title": _LOCALISED,
            "track": NAME,
            "priority": integer(0, 1000),
            "live": TRUTH,
            "existing": {"anyOf": [ramp, mapping({"enter": ramp})]},
            "enter": _CONDITION,
            "exit": _CONDITION,
            "goal": _CONDITION,
            "on_unmatch": one_of("pause", "exit", "finish"),
            "reentry": {"anyOf": [one_of("once", "always"), again]},
            "steps": {**list_of(_step()), "minItems": 1},
            "removed": mapping_of(NAME),
            "was": NAME,
        },
        ["title", "track", "enter", "steps"],
    )


def _step() -> Schema:
    every = {"name": NAME, "was": NAME, "then": NAME}
    return {
        "type": "object",
        "oneOf": [mapping({**every, **kind.keys}, ["name", name]) for name, kind in step_types().items()],
    }


def email_schema() -> Schema:
    """The email.yaml of a folder of templates/emails/."""
    audience = {
        "stage": several(ref("stage")),
        "segments": several(ref("segment")),
        "fit": several(ref("fit_band")),
        "engagement": several(ref("engagement_band")),
        "languages": several(ref("language")),
        "when": _CONDITION,
    }
    return mapping(
        {
            "title": TEXT,
            "purpose": ref("purpose"),
            "topic": NAME,
            "pick": one_of("best", "named"),
            "for": mapping(audience),
            "rank": integer(0, 1000),
            "again_after": _DURATION,
            "sender": one_of("brand", "owner"),
            "subject": _LOCALISED,
            "preheader": _LOCALISED,
            "defaults": mapping_of(_LOCALISED),
            "expires": _SPAN,
            "freeze": TRUTH,
            "was": NAME,
            "variants": mapping_of(
                mapping({"share": PERCENT, "subject": _LOCALISED, "preheader": _LOCALISED}, ["share"])
            ),
        },
        ["title", "subject"],
    )


def form_schema() -> Schema:
    """A file of config/forms/."""
    asked = {"field": NAME, "needed": TRUTH, "label": _LOCALISED, "hint": _LOCALISED, "lines": integer(1, 20)}
    following = mapping({"ask_next": one_of("qualification")}, ["ask_next"])
    wording = {"purpose": one_of(*CONSENT_PURPOSES), "wording": _LOCALISED, "needed": TRUTH}
    return mapping(
        {
            "title": _LOCALISED,
            "intro": _LOCALISED,
            "button": _LOCALISED,
            "event": ref("event"),
            "details": mapping_of(TEXT),
            "fields": {**list_of({"anyOf": [NAME, mapping(asked, ["field"]), following]}), "minItems": 1},
            "consent": list_of(mapping(wording, ["purpose", "wording"])),
            "notice": _LOCALISED,
            "double_opt_in": TRUTH,
            "thanks": mapping({"title": _LOCALISED, "text": _LOCALISED, "page": _LOCALISED}),
            "download": _LOCALISED,
        },
        ["title", "button", "fields", "notice", "thanks"],
    )


def persona_schema() -> Schema:
    """A file of personas/."""
    said = {"anyOf": [one_of("accept"), mapping({"reject": TEXT, "won": integer(0), "lost": TEXT})]}
    mails = several(TEXT)
    expected = {"with_sales": TEXT, "standing": mails, "tonight": TEXT, "decided": mails, "reads": mails}
    day = {
        "day": integer(1, 400),
        "at": WALL_TIME,
        "does": several({"anyOf": [TEXT, {"type": "object"}]}),
        "sales": said,
        "receives": mails,
        "stage": ref("stage"),
        "lifecycle": TEXT,
        "segment": ref("segment"),
        "band": TEXT,
        **expected,
    }
    return mapping(
        {
            "title": TEXT,
            "starts": DATE,
            "who": {"type": "object"},
            "days": {**list_of(mapping(day, ["day"])), "minItems": 1},
            "never_receives": mails,
        },
        ["title", "starts", "who", "days"],
    )
