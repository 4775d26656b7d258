"""What kind of disk a folder lies on."""

from __future__ import annotations

from pathlib import Path

import psutil

# Kinds as psutil names them: of Linux, and smbfs, afpfs and webdav of macOS.
_NETWORK = (
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "afs", "9p", "ncpfs", "webdav", "davfs"),
    *("fuse.sshfs", "fuse.rclone", "fuse.davfs2", "ceph", "fuse.ceph", "glusterfs", "fuse.glusterfs"),
    *("beegfs", "lustre", "gpfs", "orangefs"),
)
_MEMORY = ("tmpfs", "ramfs")


def kind_of_disk(folder: Path) -> str:
    """Return the kind of file system that a folder lies on, such as ``ext4``, or an empty text."""
    path = folder.resolve()
    mounts = [
        partition
        # With `all=False` psutil leaves out shares and memory.
        for partition in psutil.disk_partitions(all=True)
        if path.is_relative_to(partition.mountpoint)
    ]
    # Of two mounts at the same path, the later one covers the earlier one.
    covering = max(
        reversed(mounts), key=lambda partition: len(Path(partition.mountpoint).parts), default=None
    )
    return covering.fstype if covering else ""


def is_network(kind: str) -> bool:
    """Return True if a kind of file system lies on another machine."""
    return kind.lower() in _NETWORK


def is_memory(kind: str) -> bool:
    """Return True if a kind of file system lies in this machine's memory."""
    return kind in _MEMORY


def gigabytes(num_bytes: int) -> str:
    """Return a size on a disk as text: ``0.4 GB``, ``512 GB``."""
    return f"{num_bytes / 1e9:.1f} GB" if num_bytes < 10e9 else f"{num_bytes / 1e9:,.0f} GB"
