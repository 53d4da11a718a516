"""What ran: versions, the extension, the machine."""

from __future__ import annotations

import os
import platform
from typing import Any

import numpy as np
import scipy
import torch

from dtpinn import __version__
from dtpinn.sparse.extension import _C


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    return {
        "dtpinn": __version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "python": platform.python_version(),
    }


def information() -> dict[str, Any]:
    """Return what was built, against what, and what is in use: the rows of ``dtpinn info``."""
    built = _C.build_info()
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none visible"
    return {
        **versions(),
        "built against torch": built["torch"],
        "compiler": built["compiler"],
        "OpenMP": built["openmp"],
        "CUDA kernels": "not built" if built["cuda"] is None else f"built with {built['cuda']}",
        "CUDA architectures": built["cuda_architectures"],
        "torch's CUDA": torch.version.cuda or "CPU build",
        "GPU": gpu,
        "processor": platform.machine(),
        "instruction set": _C.instruction_set(),
        "loads of vectors": ", ".join(f"{dtype}: {way}" for dtype, way in _C.loads().items()),
        "threads": f"{_C.num_threads()} of {os.cpu_count()} processors",
    }
