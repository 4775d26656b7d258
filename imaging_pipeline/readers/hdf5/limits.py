"""How much of an HDF5 file is read at once: above what any recording needs, and below what harms a worker."""

from __future__ import annotations

KIB, MIB, GIB = 2**10, 2**20, 2**30

# Traces of 2,000 cells in 200,000 frames are 3.2 GB of double precision, and are read in one piece.
MAX_READ_BYTES = 4 * GIB
# A frame of 1024 × 1024 px is 2 MB; writers put some tens of them into a chunk at most.
MAX_CHUNK_BYTES = 128 * MIB
# Attributes are settings and comments.
MAX_ATTRIBUTE_BYTES = MIB
# Text of variable length may refer any number of times to the same bytes of the file, and nothing says how
# many these are before it is read: texts × bytes of the file is what it may take.
MAX_TEXT_BYTES = GIB
# Each becomes an object of Python: a cell array has one for each region, of which there are some thousands.
MAX_OBJECTS = 100_000
# One for each variable, field or unit; the values of a MATLAB file, which are many more, are never listed.
MAX_MEMBERS = 10_000
# A struct in a struct is one level. What goes deeper contains itself.
MAX_DEPTH = 64
# As many as HDF5 itself follows for one name.
MAX_SOFT_LINKS = 16
# An object takes a hundred bytes and more, and is opened some five times while a file is read.
ALWAYS_ALLOWED_STEPS = 2_000
MIN_BYTES_PER_STEP = 16
# Deflate cannot pack more than this into a byte (zlib's technical details: 1032:1).
MAX_RATIO = 1032
# An index of chunks takes at least an address for each.
MIN_INDEX_BYTES = 8


def max_stored_bytes(chunk_bytes: int) -> int:
    """Return the bytes that a chunk may take in the file: filters add little to what does not compress."""
    return chunk_bytes + chunk_bytes // 16 + 4 * KIB
