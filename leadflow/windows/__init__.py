"""When mail may leave and business days begin: calendars expanded in Python, looked up in SQL."""

from leadflow.windows.clocks import due_after
from leadflow.windows.expressions import after_business_days, after_span, calendar_of, next_open, shortest
from leadflow.windows.spread import offset_of, whole_width, width_of, within_hours
from leadflow.windows.tables import ensure_calendars

__all__ = [
    "after_business_days",
    "after_span",
    "calendar_of",
    "due_after",
    "ensure_calendars",
    "next_open",
    "offset_of",
    "shortest",
    "whole_width",
    "width_of",
    "within_hours",
]
