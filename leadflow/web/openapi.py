"""The API in the words of this workspace, as OpenAPI: its doors, what they take, what they answer, with examples."""

from collections.abc import Mapping
from typing import Any

from leadflow import __version__
from leadflow.conditions.vocabulary import FieldSpec, FieldType
from leadflow.intake.api_keys import ApiScope
from leadflow.intake.deal_words import DealState
from leadflow.intake.deals import DEAL_FIELDS
from leadflow.intake.person import BUILTIN_FIELDS
from leadflow.playbook.model import Playbook
from leadflow.playbook.vocabulary import CONSENT_PURPOSES
from leadflow.text import current_language

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_INSTANT: Json = {"type": "string", "format": "date-time", "examples": ["2026-03-24T09:12:00Z"]}
_EMAIL: Json = {"type": "string", "format": "email"}
_TYPES: Mapping[FieldType, Json] = {
    FieldType.TEXT: _TEXT,
    FieldType.CHOICE: _TEXT,
    FieldType.INTEGER: {"type": "integer"},
    FieldType.NUMBER: {"type": "number"},
    FieldType.BOOLEAN: {"type": "boolean"},
    FieldType.DATE: {"type": "string", "format": "date"},
}
_SOURCE: Json = {
    "type": "object",
    "description": "Where the visit came from.",
    "properties": dict.fromkeys(("utm_source", "utm_medium", "utm_campaign", "referrer"), _TEXT),
}
#: What each scope opens: path below /v1, schema, what it does.
DOORS: tuple[tuple[ApiScope, str, str, str], ...] = (
    (
        ApiScope.EVENTS,
        "events",
        "Event",
        "Store what people did; a request for a demo or a quote is acted on at once.",
    ),
    (ApiScope.LEADS, "leads", "Lead", "Store what is known of people."),
    (ApiScope.DEALS, "deals", "Deal", "Store how deals stand; whoever bought gets no nurturing mail from then on."),
)
#: Schema → an item of it.
EXAMPLES: Mapping[str, Json] = {
    "Event": {
        "event": "demo_requested",
        "email": "ana@b.example",
        "id": "form-8812",
        "at": "2026-03-24T09:12:00Z",
        "source_of": {"utm_source": "news", "utm_campaign": "spring"},
    },
    "Lead": {
        "email": "ana@b.example",
        "external_id": "crm-7",
        "first_name": "Ana",
        "company": "B",
        "basis": "legitimate_interest",
        "source": "trade fair",
        "informed_on": "2026-03-20",
        "consent": {"newsletter": True},
        "wording_version": "7",
    },
    "Deal": {"email": "ana@b.example", "deal_id": "d-41", "state": "won", "amount": 4200, "date": "2026-03-24"},
}
_ANSWERED: Json = {"accepted": 1, "rejected": 1, "errors": [{"item": 1, "error": "email: the address must have …"}]}


