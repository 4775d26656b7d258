"""How many frames Suite2p registers at once, where the option set leaves that to the pipeline."""

from __future__ import annotations

# Suite2p's own default: more were not faster, and up to it the results are those of the defaults.
_MOST = 100
_FEWEST = 5
_BYTES_A_PIXEL = 120
_MOST_BYTES = 1_000_000_000
# Workers share a machine, and a run needs memory for other things too.
_PART_OF_AVAILABLE = 8


def auto_batch_size(height: int, width: int, available_bytes: int) -> int:
    """Return the most frames whose arrays fit into a gigabyte and an eighth of the memory, from 5 to 100.

    Nonrigid registration by Suite2p 1.1.0 on two cores, in a process that keeps its memory as
    `child_process` has it do. Milliseconds of processor time a frame, at so many frames at once:

    ======  =====  =====  =====  =====  =====  =====
    pixels      5     10     20     50    100    400
    ======  =====  =====  =====  =====  =====  =====
    128²                    3.0           4.3    2.4
    256²      9.2    9.2    8.3    8.3    6.4
    512²       50            74     32     42
    ======  =====  =====  =====  =====  =====  =====

    So beyond some ten frames the number hardly matters, and other work on the machine more. What it
    changes is the memory: of 50 frames or more, 70 to 126 bytes a pixel and frame. Of the numbers that fit,
    that nearest to Suite2p's default is taken, as another number changes nonrigid offsets by up to 0.1 px.

    Parameters
    ----------
    height, width
        Of a frame, in pixels.
    available_bytes
        Memory that the machine has free.
    """
    bytes_a_frame = height * width * _BYTES_A_PIXEL
    room_bytes = min(_MOST_BYTES, available_bytes // _PART_OF_AVAILABLE)
    return max(_FEWEST, min(_MOST, room_bytes // bytes_a_frame))
