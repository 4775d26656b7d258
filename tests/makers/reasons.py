"""Kinds of reasons why something is not done, told by their sentences."""

from __future__ import annotations

import re
from enum import StrEnum

from imaging_pipeline.explaining.reasons import Item, Reason


class Kind(StrEnum):
    """What stands in the way: the sentence that tells it, as a pattern for all of it."""

    ERROR = r"\w*Error: .*"
    IGNORED = r"(It is ignored|\w+ ignored it, [-0-9]+ [:0-9]+( \(.*\))?)\."
    RUNNING = r"\S+ makes it, process \d+ on \S+?(: .*)?\. Its last sign of life was .* ago\."
    SILENT = r"\S+ has it, process \d+ on \S+, and has given no sign of life for .*\."
    ORPHAN = r"It is reserved by process \d+ on \S+, which belongs to no known worker\."
    LATER = r"(It is scheduled for later\.|.* It was tried (once|\d+ times)\.)"
    GIVEN_BACK = r"It was given back: .*"
    WAITS_FOR_WORKER = r".* can make it\."
    NO_WORKER = r"No worker of the lane \w+ runs(, only of .*)?\."
    UNABLE = r".* on \S+ cannot make it: .*\."
    NO_PARENT = r"It waits for \w+\."
    NO_ANIMAL = r"The animal '.*' is not here yet\..*"
    NO_SESSION = r"None of its sessions is left\."
    NO_OPTION_SET = r"No option set of Suite2p is asked for, so that it does not run by itself\."
    NO_OUTPUT = r"Suite2p has run, and the folder was not registered since, .*"
    OUTPUT_NOT_TAKEN = r"The output \S+ is (incomplete|superseded|foreign|finished): .*\."
    NO_TIFS = r"No tifs of the session are registered, which Suite2p reads and .*"
    NOT_TAKEN = r"\w+ has nothing to make of this session\."


def kind(reason: Reason) -> Kind:
    """Return which one a reason is; fails unless its sentence is that of exactly one."""
    (matching,) = (each for each in Kind if re.fullmatch(each, reason.what, re.DOTALL))
    assert reason.waits_for_table == (matching is Kind.NO_PARENT)
    return matching


def kinds(item: Item) -> list[Kind]:
    return [kind(reason) for reason in item.reasons]
