"""Promises of speed and memory, each measured in the same run as a peer or a lower bound."""