def openapi_of(playbook: Playbook, public_url: str) -> Json:
    """The document, with the acts and fields that the playbook knows."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"leadflow: {playbook.brand.name}",
            "version": __version__,
            "description": "Bodies are one item or a list of up to 1,000. Good items beside bad ones are kept.",
        },
        "servers": [{"url": public_url.rstrip("/")}],
        "security": [{"key": []}],
        "paths": {f"/v1/{path}": {"post": _door(scope, name, words)} for scope, path, name, words in DOORS},
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "Made by `leadflow keys new NAME`."}
            },
            "schemas": {
                "Event": _event(playbook),
                "Lead": _lead(playbook),
                "Deal": _deal(),
                "Answer": _answer(),
                "Error": {"type": "object", "properties": {"error": _TEXT}, "required": ["error"]},
            },
        },
    }


def _door(scope: ApiScope, name: str, words: str) -> Json:
    item = _schema(name)
    example = EXAMPLES[name]
    body = {
        "schema": {"oneOf": [item, {"type": "array", "items": item, "minItems": 1, "maxItems": 1000}]},
        "examples": {"one": {"value": example}, "list": {"value": [example]}},
    }
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "maxLength": 200},
        "description": "The same key with the same body gets the same answer for 24 hours, and is taken in once.",
    }
    return {
        "operationId": f"push_{scope}",
        "summary": words,
        "description": f"The key needs the scope `{scope}`.",
        "parameters": [key],
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {
            "202": _said("All items are stored.", "Answer", {"accepted": 1, "rejected": 0}),
            "207": _said("Some are stored; the others are told by their place, from 0.", "Answer", _ANSWERED),
            "422": _refused(),
            **{
                status: _said(why, "Error", {"error": why})
                for status, why in (
                    ("400", "The body is not JSON that can be kept."),
                    ("401", "This API key is not known."),
                    ("403", "This API key may not push this."),
                    ("413", "The body is too large: 2 MB at most."),
                    ("429", "This API key asks too often; the header Retry-After says when to come again."),
                )
            },
        },
    }


def _refused() -> Json:
    examples = {
        "each item is wrong": {**_ANSWERED, "accepted": 0},
        "another key is needed": {"error": "this Idempotency-Key came with another request in the last 24 hours"},
    }
    words = (
        "No item could be taken, there is none or more than 1,000, or the Idempotency-Key came with another request."
    )
    schema = {"anyOf": [_schema("Answer"), _schema("Error")]}
    return _told(words, schema, examples={name: {"value": value} for name, value in examples.items()})


def _said(words: str, schema: str, example: Json) -> Json:
    return _told(words, _schema(schema), example=example)


def _told(words: str, schema: Json, **shown: Json) -> Json:
    return {"description": words, "content": {"application/json": {"schema": schema, **shown}}}


def _schema(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _event(playbook: Playbook) -> Json:
    details = {name for spec in playbook.events.values() for name in spec.properties}
    return {
        "type": "object",
        "description": "Something somebody did; one of email, visitor and external_id says who.",
        "required": ["event"],
        "properties": {
            "event": {"type": "string", "enum": sorted(playbook.events)},
            "visitor": _TEXT,
            "id": {**_TEXT, "description": "The sender's own id of the act: told twice, it counts once."},
            "at": _INSTANT,
            **{name: {"type": ["string", "number", "boolean"]} for name in sorted(details | {"path"})},
            # After the details, for an act's own `email` is whose it was, not the mail it was about.
            **_who(),
            "fields": _fields(playbook),
            "consent": _consent(),
            "source_of": _SOURCE,
        },
    }


def _lead(playbook: Playbook) -> Json:
    return {
        "type": "object",
        "description": "A person; email or external_id says who. Fields may stand beside them or under `fields`.",
        "properties": {
            **dict.fromkeys(BUILTIN_FIELDS, _TEXT),
            **_who(),
            "no_mail": {"type": "boolean"},
            "fields": _fields(playbook),
            "consent": _consent(),
            **dict.fromkeys(("wording_version", "wording_hash", "page", "ip", "user_agent"), _TEXT),
            "source_of": _SOURCE,
        },
    }


def _deal() -> Json:
    return {
        "type": "object",
        "description": "A deal of somebody known; email or external_id says whose.",
        "required": ["state"],
        "properties": {
            **dict.fromkeys(DEAL_FIELDS, _TEXT),
            **_who(),
            "state": {"type": "string", "enum": list(DealState)},
            "amount": {"type": "number"},
        },
    }


def _answer() -> Json:
    wrong = {"type": "object", "properties": {"item": {"type": "integer", "minimum": 0}, "error": _TEXT}}
    counts = {name: {"type": "integer", "minimum": 0} for name in ("accepted", "rejected")}
    return {
        "type": "object",
        "required": list(counts),
        "properties": {**counts, "errors": {"type": "array", "items": wrong}},
    }


def _who() -> Json:
    return {"email": _EMAIL, "external_id": {**_TEXT, "description": "Another system's id of the person."}}


def _fields(playbook: Playbook) -> Json:
    return {"type": "object", "properties": {name: _field(spec) for name, spec in playbook.fields.items()}}


def _field(spec: FieldSpec) -> Json:
    known = {**_TYPES[spec.type], **({"enum": list(spec.choices)} if spec.choices else {})}
    label = spec.label.get(current_language()) or next(iter(spec.label.values()), "")
    return {**known, "description": label} if label else known


def _consent() -> Json:
    given = {purpose: {"type": "boolean"} for purpose in CONSENT_PURPOSES}
    return {"type": "object", "description": "Purpose → agreed, or withdrawn.", "properties": given}
