"""The files of config/, key by key; and every file type with its root."""

from collections.abc import Mapping

from leadflow.conditions.vocabulary import FieldType
from leadflow.playbook.limits import DAYS
from leadflow.playbook.model import Wish
from leadflow.playbook.model.look import COLORS
from leadflow.playbook.schedule import JOBS
from leadflow.playbook.schema.marketing import (
    email_schema,
    form_schema,
    persona_schema,
    segment_schema,
    sequence_schema,
)
from leadflow.playbook.schema.parts import (
    COLOUR,
    DATE,
    NAME,
    PERCENT,
    RATE,
    SHARE,
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
from leadflow.playbook.social import PATHS
from leadflow.types import Answer

_CONDITION, _SPAN, _DURATION, _LOCALISED = ref("condition"), ref("span"), ref("duration"), ref("localised")


def _leadflow() -> Schema:
    sender = mapping({"name": TEXT, "address": TEXT, "reply_to": TEXT}, ["name", "address", "reply_to"])
    choices = {"anyOf": [list_of(NAME), mapping_of(_LOCALISED)]}
    field = {"type": one_of(*FieldType), "choices": choices, "label": _LOCALISED, "question": _LOCALISED}
    never = {"name": TEXT, "when": _CONDITION, "unless_purpose": several(ref("purpose"))}
    pressure = mapping({"gap": _DURATION, "defer_at_most": _SPAN, "then": one_of("skip_step")})
    return mapping(
        {
            "brand": mapping(
                {
                    "name": TEXT,
                    "site": TEXT,
                    "postal_address": TEXT,
                    "languages": several(TEXT),
                    "colors": mapping(dict.fromkeys(COLORS, COLOUR)),
                    "font": TEXT,
                },
                ["name", "site", "postal_address", "languages"],
            ),
            "office": mapping({"zone": TEXT, "country": TEXT}, ["zone", "country"]),
            "sender": mapping_of(sender),
            "fields": mapping_of(mapping(field, ["type"])),
            "events": mapping_of(mapping({"label": _LOCALISED, "where": several(NAME)})),
            "segment_order": list_of(ref("segment")),
            "never": list_of(mapping(never, ["name", "when"])),
            "pressure": {**pressure, "patternProperties": {"^per_[1-9][0-9]{0,2}d$": integer(1)}},
            "window": mapping(
                {
                    "days": several(one_of(*DAYS)),
                    "from": WALL_TIME,
                    "to": WALL_TIME,
                    "holidays": one_of("lead_country", "office", "none"),
                    "spread": _DURATION,
                    "max_share_per_hour": PERCENT,
                }
            ),
            "brake": mapping(
                {
                    "hold_when": mapping(
                        {"sends_over": integer(0), "times_usual": integer(1), "handovers_over": integer(0)}
                    ),
                    "release": one_of("leadflow approve"),
                }
            ),
            "delivery": _delivery(),
            "confirmations": mapping(dict.fromkeys(map(str, Wish), NAME)),
            "topics": mapping_of(_LOCALISED),
            "retention": mapping({"after": _DURATION, "answer_within": _DURATION, "at_most": RATE, "raw": _DURATION}),
            "tracking": mapping({"links": one_of("on", "off"), "opens": one_of("off", "date")}),
            "social": mapping_of(mapping(dict.fromkeys((*PATHS, "network_is"), NAME))),
            "removed": mapping({"sequences": several(NAME)}),
        },
        ["brand", "office", "sender"],
    )


def _delivery() -> Schema:
    brakes = {
        "complaints": mapping({"pause_stream": SHARE, "stop_all": SHARE}),
        "bounces": mapping({"warn": SHARE, "pause_stream": SHARE}),
        "refusals": mapping({"pause_stream": SHARE}),
        "over": _DURATION,
        "from_sends": integer(1),
    }
    warm_up = {"from": DATE, "first_day": integer(1), "growth": PERCENT, "until": integer(1)}
    return mapping(
        {
            "rate": RATE,
            "domains": mapping_of(RATE),
            "warm_up": mapping(warm_up, warm_up),
            "canary": mapping({"first": integer(1), "or_share": PERCENT, "wait": _DURATION}),
            "on_unknown": one_of("hold", "resend"),
            "grace": _DURATION,
            "outage": mapping({"after": integer(1, 1000), "retry_after": _DURATION}),
            "brakes": mapping(brakes),
        }
    )


def _scoring() -> Schema:
    groups = mapping_of(mapping({"max": integer(1)}, ["max"]))
    points = integer(-100, 100)
    fit = {"name": NAME, "group": NAME, "points": points, "when": _CONDITION}
    engagement = {
        "name": NAME,
        "group": NAME,
        "event": several(ref("event")),
        "where": ref("where"),
        "points": points,
        "half_life": _DURATION,
        "max": integer(1),
        "once": TRUTH,
    }
    bound = integer(1, 100)
    return mapping(
        {
            "bands": mapping(
                {
                    "fit": mapping(dict.fromkeys("ABC", bound), "ABC"),
                    "engagement": mapping(dict.fromkeys("123", bound), "123"),
                }
            ),
            "fit": mapping(
                {
                    "groups": groups,
                    "rules": list_of(mapping(fit, fit)),
                    "veto": list_of(mapping({"name": NAME, "when": _CONDITION}, ["name", "when"])),
                },
                ["groups"],
            ),
            "engagement": mapping(
                {
                    "groups": groups,
                    "rules": list_of(mapping(engagement, ["name", "group", "event", "points", "half_life"])),
                },
                ["groups"],
            ),
        },
        ["fit", "engagement"],
    )


def _journey() -> Schema:
    stage = {"does": TEXT, "when": _CONDITION, "keep_while": _CONDITION, "fall_back_after": _DURATION}
    criterion = mapping({"when": _CONDITION, "ask": ref("declared_field")}, ["when"])
    earlier = {"score": PERCENT, "stage": one_of("ignored"), "hot": one_of("ignored")}
    return mapping(
        {
            "stages": mapping_of(mapping(stage)),
            "qualification": mapping({"criteria": mapping_of(criterion)}),
            "lifecycle": mapping(
                {
                    "prospect": mapping({"when": _CONDITION, "or_when_sales": one_of("accepts")}),
                    "customer": mapping({"when_crm": one_of("deal_won")}),
                    "lead_again": mapping(
                        {
                            "when_sales": several(one_of("rejects", "loses_deal")),
                            "rest": _DURATION,
                            "earlier_acts": mapping(earlier),
                        }
                    ),
                    "disqualified": mapping({"when_sales": several(NAME), "after_rejections": integer(1)}),
                }
            ),
        },
        ["stages"],
    )


def _sales() -> Schema:
    overdue = one_of("remind", "next_in_route", "manager")
    person = mapping(
        {
            "name": TEXT,
            "languages": several(ref("language")),
            "segments": several(ref("segment")),
            "alert": TEXT,
            "at_most": mapping({"per_day": integer(0), "open": integer(0)}),
            "away": list_of(mapping({"from": DATE, "to": DATE}, ["from", "to"])),
        },
        ["name"],
    )
    hot = {"name": NAME, "when": _CONDITION, "at": one_of("once", "sweep"), "answer_within": _SPAN}
    pool = mapping({"team_by": several(one_of("segment", "language"))}, ["team_by"])
    route = {"name": NAME, "to": {"anyOf": [one_of("account_owner", "manager"), pool]}, "pick": one_of("least_recent")}
    answer = mapping({"label": _LOCALISED, "reasons": several(NAME), "ask": one_of("date", "amount")})
    return mapping(
        {
            "team": list_of(person),
            "manager": person,
            "hot": list_of(mapping(hot, ["name", "when", "answer_within"])),
            "again": mapping({"same_lead": _DURATION, "same_account": _DURATION, "unless": several(ref("hot_rule"))}),
            "trigger_only_on": mapping({"acts_newer_than": _DURATION}),
            "route": list_of(mapping(route, ["name", "to"])),
            "while_with_sales": mapping({"sequences": several(one_of("pause")), "service_mails": one_of("continue")}),
            "no_answer": mapping(
                {
                    "at_100_percent": overdue,
                    "at_200_percent": overdue,
                    "at_300_percent": overdue,
                    "after": _DURATION,
                    "then": one_of("lead_again"),
                }
            ),
            "answers": mapping(dict.fromkeys(Answer, answer)),
        },
        ["manager", "route"],
    )


def _schedule() -> Schema:
    job = mapping(
        {
            "at": WALL_TIME,
            "every": _DURATION,
            "days": several(one_of(*DAYS)),
            "from": WALL_TIME,
            "to": WALL_TIME,
            "in_window": TRUTH,
            "catch_up": one_of("newest", "none"),
        }
    )
    jobs = mapping(dict.fromkeys(JOBS, job))
    workers = mapping({"at_once": integer(1, 100), "mails_each": integer(1, 1_000_000)})
    scheduler = one_of("embedded", "prefect", "none")
    return mapping({"scheduler": scheduler, "jobs": jobs, "workers": workers}, ["jobs"])


#: File type → its root.
FILES: Mapping[str, Schema] = {
    "leadflow": _leadflow(),
    "scoring": _scoring(),
    "journey": _journey(),
    "sales": _sales(),
    "schedule": _schedule(),
    "segment": segment_schema(),
    "sequence": sequence_schema(),
    "email": email_schema(),
    "form": form_schema(),
    "persona": persona_schema(),
}
