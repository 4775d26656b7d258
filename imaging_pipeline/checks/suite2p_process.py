"""The process that tries to import Suite2p: ``python -m imaging_pipeline.checks.suite2p_process HOME``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main(home: str) -> None:
    """Import Suite2p as a run does, and print versions and device as a line of JSON."""
    # Before anything of Suite2p is imported, which looks for its home at once.
    os.environ |= {"HOME": home, "USERPROFILE": home}
    import torch

    from imaging_pipeline.suite2p_runner import torchvision_operators

    # PyTorch does so itself unless TORCH_DEVICE_BACKEND_AUTOLOAD is 0.
    torchvision_operators.declare()
    import suite2p

    has_device = torch.cuda.is_available()
    facts = {
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "device": torch.cuda.get_device_name(0) if has_device else None,
        "threads": torch.get_num_threads(),
        "has_classifier": Path(suite2p.__file__)
        .with_name("classifiers")
        .joinpath("classifier.npy")
        .is_file(),
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(sys.argv[1])
