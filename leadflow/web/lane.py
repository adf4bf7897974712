"""The fast lane from a door: whoever raised a hand is answered at once, after the answer to the request."""

import logging
from datetime import UTC, datetime

from leadflow.app import App, refresh, sweep_raised
from leadflow.errors import LeadflowError

logger = logging.getLogger("leadflow.web")


def answer_hands(app: App) -> None:
    """Take in what came and sweep who raised a hand; when it cannot be done now, upkeep does within minutes."""
    try:
        sweep_raised(refresh(app), lambda: datetime.now(UTC))
    except LeadflowError as error:
        logger.warning("a raised hand waits for upkeep: %s", type(error).__name__)
    except Exception as error:
        logger.error("the fast lane failed: %s", type(error).__name__)
