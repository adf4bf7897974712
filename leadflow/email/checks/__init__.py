"""Checks of what marketers wrote in an email: pure, from the source alone, each finding at its line and column."""

from leadflow.email.checks.rows import CHECKS, Check, Finding

__all__ = ["CHECKS", "Check", "Finding"]
