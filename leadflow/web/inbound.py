"""`POST /hooks/inbound/{key}`: answers to our mails, as SendGrid's inbound parse posts them; stored, then heard."""

import logging
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from leadflow.app import App, refresh
from leadflow.app.mail_back import hear_mails, keep_mails
from leadflow.errors import LeadflowError
from leadflow.web.bodies import KB, raw_body
from leadflow.web.hooks import SECRET
from leadflow.web.state import Opened

logger = logging.getLogger("leadflow.web")
router = APIRouter()
_LARGEST = 10_240 * KB
#: Fields a post may have; attachments are files, and not looked at.
_FIELDS = 60


_Body = Annotated[bytes, Depends(raw_body(_LARGEST))]


@router.post("/hooks/inbound/{key}", dependencies=[SECRET])
async def inbound(request: Request, app: Opened, raw: _Body, later: BackgroundTasks) -> Response:
    """204 after the commit; 400 for what is no form with a mail in it."""
    mail = await _mail_in(request.headers, raw)
    if mail is None:
        raise HTTPException(400, "this is no form with a mail")
    await run_in_threadpool(keep_mails, app, [mail], datetime.now(UTC))
    later.add_task(hear, app)
    return Response(status_code=204)


def hear(app: App) -> None:
    """Let an answer take effect at once; when that cannot be now, upkeep or the night does it."""
    try:
        hear_mails(refresh(app), datetime.now(UTC))
    except LeadflowError as error:
        logger.warning("an answer waits for upkeep: %s", type(error).__name__)
    except Exception as error:
        logger.error("hearing an answer failed: %s", type(error).__name__)


async def _mail_in(headers: Headers, raw: bytes) -> bytes | None:
    """The mail itself where the service was asked for it, else one written from its headers and its text."""

    async def body() -> AsyncGenerator[bytes, None]:
        yield raw

    if not headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return None
    try:
        parser = MultiPartParser(headers, body(), max_fields=_FIELDS, max_files=_FIELDS, max_part_size=_LARGEST)
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError):
        return None
    try:
        whole = form.get("email")
        if isinstance(whole, UploadFile):
            return await whole.read()
        return whole.encode("utf-8", "replace") if whole else _rewritten(form)
    finally:
        await form.close()


def _rewritten(form: FormData) -> bytes | None:
    """The service has decoded the text: its own headers say how, and the mail's no longer fit."""
    head, text = _text(form, "headers"), _text(form, "text") or _text(form, "html")
    if not head.strip():
        return None
    kind = "plain" if _text(form, "text") else "html"
    lines = head.replace("\r\n", "\n").replace("\r", "\n").strip("\n").split("\n")
    kept, is_content = [], False
    for line in lines:
        is_content = is_content if line[:1] in " \t" else line.lower().startswith(("content-", "mime-version:"))
        if line.strip() and not is_content:
            kept.append(line)
    ours = ["MIME-Version: 1.0", f"Content-Type: text/{kind}; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
    return "\n".join([*kept, *ours, "", text]).encode("utf-8", "replace")


def _text(form: FormData, name: str) -> str:
    value: Any = form.get(name)
    return value if isinstance(value, str) else ""
