"""Forced: an equation with a known source, known boundary data and known initial values."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from torch import Tensor, nn

from dtpinn.pde.coefficients import Coefficient
from dtpinn.pde.conditions import BoundaryCondition, Robin
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.equation import PDE, Condition
from dtpinn.pde.exact import Solution, boundary_data, initial_data, source
from dtpinn.pde.known import known

if TYPE_CHECKING:
    from typing_extensions import Self

Boundary = BoundaryCondition | Mapping[str, BoundaryCondition]


class Forced(PDE):
    """``operator(u) = f`` in the domain, with a condition on its boundary or on each part of it.

    The base of the library's equations: a subclass writes `operator`, takes `f` and `boundary` as
    its first two arguments, and has residuals, conditions by part and `from_solution`.

    Parameters
    ----------
    f : callable or None
        Source: x (n, d) -> (n,), or (n, fields); in time (x, t). None for 0. Evaluated once per
        point set.
    boundary : BoundaryCondition or mapping of part name to BoundaryCondition
        Robin, Dirichlet, Neumann, ...: on the whole boundary, or one for every named part of it.
        May be left out where there is no boundary, all directions being periodic.
    initial : callable, optional
        u_0: x (n, d) -> (n,) or (n, fields), of an equation in time. None for 0.

    Attributes
    ----------
    in_time : bool
        Whether the equation is one in space-time.

    Examples
    --------
    >>> import torch
    >>> class Screened(Forced):
    ...     def operator(self, u, D, x):
    ...         return D.laplacian(u) - 4 * u
    >>> pde = Screened.from_solution(lambda x: torch.exp(x[:, 0]))
    >>> pde.f(torch.zeros(1, 2))
    tensor([-3.])
    """

    in_time: ClassVar[bool] = False

    def __init__(
        self,
        f: Callable[..., Tensor] | None,
        boundary: Boundary | None = None,
        initial: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.f, self.u0 = known(f), known(initial)
        if boundary is None or isinstance(boundary, BoundaryCondition):
            boundary = {} if boundary is None else {"": boundary}
        elif not (isinstance(boundary, Mapping) and boundary) or not all(
            isinstance(condition, BoundaryCondition) for condition in boundary.values()
        ):
            raise TypeError(
                f"{type(self).__name__}: boundary must be a condition (Robin, Dirichlet, "
                f"Neumann, ...) or a mapping of part names to such; got {boundary!r}"
            )
        # A list, for part names may hold dots, which the keys of a ModuleDict may not.
        self._parts: tuple[str, ...] = tuple(boundary)
        self.on = nn.ModuleList(boundary.values())

    @classmethod
    def from_solution(
        cls,
        u: Solution,
        alpha: Coefficient = 1.0,
        beta: Coefficient = 1.0,
        *,
        boundary: Boundary | None = None,
        start: float = 0.0,
        **coefficients: Any,
    ) -> Self:
        """Return the problem that u solves: its data are computed from u by autograd.

        Parameters
        ----------
        u : callable
            The solution, x (n, d) -> (n,) or (n, fields), written with torch functions; (x, t) of
            an equation in time.
        alpha, beta : float, nn.Parameter or callable
            Of the Robin condition ``alpha du/dn + beta u = g`` on the whole boundary.
        boundary : BoundaryCondition or mapping, optional
            Other conditions, without their data: ``Dirichlet()``, ``{"inner": Neumann(), ...}``.
        start : float
            The first of the times, that of the initial values.
        **coefficients
            Of the equation, as its constructor takes them. Where some of them are unknown, u is the
            solution at the values that they have now, whatever training makes of them.
        """
        pde = cls(None, Robin(alpha, beta) if boundary is None else boundary, **coefficients)
        frozen = copy.deepcopy(pde).requires_grad_(False)
        pde.f = known(source(u, frozen.operator))
        pde.u0 = known(initial_data(u, start)) if cls.in_time else None
        pairs = zip(pde._each_condition(), frozen._each_condition(), strict=True)
        pde.on = nn.ModuleList(c.with_data(boundary_data(u, exact.operator)) for c, exact in pairs)
        return pde

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return the left side of the equation at the collocation points."""
        raise NotImplementedError(f"{type(self).__name__} must define operator(self, u, D, x)")

    def residual(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return operator(u) - f at the collocation points."""
        if bool(t) != self.in_time:
            kind, remedy = (
                ("is in time", "pass times=...") if self.in_time else ("is steady", "give no times")
            )
            raise TypeError(f"{type(self).__name__}: the equation {kind}; {remedy}")
        left = self.operator(u, D, x, *t)
        return left if self.f is None else left - self.f(x, *t)

    def boundary(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the condition's residual, the same on the whole boundary."""
        if not self._parts:
            raise ValueError(
                f"{type(self).__name__} was given no boundary condition, and these nodes have a "
                "boundary; give boundary=Dirichlet(...), or another one"
            )
        if self._parts != ("",):
            raise ValueError(
                f"{type(self).__name__}: the condition was given by part; see conditions()"
            )
        result: Tensor = self.on[0](u, D, x, n, *t)
        return result

    def conditions(self) -> Mapping[str, Condition]:
        """Return the condition of each part, where they were given by part."""
        return {} if self._parts in ((), ("",)) else dict(zip(self._parts, self.on, strict=True))

    def _each_condition(self) -> list[BoundaryCondition]:
        return cast("list[BoundaryCondition]", list(self.on))

    def initial(self, u: Tensor, x: Tensor) -> Tensor:
        """Return u - u_0 at the first of the times."""
        return u if self.u0 is None else u - self.u0(x)
