"""The small parts schemas are made of, and the names a playbook declares."""

from collections.abc import Iterable, Mapping
from typing import Any

from leadflow.playbook.model import Playbook
from leadflow.playbook.vocabulary import ENGAGEMENT_BANDS, FIT_BANDS
from leadflow.types import Purpose

Schema = dict[str, Any]

TRUTH: Schema = {"type": "boolean"}
#: An editor takes `2026` or `1.10` for a number; leadflow reads every scalar as text.
TEXT: Schema = {"type": ["string", "number", "boolean"]}
NAME: Schema = {"type": ["string", "integer"]}
DATE: Schema = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
COLOUR: Schema = {"type": "string", "pattern": r"^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"}
WALL_TIME: Schema = {"type": "string", "pattern": r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"}
PERCENT: Schema = {"type": "string", "pattern": r"^[0-9]{1,3} ?%$"}
SHARE: Schema = {"type": "string", "pattern": r"^[0-9]{1,2}(\.[0-9]{1,2})? ?%$"}
RATE: Schema = {"type": "string", "pattern": r"^[1-9][0-9]{0,5} +(per|an?) +(second|minute|hour|day)$"}


def integer(least: int | None = None, most: int | None = None) -> Schema:
    """A whole number within bounds."""
    bounds = {"minimum": least, "maximum": most}
    return {"type": "integer", **{key: value for key, value in bounds.items() if value is not None}}


def one_of(*words: str) -> Schema:
    """One of some fixed words."""
    return {"enum": list(words)}


def ref(part: str) -> Schema:
    """A part that all schemas share."""
    return {"$ref": f"#/$defs/{part}"}


def several(item: Schema) -> Schema:
    """One, or a list of some."""
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def mapping(keys: Mapping[str, Schema], needed: Iterable[str] = ()) -> Schema:
    """A mapping with these keys and no other."""
    return {
        "type": "object",
        "properties": dict(keys),
        "required": list(needed),
        "additionalProperties": False,
    }


def mapping_of(value: Schema) -> Schema:
    """A mapping from names of one's own."""
    return {"type": "object", "additionalProperties": value}


def list_of(item: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": item}


def named(names: Iterable[str]) -> Schema:
    """One of the names the playbook declares; any where it declares none."""
    known = sorted(names)
    return {"enum": known} if known else dict(NAME)


def shared_parts(playbook: Playbook | None) -> dict[str, Schema]:
    """What several files use, and the names of `playbook`."""
    return {
        "span": {"type": "string", "pattern": r"^[0-9]{1,5} *(minute|hour|day|week|business[_ ](day|hour))s?$"},
        "duration": {"type": "string", "pattern": r"^[0-9]{1,5} *(minute|hour|day|week)s?$"},
        "localised": {"anyOf": [TEXT, mapping_of(TEXT)]},
        "purpose": one_of(*Purpose),
        "fit_band": one_of(*FIT_BANDS),
        "engagement_band": {"enum": [*ENGAGEMENT_BANDS, *map(int, ENGAGEMENT_BANDS)]},
        "language": named(playbook.brand.languages if playbook else ()),
        "stage": named(stage.name for stage in playbook.journey.stages) if playbook else dict(NAME),
        "segment": named(playbook.segments if playbook else ()),
        "email": named(playbook.emails if playbook else ()),
        "declared_field": named(playbook.fields if playbook else ()),
        "hot_rule": named(rule.name for rule in playbook.sales.hot) if playbook else dict(NAME),
    }
