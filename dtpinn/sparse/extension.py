"""Loads the compiled part, or says what to do where that cannot work.

The extension registers autograd in C++ and is tied to one minor version of torch, to one version of
Python and, where it holds CUDA kernels, to one major version of CUDA. Loading it into another one
ends in a linker message about a mangled name or a library, so these are compared first.
"""

from __future__ import annotations

import importlib
import json
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType

import torch

from dtpinn.sparse import batching

_PACKAGE = Path(__file__).parent.parent
# pip keeps the wheels that it builds, and would install the one at fault again.
_REBUILD = (
    "pip install --force-reinstall --no-deps --no-cache-dir dtpinn"
    "     (in a checkout: -e . instead of dtpinn)"
)


def minor(version: str) -> tuple[str, ...]:
    """``"2.13.0+cpu"`` -> ``("2", "13")``."""
    return tuple(version.split("+")[0].split(".")[:2])


def check_versions(built: str, running: str) -> None:
    """Raise ImportError unless both are of one minor version of torch.

    Examples
    --------
    >>> check_versions("2.13.0+cpu", "2.13.1")
    >>> check_versions("2.13.0", "2.14.1")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ImportError: dtpinn was built against torch 2.13.0, but torch 2.14.1 is running. ...
    """
    if minor(built) != minor(running):
        raise ImportError(
            f"dtpinn was built against torch {built}, but torch {running} is running. Either "
            f"rebuild it:\n    {_REBUILD}\n"
            f"or bring that torch back:\n    pip install 'torch=={'.'.join(minor(built))}.*'"
        )


def _platform() -> str:
    """``"CUDA 13.0"``, ``"ROCm 7.1"`` or ``"no CUDA"``: what this torch computes on."""
    if torch.version.hip is not None:
        return f"ROCm {torch.version.hip}"
    return "no CUDA" if torch.version.cuda is None else f"CUDA {torch.version.cuda}"


def _unusable(package: Path, built: dict[str, str | None], reason: str) -> ImportError:
    """Say which extension, what is wrong with it, built against what, and the mend."""
    cuda = "without CUDA" if built.get("cuda") is None else f"with CUDA {built['cuda']}"
    return ImportError(
        f"dtpinn's compiled part in {package} {reason}.\n"
        f"It was built against torch {built['torch']}, {cuda}; running are torch "
        f"{torch.__version__} with {_platform()} and Python {sys.version.split()[0]}. Rebuild it:\n"
        f"    {_REBUILD}"
    )


def load(package: Path = _PACKAGE) -> ModuleType:
    """Import ``dtpinn._C``, which registers ``torch.ops.dtpinn``.

    Raises
    ------
    ImportError
        If it was not built, was built for another torch, CUDA or Python, or fails to load.
    """
    record = package / "_build.json"
    if not record.is_file():
        raise ImportError(
            f"dtpinn's compiled part is missing from {package}. In a checkout the sources shadow "
            "an installed package: build it in place with\n    pip install -e .\n"
            "or run from another directory."
        )
    built = json.loads(record.read_text())
    check_versions(built["torch"], torch.__version__)
    if not any((package / f"_C{suffix}").is_file() for suffix in EXTENSION_SUFFIXES):
        there = sorted(path.name for path in package.glob("_C.*")) or ["nothing"]
        missing = f"is not there for this Python: _C{EXTENSION_SUFFIXES[0]} was expected"
        raise _unusable(package, built, f"{missing}, {', '.join(there)} was found")
    cuda = built.get("cuda")
    if cuda is not None and cuda.split(".")[0] != (torch.version.cuda or "").split(".")[0]:
        wanted = f"needs a torch with CUDA {cuda.split('.')[0]}, and this one has {_platform()}"
        raise _unusable(package, built, wanted)
    try:
        return importlib.import_module("dtpinn._C")
    except ImportError as error:
        raise _unusable(package, built, f"does not load: {error}") from error


_C = load()
"""The compiled part is loaded or its absence explained, never a linker message."""
batching.register()
multiply = _C.multiply
"""The operator ``csr_product`` for the matrix that a module holds, in one call."""
