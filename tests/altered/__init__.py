"""What is stored of files that people, copying and crashes have changed: ``python -m tests.altered``."""
