"""Physics-informed networks trained fast: spatial derivatives as sparse products inside torch.

``import dtpinn`` loads torch and the compiled extension; everything else comes when it is named.
"""

from __future__ import annotations

import importlib
from typing import Any

from dtpinn.sparse import CSR, vstack

__version__ = "0.1.0"

# Public name -> the module it lives in.
_LAZY = {
    "AllenCahn": "dtpinn.pde",
    "Complex": "dtpinn.pde",
    "Data": "dtpinn.problem",
    "Dirichlet": "dtpinn.pde",
    "Flux": "dtpinn.problem",
    "HardBoundary": "dtpinn.models",
    "Heat": "dtpinn.pde",
    "Helmholtz": "dtpinn.pde",
    "Integral": "dtpinn.problem",
    "Known": "dtpinn.pde",
    "LinearElasticity": "dtpinn.pde",
    "MLP": "dtpinn.models",
    "Manufactured": "dtpinn.pde",
    "Mean": "dtpinn.problem",
    "NavierStokes": "dtpinn.pde",
    "Neumann": "dtpinn.pde",
    "Nodes": "dtpinn.nodes",
    "PDE": "dtpinn.pde",
    "Pin": "dtpinn.problem",
    "Poisson": "dtpinn.pde",
    "Result": "dtpinn.training",
    "Robin": "dtpinn.pde",
    "Smooth": "dtpinn.problem",
    "Stokes": "dtpinn.pde",
    "Traction": "dtpinn.pde",
    "Wave": "dtpinn.pde",
    "discretize": "dtpinn.problem",
    "fit": "dtpinn.training",
    "place_nodes": "dtpinn.nodes",
    "vanilla": "dtpinn.problem",
}
_MODULES = (
    "experiments", "geometry", "models", "nodes", "operators", "optim", "output", "pde", "problem",
    "rbffd", "reference", "sparse", "training",
)  # fmt: skip

__all__ = ["CSR", "__version__", "vstack", *_LAZY, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(importlib.import_module(_LAZY[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"dtpinn.{name}")
    else:
        raise AttributeError(f"module 'dtpinn' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
