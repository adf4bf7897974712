"""Today's files for pages and forms: a saved one is shown at the next visit, a mistake leaves the last good ones."""

import time
from typing import Annotated

from fastapi import Depends, Request

from leadflow.app import App, refresh
from leadflow.errors import PlaybookError

#: Seconds between two looks at the files.
_PAUSE = 2.0


def _fresh(request: Request) -> App:
    state = request.app.state
    app: App = state.app
    now = time.monotonic()
    if now - getattr(state, "looked_at", -_PAUSE) >= _PAUSE:
        state.looked_at = now
        try:
            state.app = app = refresh(app)
        except PlaybookError:
            # `leadflow check` says what is wrong; visitors go on reading what was right.
            return app
    return app


Fresh = Annotated[App, Depends(_fresh)]
