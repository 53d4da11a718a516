"""Flux: the constraint that holds what passes through a part of the boundary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.pde import Derivatives
from dtpinn.pde.coefficients import Checked, Coefficient, checked
from dtpinn.pde.diffusion import by_point, with_gradient
from dtpinn.pde.known import Known
from dtpinn.pde.nearest import Nearest
from dtpinn.problem.constraint_place import Place, Value
from dtpinn.problem.regions import Region


@dataclass(frozen=True)
class Flux:
    """What passes out through a part of the boundary, the integral of q . n, has a given value.

    Where the conditions there hold no derivative and no other part meets this one (a hole, a wall
    all around), it is an integral over the domain, :func:`dtpinn.rbffd.wall_flux`: a derivative at
    the wall would be one-sided. Elsewhere it is the sum of the derivatives at the wall.

    Parameters
    ----------
    part : str
        Of the boundary; its outward normal counts.
    value : float or callable
        In space-time it holds at every slice, and may be a function of the time.
    conductivity : float, nn.Parameter or callable
        k of q = k grad u: a number, or a function of the points, x (n, d) -> (n,), as an equation
        has it.
    field : int or str
        By number or name.
    name : str, optional
        Of the residual; "flux.part" by default.
    of : callable, optional
        Another q, ``of(u, D, x)``, in space-time with t last, (n, d): pointwise, as
        ``D.divergence`` takes it.

    Examples
    --------
    Heat that a pipe in a ring gives off, 2 pi k / log(r_2 / r_1) for each degree:

    >>> import torch, dtpinn
    >>> ring = dtpinn.place_nodes(dtpinn.geometry.Annulus(0.4, 1.0), spacing=0.05)
    >>> hot = {"inner": dtpinn.Dirichlet(1.0), "outer": dtpinn.Dirichlet(0.0)}
    >>> problem = dtpinn.discretize(dtpinn.Poisson(None, hot), ring)
    >>> heat = problem.measure(problem.solve(), dtpinn.Flux("inner"))
    >>> bool(abs(heat / (2 * torch.pi / torch.log(torch.tensor(2.5))) - 1) < 1e-3)
    True
    """

    part: str
    value: Value = 0.0
    conductivity: Coefficient = 1.0
    field: int | str = 0
    name: str | None = None
    of: Callable[..., Tensor] | None = None

    @property
    def label(self) -> str:
        """Name of the residual."""
        return self.name or f"flux.{self.part}"

    def region(self, place: Place) -> Region:
        """Return the sides of the part with their lengths or areas, or X with its weights."""
        k = checked("Flux: conductivity", self.conductivity)
        density = _Conduction(k, int(self.field)) if self.of is None else _Given(self.of)
        weights = place.weights(self.part)
        on_wall = place.region(self.label, _Through(density), self.value, self.part, weights)
        if not place.is_a_wall_without_ghosts(self.part):
            return on_wall
        flux, total = place.wall_flux(self.part), np.ones(place.nodes.count)
        inside = _Within(density, place.nodes.collocation, flux.field, flux.divergence)
        region = place.region(self.label, inside, self.value, None, total)
        region.sized_as = on_wall
        return region


class _Density(Protocol):
    """A vector field q made of the unknown."""

    def normal(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return q . n (n,)."""

    def values(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return q (n, d)."""

    def divergence(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return div q (n,)."""


class _Conduction:
    """k grad u of one field."""

    def __init__(self, conductivity: Checked, field: int) -> None:
        self.k, self.field = conductivity, field

    def normal(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return k du/dn."""
        return self._k(x) * self._column(D.normal(u), u)

    def values(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return k grad u."""
        k = self._k(x)
        return (k[:, None] if isinstance(k, Tensor) and k.dim() else k) * self._gradient(u, D)

    def divergence(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return k Laplacian u + grad k . grad u."""
        laplacian = self._column(D.laplacian(u), u)
        if isinstance(self.k, (float, Tensor)):
            return self.k * laplacian
        k, slopes = with_gradient(self.k, x)
        return k * laplacian + (slopes * self._gradient(u, D)).sum(1)

    def _k(self, x: Tensor) -> float | complex | Tensor:
        k = self.k
        return k if isinstance(k, (float, complex, Tensor)) else by_point(k(x), x, k)

    def _gradient(self, u: Tensor, D: Derivatives) -> Tensor:
        return self._column(D.gradient(u), u)

    def _column(self, derivative: Tensor, u: Tensor) -> Tensor:
        return derivative if u.dim() == 1 else derivative[:, self.field]


class _Given:
    """A field q that the user has written."""

    def __init__(self, of: Callable[..., Tensor]) -> None:
        self.of = of

    def normal(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return q . n."""
        return (self.values(u, D, x, *t) * n).sum(1)

    def values(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return q, checked."""
        q = self.of(u, D, x, *t)
        if not isinstance(q, Tensor) or q.shape != x.shape:
            got = tuple(q.shape) if isinstance(q, Tensor) else type(q).__name__
            raise ValueError(
                f"dtpinn.Flux: of(u, D, x) must return a vector for each point, {tuple(x.shape)}, "
                f"got {got}"
            )
        return q

    def divergence(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return div q, by the chain rule."""
        return D.divergence(self.of)


class _Through:
    """q . n on the wall."""

    def __init__(self, density: _Density) -> None:
        self._density = density

    def __call__(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        return self._density.normal(u, D, x, n, *t)


class _Within:
    """What the nodes of the domain contribute, each with its weights of q and of div q."""

    def __init__(
        self, density: _Density, points: Floats, field: Floats, divergence: Floats
    ) -> None:
        self._density = density
        self._field, self._divergence = (Known(Nearest(points, w)) for w in (field, divergence))

    def __call__(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        q = self._density.values(u, D, x, *t)
        source = self._density.divergence(u, D, x, *t)
        return (self._field(x) * q).sum(1) + self._divergence(x) * source
