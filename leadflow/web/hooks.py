"""`/hooks/…/{key}`: SendGrid posts to addresses with a secret in them; with another word there is no such door."""

import hmac

from fastapi import Depends, HTTPException

from leadflow.web.state import Opened


async def _check(key: str, app: Opened) -> None:
    own = app.settings.hook_key.get_secret_value()
    if not own or not hmac.compare_digest(key.encode("utf-8", "replace"), own.encode()):
        raise HTTPException(404)


#: Looked at before the body is read.
SECRET = Depends(_check)
