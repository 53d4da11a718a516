"""Settings: what one training run of an experiment is made of, checked before anything starts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

METHODS = ("dt", "vanilla")
DTYPES = {"float64": torch.float64, "float32": torch.float32}

# Fewer nodes than this hold no stencil of order 4 with its boundary.
MIN_NODES = 100
MAX_NODES = 2_000_000


@dataclass(frozen=True)
class Settings:
    """One run: the paper's network and nodes by default.

    Raises
    ------
    ValueError
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
                raise ValueError(
                    f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}"
                )
        try:
            torch.zeros(1, device=self.device)
        except (RuntimeError, AssertionError) as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"device {self.device!r} cannot be used: {reason}") from None

    def _check_range(self, name: str, low: int, high: int | None = None) -> None:
        value = getattr(self, name)
        if value < low or (high is not None and value > high):
            upper = "" if high is None else f" and at most {high}"
            raise ValueError(f"{name} must be at least {low}{upper}, got {value}")

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
    ValueError
        If it cannot be made, or is not a directory.
    """
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is not a directory")
    if not out.absolute().parent.parent.is_dir():
        raise ValueError(
            f"cannot make {out}: the directory {out.absolute().parent.parent} does not exist"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"cannot make {out}: {error.strerror}") from None
    return out
