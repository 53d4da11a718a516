"""Whether there is a GPU to report on, and what a report's figures depend on."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import torch

import dtpinn
from dtpinn.experiments.versions import information

REBUILD = (
    "DTPINN_CUDA=1 pip install --no-build-isolation --force-reinstall --no-deps --no-cache-dir -e ."
)


def no_gpu() -> str | None:
    """Say why torch has no CUDA device here, or None where it has one."""
    if torch.version.cuda is None:
        return f"torch {torch.__version__} is a build without CUDA"
    if not torch.cuda.is_available():
        return f"torch {torch.__version__} (CUDA {torch.version.cuda}) sees no CUDA device"
    return None


def no_kernels() -> str | None:
    """Say that dtpinn was built without CUDA, and what to do, or None where it was built with."""
    if dtpinn._C.build_info()["cuda"] is not None:
        return None
    return (
        "there is a CUDA device, but dtpinn was built without CUDA. In the checkout, with a CUDA "
        f"{torch.version.cuda} toolkit (nvcc on the PATH, or CUDA_HOME):\n    {REBUILD}"
    )


def machine(device: str) -> dict[str, object]:
    """Versions, commit, and the device."""
    known: dict[str, object] = {**information(), "commit": _commit(), "cupy": _cupy()}
    if device == "cuda":
        properties = torch.cuda.get_device_properties(device)
        known |= {
            "GPU memory, GiB": properties.total_memory / 2**30,
            "GPU architecture": f"{properties.major}.{properties.minor}",
            "multiprocessors": properties.multi_processor_count,
            "GPU cache, MiB": properties.L2_cache_size / 2**20,
            "driver": _said("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"),
        }
    return known


def _commit() -> str | None:
    """The checkout's commit, marked where files differ from it."""
    checkout = Path(__file__).parent.parent
    return _said("git", "-C", checkout, "describe", "--always", "--dirty", "--abbrev=40")


def _cupy() -> str | None:
    try:
        import cupy
    except ImportError:
        return None
    except Exception as error:  # a broken one, of whatever kind
        return f"broken: {type(error).__name__}: {error}"
    return str(cupy.__version__)


def _said(*command: str | Path) -> str | None:
    """The first line that a program prints, or None where it cannot."""
    lines = _lines(command)
    return lines[0] if lines else None


def _lines(command: Sequence[str | Path]) -> list[str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []
