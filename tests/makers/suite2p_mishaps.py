"""What may go wrong in a run of Suite2p: how it comes about, how its error reads, and what is left of it."""

from __future__ import annotations

import errno
import os

from imaging_pipeline.errors import (
    NothingFoundError,
    NotMountedError,
    Responsible,
    StillCopyingError,
    StoreError,
)
from tests.makers import mishap as acts
from tests.makers.mishap import Mishap, at, once_half_is_copied, scratch, target, while_it_waits
from tests.makers.suite2p_runs import Runs

EXPERIMENTER, ADMINISTRATOR, RETRY = Responsible.EXPERIMENTER, Responsible.ADMINISTRATOR, Responsible.RETRY

LOOK = "Look at the recording and the option set"
LESS = "a smaller registration.batch_size"
MOUNT = "Mount the share again"
LEAVE = "Leave the files alone"
LARGER_SCRATCH = "custom.suite2p.scratch in the configuration, or let another machine do this run"
LARGER_SHARE = "Make room on the share"
WAITS = ("wait", "reading tifs")


OF_THE_PROCESS = {
    "an error is told with the step in which it was raised": Mishap(
        "ValueError: axis 2 is out of bounds",
        LOOK,
        EXPERIMENTER,
        what="step 'registration'",
        order=("raise", "registration"),
        details={"error": "ValueError", "message": "axis 2 is out of bounds"},
    ),
    "lack of memory is told with what needs less": Mishap(
        "MemoryError: Unable to allocate 7 GiB",
        LESS,
        ADMINISTRATOR,
        order=("raise", "roi detection"),
        details={"error": "MemoryError", "message": "Unable to allocate 7 GiB"},
    ),
    **{
        f"an exit with {code} and without a word is told with the code": Mishap(
            f"exit code {code}; it last said",
            "let the job run again",
            ADMINISTRATOR,
            what="ended without a result in the step 'extraction'",
            order=("exit", "extraction"),
            details={"code": code},
        )
        for code in (0, 3)
    },
    "a kill is told with memory as its likely cause": Mishap(
        "SIGKILL; it last said",
        f"ran out of memory: {LESS}",
        ADMINISTRATOR,
        what="was killed in the step 'registration'",
        order=("kill", "registration"),
    ),
    "frames that were not read are told with both numbers": Mishap(
        "22 frames",
        "Look whether one of the tifs is damaged",
        EXPERIMENTER,
        allowed="26 frames",
        order=("read too little",),
        details={"pages": 4},
    ),
    **{
        f"a lack of {' and '.join(lost)} is told with what is not there": Mishap(
            found,
            "Let the job run again",
            EXPERIMENTER,
            what="not whole",
            order=("lose",),
            details={"lost": [f"plane0/{name}" for name in lost]},
        )
        for lost, found in (
            (("F.npy",), "plane0/F.npy"),
            (("stat.npy",), "plane0/stat.npy"),
            (("db.npy", "ops.npy"), "A Suite2p folder does not say how it was made"),
        )
    },
    "a disk that fails is told, and tried again": Mishap(
        "OSError: [Errno 5]",
        "Look at the share and the scratch disk",
        RETRY,
        order=("fail", "reading tifs"),
        details={"number": errno.EIO},
    ),
}

OF_THE_SCRATCH = {
    "a scratch folder that somebody cleared": Mishap(
        "FileNotFoundError",
        LOOK,
        EXPERIMENTER,
        order=("wait", "registration"),
        on_step=while_it_waits(acts.clear_scratch),
        left=Runs.assert_place_is_untouched,
    ),
    "a scratch disk that is too small is told before the run": Mishap(
        "0.002 GB free",
        LARGER_SCRATCH,
        ADMINISTRATOR,
        allowed="0.501 GB or more",
        kind=StoreError,
        path=scratch,
        small="scratch",
        before=acts.enlarge_afterwards,
        left=acts.assert_no_scratch,
    ),
    **{
        f"a scratch disk that fills up shows by the order to {way}": Mishap(
            found,
            LARGER_SCRATCH,
            RETRY,
            also_found="0.000 GB free",
            what="filled up",
            kind=StoreError,
            path=scratch,
            small="scratch",
            order=(way, "registration"),
            before=acts.need_no_spare_room,
        )
        # As the system's error number, as numpy's error without one, and as a signal where a file is mapped.
        for way, found in (("fill", "No space left on device"), ("save", "requested and"), ("map", "SIGBUS"))
    },
    "a scratch disk that fills up before Suite2p begins, while the tifs' pages are found": Mishap(
        "No space left on device",
        LARGER_SCRATCH,
        RETRY,
        what="filled up",
        path=scratch,
        small="scratch",
        before=acts.need_no_spare_room,
        on_step=at("finding the tifs' pages", acts.fill_scratch),
        then=acts.accept_anything,
    ),
}

