"""Whether this run may take its time."""

import os

import pytest

SOAK = bool(os.environ.get("LEADFLOW_SOAK"))

#: For what says little of a database, or that a test is sharp: on one of them here, on both in a soak.
ON_ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite", "postgres"] if SOAK else ["sqlite"], indirect=True)
