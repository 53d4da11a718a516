"""Loads the compiled part, or says what to do where that cannot work.

The extension registers autograd in C++ and is tied to one minor version of torch. Loading it into
another one ends in a linker message about a mangled name, so the versions are compared first.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import torch

_PACKAGE = Path(__file__).resolve().parent.parent
_REBUILD = "pip install --no-build-isolation --force-reinstall --no-deps"


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
            f"rebuild it:\n    {_REBUILD} dtpinn     (in a checkout: . instead of dtpinn)\n"
            f"or bring that torch back:\n    pip install 'torch=={'.'.join(minor(built))}.*'"
        )


def load(package: Path = _PACKAGE) -> ModuleType:
    """Import ``dtpinn._C``, which registers ``torch.ops.dtpinn``."""
    record = package / "_build.json"
    if not record.is_file():
        raise ImportError(
            f"dtpinn's compiled part is missing from {package}. In a checkout the sources shadow "
            "an installed package: build it in place with\n    pip install -e .\n"
            "or run from another directory."
        )
    check_versions(json.loads(record.read_text())["torch"], torch.__version__)
    return importlib.import_module("dtpinn._C")


_C = load()