OF_THE_TIFS = {
    **{
        f"a first tif that lacks {missing} bytes never reaches Suite2p": Mishap(
            f"{{size-{missing}}} bytes",
            LEAVE,
            RETRY,
            allowed="{size} bytes",
            before=acts.truncate_first_tif(missing),
            left=acts.assert_no_scratch,
            then=acts.accept_anything,
        )
        for missing in (10, 2000)
    },
    "a tif that vanishes while Suite2p reads": Mishap(
        "None",
        "Put it back",
        EXPERIMENTER,
        kind=NothingFoundError,
        path=lambda runs: runs.tifs[1],
        order=WAITS,
        on_step=while_it_waits(acts.remove_second_tif),
    ),
    "a tif that is written to while Suite2p reads": Mishap(
        "written at",
        LEAVE,
        RETRY,
        allowed_part="as when the run began",
        kind=StillCopyingError,
        order=WAITS,
        on_step=while_it_waits(acts.change_first_tif),
    ),
    "a tif that grows while Suite2p reads is told with both sizes": Mishap(
        "{size+4} bytes",
        LEAVE,
        RETRY,
        allowed="{size} bytes",
        order=WAITS,
        on_step=while_it_waits(acts.grow_first_tif),
    ),
}

OF_THE_SHARE = {
    "a share that is too small is told before the run": Mishap(
        "0.000 GB free",
        LARGER_SHARE,
        RETRY,
        allowed_part="GB or more",
        kind=StoreError,
        path=target,
        small="share",
        before=acts.fill_share,
        left=acts.assert_no_scratch,
    ),
    "a share that fills up amid the copy keeps the finished run for later": Mishap(
        "No space left on device",
        LARGER_SHARE,
        RETRY,
        what="The share filled up while the output of Suite2p was copied",
        path=target,
        small="share",
        on_step=at("copying the output", acts.fill_share_to_the_end),
        left=Runs.assert_place_is_untouched,
        then=Runs.assert_the_finished_run_is_copied_now,
    ),
    "a share that may not be written to": Mishap(
        "Read-only file system",
        "Let this account write there",
        ADMINISTRATOR,
        path=target,
        small="share",
        on_step=at("checking the output", acts.make_read_only),
        left=Runs.assert_place_is_untouched,
        then=Runs.assert_the_finished_run_is_copied_now,
    ),
    "a recording's folder in which nothing can be made": Mishap(
        "Read-only file system",
        "Let this account write there",
        ADMINISTRATOR,
        path=target,
        small="share",
        before=acts.remove_output_folder,
        on_step=at("checking the output", acts.make_read_only),
        left=acts.assert_no_output_folder,
        then=acts.accept_anything,
    ),
    "a folder that becomes a file amid the copy": Mishap(
        "Not a directory",
        MOUNT,
        RETRY,
        path=target,
        on_step=once_half_is_copied(acts.replace_by_file),
        left=acts.accept_anything,
        then=Runs.assert_the_finished_run_is_copied_now,
    ),
    **{
        f"a share that fails amid the copy with {errno.errorcode[code]}": Mishap(
            os.strerror(code),
            MOUNT,
            RETRY,
            path=target,
            before=acts.refuse_a_copy(code),
            left=Runs.assert_place_is_untouched,
            then=Runs.assert_the_finished_run_is_copied_now,
        )
        for code in (errno.EIO, errno.ESTALE)
    },
    "a share that goes away while Suite2p reads is waited for": Mishap(
        "None",
        MOUNT,
        RETRY,
        kind=NotMountedError,
        path=lambda runs: runs.tifs[0].parent,
        order=WAITS,
        on_step=while_it_waits(acts.unmount),
        left=acts.assert_empty_mount_point,
    ),
}

MISHAPS = OF_THE_PROCESS | OF_THE_SCRATCH | OF_THE_TIFS | OF_THE_SHARE
