"""Networks by name: what a command line can choose, and a checkpoint can make again.

A network gets its name by a line in `NETWORKS`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from dtpinn.models.fourier import FourierMLP
from dtpinn.models.mlp import MLP
from dtpinn.models.network import Network
from dtpinn.models.periodic import PeriodicMLP
from dtpinn.models.residual import ResidualMLP
from dtpinn.models.siren import Siren

NETWORKS: dict[str, type[Network]] = {
    "mlp": MLP,
    "fourier": FourierMLP,
    "residual": ResidualMLP,
    "siren": Siren,
    "periodic": PeriodicMLP,
}


def plain_config(model: nn.Module) -> tuple[str, dict[str, Any]] | None:
    """Return name and arguments of a network as plain data, for :func:`from_config`.

    None for a network without a name, and where an argument is no plain data, as an activation of
    somebody's own.

    Examples
    --------
    >>> plain_config(MLP(2, width=8, dtype=torch.float32))[1]["dtype"]
    'float32'
    >>> plain_config(nn.Linear(2, 1)) is None
    True
    """
    # Exactly of the class: a subclass may be another function of the same arguments.
    name = next((name for name, kind in NETWORKS.items() if type(model) is kind), None)
    if name is None:
        return None
    assert isinstance(model, Network)
    plain = {
        key: str(value).removeprefix("torch.") if isinstance(value, torch.dtype) else value
        for key, value in model.config().items()
    }
    return (name, plain) if all(map(_is_plain, plain.values())) else None


def from_config(name: str, config: dict[str, Any]) -> Network:
    """Return a network, freshly drawn, from what :func:`plain_config` has told.

    An argument that is missing has its constructor's default.

    Raises
    ------
    ValueError
        For a name that is not known.

    Examples
    --------
    >>> from_config(*plain_config(FourierMLP(2, width=8, depth=1, bandwidth=3.0))).bandwidth
    3.0
    """
    if name not in NETWORKS:
        raise ValueError(f"unknown network {name!r}; by name there are {', '.join(NETWORKS)}")
    dtype = {"dtype": getattr(torch, config["dtype"])} if "dtype" in config else {}
    return NETWORKS[name](**{**config, **dtype})


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return isinstance(value, (int, float, str, bool, type(None)))
