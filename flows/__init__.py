"""Prefect flows: thin drivers of the phases, so that every run can be watched."""
