"""Settings: what one training run of an experiment is made of, checked before anything starts."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from dtpinn.models import NETWORKS
from dtpinn.models.options import check_options
from dtpinn.optim import OPTIMIZERS
from dtpinn.problem.problem import check_device

METHODS = ("dt", "vanilla")
DTYPES = {"float64": torch.float64, "float32": torch.float32}

# Fewer nodes than this hold no stencil of order 4 with its boundary.
MIN_NODES = 100
MAX_NODES = 2_000_000


class SettingsError(ValueError):
    """What was asked for cannot be; the message is for whoever asked."""


def fixed(default: Any, *, told: str | None = None) -> Any:
    """A setting that a run shares with the checkpoint that it goes on from.

    Its default is also what a checkpoint without it was made with, one from before it was a
    setting. Whoever changes the default keeps the old one for those, in
    :func:`~dtpinn.experiments.same_run.check_same_run`.

    Parameters
    ----------
    default
    told : str, optional
        Its name in ``result.json`` and in checkpoints, where that is another one.
    """
    return field(default=default, metadata={"fixed": True, "told": told})


def free(default: Any) -> Any:
    """A setting in which a run may differ from the checkpoint that it goes on from."""
    return field(default=default, metadata={"fixed": False})


@dataclass(frozen=True)
class Settings:
    """One run: the paper's network and nodes by default.

    `optimizer`, `epochs` and `seconds` (its `max_seconds`) are as for :func:`dtpinn.fit`, with
    optimisers by name and a tuple where there are several stages; `epochs` None is the usual number
    of each. `optimizer` None is L-BFGS or, where a `tolerance` is asked for, what reaches it.
    `network` is a name in ``dtpinn.models.NETWORKS``, and `network_options` are those of
    ``dtpinn.models.options.OPTIONS`` that it has. `times` is the number of time
    slices, t = 0 included, of a problem in space-time.

    Raises
    ------
    SettingsError
        For a size, method, network, dtype, device or optimiser that cannot be.

    Examples
    --------
    >>> Settings(optimizer=("lbfgs", "lbfgs")).planned_epochs
    (100, 100)
    """

    nodes: int = fixed(2236, told="nodes_asked")  # "nodes" are the counts
    order: int = fixed(4)
    times: int | None = fixed(None)
    method: str = fixed("dt")
    network: str = fixed("mlp")
    width: int = fixed(50)
    depth: int = fixed(4)
    network_options: Mapping[str, Any] | None = fixed(None)
    seed: int = fixed(0)
    dtype: str = fixed("float64")
    device: str = free("cpu")
    optimizer: str | tuple[str, ...] | None = free(None)  # the checkpoint compares its stages
    tolerance: float | None = free(None)
    epochs: int | tuple[int, ...] | None = free(None)
    seconds: float | tuple[float | None, ...] | None = free(None)

    def __post_init__(self) -> None:
        for name, low, high in (
            ("nodes", MIN_NODES, MAX_NODES), ("order", 2, 10), ("times", 2, 10_000),
            ("seed", 0, 2**63 - 1), ("width", 1, 100_000), ("depth", 1, 1_000),
            ("epochs", 1, None), ("seconds", 0, None),
        ):  # fmt: skip
            for value in each(getattr(self, name)):
                check_range(name, value, low, high)
        for name, choices in (("method", METHODS), ("network", NETWORKS), ("dtype", DTYPES)):
            check_choice(name, getattr(self, name), tuple(choices))
        try:
            check_options(self.network, self.network_options or {})
        except (TypeError, ValueError) as error:
            raise SettingsError(str(error)) from None
        self._check_stages()
        self._check_tolerance()
        if self.device.split(":")[0] not in ("cpu", "cuda"):
            raise SettingsError(f"device must be cpu, cuda or cuda:N, got {self.device!r}")
        try:
            check_device(self.device)
        except ValueError as error:
            raise SettingsError(str(error)) from None

    def _check_stages(self) -> None:
        if (chosen := self.stages) is None:
            for name in ("epochs", "seconds"):
                if isinstance(getattr(self, name), tuple):
                    raise SettingsError(f"{name} has several entries: name an optimizer for each")
            return
        stages = each(chosen)
        for name in stages:
            check_choice("optimizer", name, tuple(OPTIMIZERS))
        for name in ("epochs", "seconds"):
            values = getattr(self, name)
            if isinstance(values, tuple) and len(values) != len(stages):
                raise SettingsError(
                    f"{name} has {len(values)} entries for {len(stages)} stage(s) of training"
                )

    def _check_tolerance(self) -> None:
        if self.tolerance is None:
            return
        if not 0.0 < self.tolerance < math.inf:  # false for NaN
            raise SettingsError(f"tolerance must be positive and finite, got {self.tolerance}")
        if self.times is not None or self.method != "dt" or self.dtype != "float64":
            raise SettingsError(
                "tolerance needs a steady problem, method dt and float64: of others the error "
                "cannot be told"
            )

    @property
    def stages(self) -> str | tuple[str, ...] | None:
        """The optimisers: those asked for, or L-BFGS; None where a tolerance chooses them."""
        if self.optimizer is None and self.tolerance is None:
            return "lbfgs"
        return self.optimizer

    @property
    def planned_epochs(self) -> int | tuple[int, ...] | None:
        """Epochs of every stage: those asked for, or the usual number of each optimiser."""
        if self.epochs is not None or self.stages is None:
            return self.epochs
        return tuple(OPTIMIZERS[name].epochs for name in each(self.stages))

    @property
    def torch_dtype(self) -> torch.dtype:
        """The dtype as torch names it."""
        return DTYPES[self.dtype]


def each(value: Any) -> tuple[Any, ...]:
    """Return the entries of a setting of several stages; of one value, that value."""
    return value if isinstance(value, tuple) else (value,)


def check_range(name: str, value: float | None, low: int, high: int | None) -> None:
    """Raise SettingsError for a number out of range; None is no number."""
    if value is None:
        return
    # not >=: false for NaN
    if not value >= low or (high is not None and value > high):
        upper = "" if high is None else f" and at most {high}"
        raise SettingsError(f"{name} must be at least {low}{upper}, got {value}")


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise SettingsError for a word that is not among the choices."""
    if value not in choices:
        raise SettingsError(f"{name} must be one of {', '.join(choices)}, got {value!r}")


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
