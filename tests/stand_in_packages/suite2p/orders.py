"""What the stand-in is told to do wrong, and when: ``tests.makers.stand_in_suite2p`` writes it."""

import json
import logging
import os
import signal
import time
from pathlib import Path

import numpy as np

logger = logging.getLogger("suite2p")

_MORE_THAN_THERE_IS = 1 << 30
_LOOK_AGAIN_S = 0.01


def order():
    """Return the order in force; ``do`` is empty where all is to go well."""
    return {"do": "", "stage": ""} | json.loads(Path(os.environ["STAND_IN_SUITE2P"]).read_text())


def obey(stage, folder):
    """Do what is ordered for a stage, the run's own folder being ``folder``."""
    told = order()
    if told["stage"] == stage:
        _ACTIONS.get(told["do"], lambda told, folder: None)(told, folder)


def _raise(told, _folder):
    raise {"ValueError": ValueError, "MemoryError": MemoryError}[told["error"]](told["message"])


def _fail(told, _folder):
    raise OSError(told["number"], os.strerror(told["number"]), "/a/file")


def _exit(told, _folder):
    raise SystemExit(told["code"])


def _kill(_told, _folder):
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_all(_told, _folder):
    """Kill the process that waits for this one, too."""
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _fill(_told, folder):
    with (folder / "data.bin").open("wb") as file:
        while True:
            file.write(bytes(1 << 16))


def _save(_told, folder):
    np.save(folder / "F.npy", np.zeros(_MORE_THAN_THERE_IS // 1024, np.float32))


def _map(_told, folder):
    movie = np.memmap(folder / "data.bin", np.int16, "w+", shape=_MORE_THAN_THERE_IS // 2)
    movie[:] = 1


def _wait(_told, _folder):
    """Say so, and go on when the order is another."""
    logger.info("the stand-in waits")
    while order()["do"] == "wait":
        time.sleep(_LOOK_AGAIN_S)


_ACTIONS = {
    "raise": _raise,
    "fail": _fail,
    "exit": _exit,
    "kill": _kill,
    "kill all": _kill_all,
    "fill": _fill,
    "save": _save,
    "map": _map,
    "wait": _wait,
}
