"""Damaged and hostile files for every registered reader: ``python -m tests.fuzz``."""
