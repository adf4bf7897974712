"""A workspace with every door open, and for each address of the site a word that is good there."""

import base64
import hashlib
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.routing import APIRoute
from pydantic import SecretStr
from sqlalchemy import Engine, bindparam, insert, text, update
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.intake.api_keys import ApiScope
from leadflow.intake.sendgrid import SIGNATURE_HEADER, TIMESTAMP_HEADER
from leadflow.links import (
    address_hash,
    sign_answer,
    sign_click,
    sign_confirm,
    sign_download,
    sign_opened,
    sign_preferences,
    sign_unsubscribe,
)
from leadflow.models import api_key, confirmation, identity, link
from leadflow.playbook.model import Page, PageText, Playbook, Rights, SocialTool, Wish
from leadflow.types import micros
from leadflow.web.site import DOORS
from tests.apps import an_app
from tests.build import add_lead
from tests.pipeline.mails import add_message, email, mail_playbook
from tests.pipeline.sales import open_handover, sales
from tests.web.books import BOTH, a_form

KEY, API_KEY, HOOK = "k" * 32, "leadflow_" + "a" * 40, "a-secret"
#: Leads 1 to so many; the hand-over and the mail are the first one's.
PEOPLE = 40
_PROVIDER = generate_private_key(SECP256R1())
_SOCIAL = SocialTool(name="megaphone", items="data.list", email="who.mail", id="id", at="t", network="net")


def open_wide(engine: Engine, workspace: Path) -> App:
    """The workspace over an empty database."""
    (workspace / "downloads").mkdir(exist_ok=True)
    (workspace / "downloads" / "guide.pdf").write_bytes(b"%PDF")
    now = datetime.now(UTC)
    with Session(engine) as session, session.begin():
        open_handover(session, 1)
        for one in range(2, PEOPLE + 1):
            add_lead(session, one, language="en", basis="consent")
        hashes = [{"of": one, "to": address_hash(KEY, f"p{one}@x.example")} for one in range(1, PEOPLE + 1)]
        known = update(identity).where(identity.c.id == bindparam("of")).values(hash=bindparam("to"))
        session.connection().execute(known, hashes)
        add_message(session, 1, lead_id=1, state="accepted", attempt_id="w1-1")
        wish = {"message_id": 1, "kind": "keep", "lead_id": 1, "identity_id": 1, "asked_at": now}
        session.execute(insert(confirmation), wish | {"expires_at": now + timedelta(days=7)})
        session.execute(insert(link), {"id": 3, "url": "https://a.example/tarifs"})
        may = {"name": "all", "hash": hashlib.sha256(API_KEY.encode()).hexdigest(), "scopes": " ".join(ApiScope)}
        # Used within the hour: a first use is noted.
        session.execute(insert(api_key), may | {"created_at": now, "used_at": now})
        if engine.dialect.name == "postgresql":
            # It does not see the ids that were given here.
            session.execute(text("SELECT setval(seqrelid, 1000) FROM pg_sequence"))
    app = an_app(engine, book=_book(), workspace=workspace)
    told = {"hook_key": SecretStr(HOOK), "sendgrid_webhook_keys": _public()}
    return replace(app, settings=app.settings.model_copy(update=told))


def _book() -> Playbook:
    text = PageText(title="On us", description="What it is about.", html="<h1>Us</h1>")
    pages = [Page(name=name, texts=dict.fromkeys(BOTH, text)) for name in ("open", "guide")]
    pages[1] = replace(pages[1], behind="letter")
    wishes = Rights(emails=dict.fromkeys(Wish, "confirm"))
    asks = email("confirm", "Is it you?\n\n**[Yes]({{ links.confirm }})**\n", purpose="service", pick="named")
    return mail_playbook(
        asks,
        sales=sales(),
        rights=wishes,
        social={"megaphone": _SOCIAL},
        forms={"letter": a_form(double_opt_in=True, download=dict.fromkeys(BOTH, "downloads/guide.pdf"))},
        pages={page.name: page for page in pages},
    )


def addresses(method: str) -> Iterator[str]:
    """Every address that answers to `method`, each with a word that opens it."""
    until = micros(datetime.now(UTC) + timedelta(days=1))
    tokens = {
        "u": sign_unsubscribe(KEY, 2, "nurture"),
        "c": sign_click(KEY, 1, 3),
        "h": sign_answer(KEY, 1, "Marc", "later"),
        "confirm": sign_confirm(KEY, 1),
        "preferences": sign_preferences(KEY, 3),
        "o": sign_opened(KEY, 3),
    }
    names = {"p": "open", "f": "letter", "forms": "letter"}
    keys = {"inbound": HOOK, "social": API_KEY}
    routes = [route for router in DOORS for route in router.routes if isinstance(route, APIRoute)]
    for route in routes:
        if method not in (route.methods or ()):
            continue
        parts = route.path.split("/")
        words = {
            "token": tokens.get(parts[1], "x"),
            "name": names.get(parts[1], "x"),
            "key": keys.get(parts[2] if len(parts) > 2 else "", HOOK),
            "word": sign_download(KEY, "letter", until),
            "wish": "copy",
            "tool": "megaphone",
        }
        yield route.path.format_map(words)


def signed(raw: bytes) -> dict[str, str]:
    """The headers with which the provider says that `raw` is its own."""
    stamp = str(int(time.time()))
    signature = base64.b64encode(_PROVIDER.sign(stamp.encode() + raw, ECDSA(SHA256()))).decode()
    return {SIGNATURE_HEADER: signature, TIMESTAMP_HEADER: stamp, "Content-Type": "application/json"}


def _public() -> str:
    told: Any = _PROVIDER.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(told).decode()
