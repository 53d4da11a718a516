"""``D``: the derivatives that a residual sees, the same words on every backend."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeGuard

import torch
from torch import Tensor

from dtpinn import operators
from dtpinn.operators import Operator
from dtpinn.pde.arguments import Argument, WrongArgument
from dtpinn.pde.flux import Flux


@dataclass(frozen=True)
class Derived:
    """What is made of derivatives, and is, or has, such itself.

    The base class cannot import its own subclasses, so it is handed them: :mod:`dtpinn.pde.derived`
    fills this in.
    """

    flux: Callable[[Derivatives, Callable[..., Tensor]], Flux]
    at: Callable[[Derivatives, Callable[[Tensor], Tensor]], Derivatives]


class Derivatives(ABC):
    """Derivatives of the unknown on one region (all collocation points, or a part of the boundary).

    Every method takes the unknown ``u`` that the residual received, or a pointwise function of it,
    ``lambda u, x: ...`` (``lambda u, x, t: ...`` in space-time), and returns one row per point of
    the region: (n,) for a scalar, (n, fields) for a system. Components are taken afterwards:
    ``D.laplacian(u)[:, 0]``. Anything else is a TypeError: on a point cloud the derivative of an
    arbitrary tensor is not known, because its values at neighbouring points are not.

    First derivatives (`partial` along one axis, `gradient`, `divergence`) also take a flux,
    ``lambda u, D, x: ...``: what is written with derivatives itself, by the words of a residual.

    Attributes
    ----------
    dimension : int
    state : tuple of Tensor
        The unknown as the residual received it, x (n, d), and t (n,) in space-time.
    """

    dimension: int
    state: tuple[Tensor, ...]

    _make: ClassVar[Derived]

    @property
    def points(self) -> Tensor:
        """The points (n, d) at which these derivatives are."""
        return self.state[1]

    @abstractmethod
    def apply(self, operator: Operator, of: Argument) -> Tensor:
        """Return a linear spatial operator applied to the unknown or a function of it."""

    @abstractmethod
    def rate(self, of: Argument, order: int) -> Tensor:
        """Return what `time` does, for an order that has been checked."""

    def time(self, of: Argument, order: int = 1) -> Tensor:
        """Return the derivative in time, by automatic differentiation on every backend.

        ``D.time(u)`` is u_t, and ``D.time(u, 2)`` is u_tt.
        """
        if order not in (1, 2):
            raise ValueError(
                f"D.time(u, order): order must be 1 or 2, got {order!r}; for a higher one make the "
                "second a field of its own: fields = 2, with D.time(u, 2)[:, 0] - u[:, 1] as one "
                "equation"
            )
        return self.rate(of, int(order))

    def laplacian(self, of: Argument) -> Tensor:
        """Return the sum of the second derivatives."""
        return self.apply(operators.laplacian, of)

    def biharmonic(self, of: Argument) -> Tensor:
        """Return the Laplacian of the Laplacian."""
        return self.apply(operators.biharmonic, of)

    def partial(self, of: Argument, *axes: int) -> Tensor:
        """Return the derivative along each of `axes`: ``D.partial(u, 0, 1)`` is u_xy."""
        if not axes or any(not 0 <= axis < self.dimension for axis in axes):
            raise ValueError(
                "D.partial(u, axis, ...): expected one axis or more in "
                f"0..{self.dimension - 1}, got {axes}"
            )
        if self._is_flux(of):
            if len(axes) > 1:
                raise ValueError(
                    f"D.partial: of a flux (u, D, x) first derivatives are known, got axes {axes}; "
                    "take the first ones inside of it"
                )
            return self._of_flux(of).along(axes[0])
        return self.apply(operators.partial(*axes), of)

    def gradient(self, of: Argument) -> Tensor:
        """Return all first derivatives, in a new last dimension: (n, d) or (n, fields, d)."""
        return torch.stack(self._first_derivatives(of, "gradient"), dim=-1)

    def divergence(self, of: Argument) -> Tensor:
        """Return div u (n,) of an unknown with one field per axis, or the divergence of a flux.

        A flux is a function ``flux(u, D, x)``, in space-time ``flux(u, D, x, t)``, to (n, d), or to
        (n, equations, d), of which the divergence is (n, equations). It is pointwise, and D has its
        derivatives as a residual has them, so it may depend on u and its derivatives in whatever
        way. On every backend the chain rule gives, of a flux q(u, grad u, x),

            div q = sum_i  dq_i/du u_i  +  sum_j dq_i/du_j u_ij  +  dq_i/dx_i,

        with the slopes of q by automatic differentiation: exactly, at each point by itself, so that
        stencils are no wider and no order is lost.

        Examples
        --------
        Conduction, -div(k grad u) = 1, in a rod of conductivity 1 + x:

        >>> import dtpinn
        >>> class Conduction(dtpinn.PDE):
        ...     def flux(self, u, D, x):
        ...         return -(1 + x) * D.gradient(u)
        ...     def residual(self, u, D, x):
        ...         return D.divergence(self.flux) - 1
        ...     def boundary(self, u, D, x, n):
        ...         return u
        >>> rod = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.02)
        >>> problem = dtpinn.discretize(Conduction(), rod)
        >>> x = problem.points[:, 0]
        >>> exact = torch.log1p(x) / torch.log(torch.tensor(2.0)) - x
        >>> bool((problem.solve() - exact).abs().max() < 1e-6)
        True
        """
        if self._is_flux(of):
            return self._of_flux(of).divergence()
        columns = self._first_derivatives(of, "divergence")
        if any(c.dim() != 2 or c.shape[1] != self.dimension for c in columns):
            raise TypeError(
                f"D.divergence: the unknown must have {self.dimension} fields, "
                f"one per axis, got shape {tuple(columns[0].shape)}"
            )
        return torch.stack([c[:, axis] for axis, c in enumerate(columns)]).sum(0)

    def normal(self, of: Argument) -> Tensor:
        """Return the derivative along the outward normal; on the boundary only."""
        return self.apply(operators.normal, of)

    def at(self, where: Callable[[Tensor], Tensor]) -> Derivatives:
        """Return the same words at other places: what is there belongs to this point's equation.

        For conditions that tie two places together: the sides of an interface, the ends of a
        period. The normal stays that of the point itself.

        Parameters
        ----------
        where : callable
            x (n, d) -> (n, d), a fixed map, into the domain or onto its boundary. A function with a
            name of its own.

        Returns
        -------
        Derivatives
            Of the unknown u, as before; ``D.at(where).state`` is the unknown, the place and the
            time there.

        Examples
        --------
        A ring, cut open and glued again: u and u' agree at both ends.

        >>> import dtpinn
        >>> def other_end(x):
        ...     return 1 - x
        >>> class Ring(dtpinn.PDE):
        ...     def residual(self, u, D, x):
        ...         return D.laplacian(u) - u - torch.sin(2 * torch.pi * x[:, 0])
        ...     def conditions(self):
        ...         def value(u, D, x, n):
        ...             return u - D.at(other_end).state[0]
        ...         def slope(u, D, x, n):
        ...             return D.normal(u) - D.at(other_end).normal(u)
        ...         return {"left": value, "right": slope}
        >>> line = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.02)
        >>> problem = dtpinn.discretize(Ring(), line)
        >>> exact = -torch.sin(2 * torch.pi * problem.points[:, 0]) / (1 + 4 * torch.pi**2)
        >>> bool((problem.solve() - exact).abs().max() < 1e-4)
        True
        """
        return self._make.at(self, where)

    def _first_derivatives(self, of: Argument, name: str) -> list[Tensor]:
        """The derivatives along the axes, for the word `name`, which messages then say."""
        try:
            return [self.partial(of, axis) for axis in range(self.dimension)]
        except WrongArgument as error:
            raise WrongArgument(error.of, name) from None

    def _is_flux(self, of: Argument) -> TypeGuard[Callable[..., Tensor]]:
        """Whether it is called with D: its second argument has this name, or there is one more."""
        if isinstance(of, Tensor) or not callable(of):
            return False
        try:
            parameters = inspect.signature(getattr(of, "forward", of)).parameters.values()
        except ValueError:
            return False  # written in C, which does not tell
        alone = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        open_ended = any(p.kind == p.VAR_POSITIONAL for p in parameters)
        needed = [p for p in alone if p.default is p.empty]
        usual = len(self.state) - (open_ended and len(self.state) > 2)
        return len(needed) > usual or (len(needed) > 1 and needed[1].name == "D")

    def _of_flux(self, of: Callable[..., Tensor]) -> Flux:
        return self._make.flux(self, of)

    def __getattr__(self, name: str) -> Any:
        """Tell, of a word that is none, which there are."""
        if name.startswith("_"):
            raise AttributeError(name)
        words = [word for word in Derivatives.__dict__ if not word.startswith("_")]
        known = ", ".join(word for word in words if word not in ("apply", "rate"))
        raise AttributeError(f"D knows no {name!r}; it knows {known}")
