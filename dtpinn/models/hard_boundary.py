"""HardBoundary: a network that has its Dirichlet conditions built in."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from dtpinn.models.normalisation import Drawn, Normalisation

Function = Callable[[Tensor], Tensor]


class HardBoundary(nn.Module):
    """``u(x) = value(x) + factor(x) network(x)``: exactly the value wherever the factor is zero.

    So a Dirichlet condition holds to rounding before training has begun, and nothing has to be
    weighed against it. Conditions on other parts, where the factor is not zero, are trained as
    always.

    Parameters
    ----------
    network : nn.Module
        Any: (n, inputs) -> (n,) or (n, fields).
    factor : callable
        Points (n, inputs) -> (n,), or (n, fields) where the fields have different conditions, 1 for
        one that has none. Zero where the condition holds, with a slope that is not zero, and smooth
        (as smooth as the solution shall be), of size 1. Domains have one:
        ``disk.boundary_factor``, and for a part ``lambda x: box.boundary_factor(x, "left")``.
    value : callable, optional
        Points (n, inputs) -> (n,) or (n, fields): any smooth function with the boundary values g.
        Default: 0.

    Attributes
    ----------
    normalisation : Normalisation or None
        The network's own, which ``fit`` sets. Its centre does not count: that is for `value`.

    Raises
    ------
    TypeError
        If one of the functions is none.
    ValueError
        When called, if a function returns another shape.

    Notes
    -----
    Lagaris, Likas & Fotiadis, "Artificial neural networks for solving ordinary and partial
    differential equations" (1998); for domains with corners Sukumar & Srivastava, "Exact imposition
    of boundary conditions with distance functions in physics-informed deep neural networks" (2022),
    arXiv:2104.08426.

    At a corner that points into the domain solutions fall off more slowly than the factor, so the
    network would have to be infinite there. Measured on an L, that costs what the exact condition
    gains on even nodes, and much more on nodes that are finer there: take the trained condition.
    And a `value` that is rougher than the solution is a burden to the network.

    A checkpoint holds no functions: ``Result.load(directory, model=...)`` takes a model that is
    made with the same ones, and loads its weights.

    Examples
    --------
    >>> import torch
    >>> from dtpinn.geometry import Disk
    >>> from dtpinn.models import MLP
    >>> model = HardBoundary(MLP(2, seed=0), Disk().boundary_factor, lambda x: x[:, 0])
    >>> model(torch.tensor([[0.6, 0.8], [-1.0, 0.0]], dtype=torch.float64)).detach()
    tensor([ 0.6000, -1.0000], dtype=torch.float64)
    """

    def __init__(self, network: nn.Module, factor: Function, value: Function | None = None) -> None:
        super().__init__()
        if not isinstance(network, nn.Module):
            raise TypeError(f"HardBoundary: expected network to be an nn.Module, got {network!r}")
        for name, function in (("factor", factor), ("value", value)):
            if not (callable(function) or (name == "value" and function is None)):
                raise TypeError(
                    f"HardBoundary: expected {name} to be a function of the points, such as "
                    f"domain.boundary_factor, got {function!r}"
                )
        self.network, self.factor, self.value = network, factor, value

    def __repr__(self) -> str:
        functions = {"factor": self.factor, "value": self.value}
        told = (
            f"{name}={getattr(function, '__name__', type(function).__name__)}"
            for name, function in functions.items()
            if function is not None
        )
        return f"HardBoundary({', '.join([repr(self.network), *told])})"

    @property
    def normalisation(self) -> Normalisation | None:
        """Of the network."""
        return getattr(self.network, "normalisation", None)

    @property
    def drawn(self) -> Drawn | None:
        """How the network was drawn."""
        return getattr(self.network, "drawn", None)

    def forward(self, x: Tensor) -> Tensor:
        """The value at points (n, inputs), or at one of shape (inputs,)."""
        u: Tensor = self.network(x)
        if self.normalisation is not None:
            u = u - self.normalisation.centre.reshape(u.shape[x.dim() - 1 :])
        factor = self._checked("factor", self.factor(x), u, x)
        if factor.dim() < u.dim():
            factor = factor[..., None]
        u = factor * u
        return u if self.value is None else self._checked("value", self.value(x), u, x) + u

    @staticmethod
    def _checked(name: str, result: Tensor, u: Tensor, x: Tensor) -> Tensor:
        allowed = {u.shape, x.shape[:-1]} if name == "factor" else {u.shape}
        if not isinstance(result, Tensor) or result.shape not in allowed:
            raise ValueError(
                f"HardBoundary: expected {name} to return a tensor of shape {tuple(u.shape)} for "
                f"points of shape {tuple(x.shape)}, got "
                f"{getattr(result, 'shape', type(result).__name__)}"
            )
        return result
