"""Whether this run may take its time."""

import os

SOAK = bool(os.environ.get("LEADFLOW_SOAK"))
