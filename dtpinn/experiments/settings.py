"""Settings: what one training run of an experiment is made of, checked before anything starts."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from dtpinn.problem.problem import check_device

METHODS = ("dt", "vanilla")
DTYPES = {"float64": torch.float64, "float32": torch.float32}

# Fewer nodes than this hold no stencil of order 4 with its boundary.
MIN_NODES = 100
MAX_NODES = 2_000_000


class SettingsError(ValueError):
    """What was asked for cannot be; the message is for whoever asked."""


@dataclass(frozen=True)
class Settings:
    """One run: the paper's network and nodes by default.

    Raises
    ------
    SettingsError
        For a size, method, dtype or device that cannot be.
    """

    nodes: int = 2236
    order: int = 4
    epochs: int = 100
    seed: int = 0
    method: str = "dt"
    dtype: str = "float64"
    device: str = "cpu"
    width: int = 50
    depth: int = 4

    def __post_init__(self) -> None:
        self._check_range("nodes", MIN_NODES, MAX_NODES)
        self._check_range("order", 2, 10)
        self._check_range("epochs", 1)
        self._check_range("seed", 0, 2**63 - 1)
        self._check_range("width", 1, 100_000)
        self._check_range("depth", 1, 1_000)
        for name, choices in (("method", METHODS), ("dtype", tuple(DTYPES))):
            if getattr(self, name) not in choices:
                raise SettingsError(
                    f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}"
                )
        if self.device.split(":")[0] not in ("cpu", "cuda"):
            raise SettingsError(f"device must be cpu, cuda or cuda:N, got {self.device!r}")
        try:
            check_device(self.device)
        except ValueError as error:
            raise SettingsError(str(error)) from None

    def _check_range(self, name: str, low: int, high: int | None = None) -> None:
        value = getattr(self, name)
        if value < low or (high is not None and value > high):
            upper = "" if high is None else f" and at most {high}"
            raise SettingsError(f"{name} must be at least {low}{upper}, got {value}")

    @property
    def torch_dtype(self) -> torch.dtype:
        """The dtype as torch names it."""
        return DTYPES[self.dtype]

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        return asdict(self)


def make_directory(out: Path) -> Path:
    """Make the directory of a run, and its parent if need be.

    Not more than that: a longer path that does not exist is more likely a slip.

    Raises
    ------
    SettingsError
        If it cannot be made or written to, or is not a directory.
    """
    if out.exists() and not out.is_dir():
        raise SettingsError(f"{out} is not a directory")
    if not out.absolute().parent.parent.is_dir():
        raise SettingsError(
            f"cannot make {out}: the directory {out.absolute().parent.parent} does not exist"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):  # permissions alone do not tell
            pass
    except OSError as error:
        raise SettingsError(f"cannot write to {out}: {error.strerror}") from None
    return out
