"""Forced: an equation with a known source, known boundary data and known initial values."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from torch import Tensor, nn

from dtpinn.pde.coefficients import Coefficient
from dtpinn.pde.conditions import BoundaryCondition, Robin
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.equation import PDE, Condition
from dtpinn.pde.exact import Solution, boundary_data, initial_data, source
from dtpinn.pde.known import Datum, known
from dtpinn.pde.on_parts import WHOLE

if TYPE_CHECKING:
    from typing_extensions import Self

Source = Callable[..., Tensor] | Datum
Conditions = BoundaryCondition | Sequence[BoundaryCondition]
Boundary = Conditions | Mapping[str, Conditions]


class Forced(PDE):
    """``operator(u) = f`` in the domain, with a condition on its boundary or on each part of it.

    The base of the library's equations: a subclass writes `operator`, takes `f` and `boundary` as
    its first two arguments, and has residuals, conditions by part and `from_solution`.

    Parameters
    ----------
    f : callable, number, sequence of numbers or None
        Source: x (n, d) -> (n,), or (n, fields); in time (x, t). A number is the same everywhere, a
        sequence holds one for each field. None for 0. Evaluated once per point set.
    boundary : BoundaryCondition, list of them, or mapping of part name to these
        Robin, Dirichlet, Neumann, ...: on the whole boundary, or for every named part of it; a list
        where several hold, such as those of some fields each. A name may be a pattern,
        ``"circle*"``, and ``"*"`` is for the parts that are not named. May be left out where there
        is no boundary, all directions being periodic.
    initial : callable, number or sequence of numbers, optional
        u_0: x (n, d) -> (n,) or (n, fields), of an equation in time. None for 0.

    Attributes
    ----------
    in_time : bool or None
        Whether the equation is one in space-time; None of one that may be either.

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

    in_time: ClassVar[bool | None] = False

    def __init__(
        self,
        f: Source | None,
        boundary: Boundary | None = None,
        initial: Source | None = None,
    ) -> None:
        super().__init__()
        self.f, self.u0 = known(f), known(initial)
        given = [] if boundary is None else _in_order(type(self).__name__, boundary)
        self._by_default = boundary is None
        # A list, for part names may hold dots, which the keys of a ModuleDict may not.
        self._parts = tuple(part for part, _ in given)
        self.on = nn.ModuleList(condition for _, condition in given)

    @classmethod
    def from_solution(
        cls,
        u: Solution,
        alpha: Coefficient | None = None,
        beta: Coefficient | None = None,
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
            Of the Robin condition ``alpha du/dn + beta u = g`` on the whole boundary; 1 by default.
        boundary : BoundaryCondition or mapping, optional
            Other conditions, without their data: ``Dirichlet()``, ``{"inner": Neumann(), ...}``,
            ``[Dirichlet(field=0), Neumann(field=1)]``.
        start : float
            The first of the times, that of the initial values.
        **coefficients
            Of the equation, as its constructor takes them. Where some of them are unknown, u is the
            solution at the values that they have now, whatever training makes of them.
        """
        robin = Robin(1.0 if alpha is None else alpha, 1.0 if beta is None else beta)
        given = robin if boundary is None else boundary
        pde = cls(f=None, boundary=given, **coefficients)
        pde._by_default = boundary is None and alpha is None and beta is None
        frozen = copy.deepcopy(pde).requires_grad_(False)
        pde.f = known(source(u, frozen.operator))
        if cls.in_time is not False:
            pde.begin_as(u, start)
        pairs = zip(pde._each_condition(), frozen._each_condition(), strict=True)
        pde.on = nn.ModuleList(
            c.with_data(boundary_data(u, exact.of(pde.field_names).required)) for c, exact in pairs
        )
        return pde

    def begin_as(self, u: Solution, start: float) -> None:
        """Take the initial data from a known solution."""
        self.u0 = known(initial_data(u, start))

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return the left side of the equation at the collocation points."""
        raise NotImplementedError(f"{type(self).__name__} must define operator(self, u, D, x)")

    def residual(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return operator(u) - f at the collocation points."""
        if self.in_time is not None and bool(t) != self.in_time:
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
        if self._parts != (WHOLE,):
            raise ValueError(
                f"{type(self).__name__}: the condition was given by part; see conditions()"
            )
        result: Tensor = self._each_condition()[0].of(self.field_names)(u, D, x, n, *t)
        return result

    @property
    def has_conditions(self) -> bool:
        """Whether conditions were given: those that ``from_solution`` has by default were not."""
        return not self._by_default or type(self).boundary is not Forced.boundary

    def conditions(self) -> Mapping[str, Condition | Sequence[Condition]]:
        """Return the conditions of each part, unless there is one for the whole boundary."""
        if self._parts in ((), (WHOLE,)):
            return {}
        pairs = list(zip(self._parts, self._each_condition(), strict=True))
        by_part = {part: [c for other, c in pairs if other == part] for part in self._parts}
        return {part: cs[0] if len(cs) == 1 else cs for part, cs in by_part.items()}

    def _told(self, name: str) -> str:
        if not name.startswith("on."):
            return super()._told(name)
        _, number, rest = name.split(".", 2)
        part, before = self._parts[int(number)], self._parts[: int(number)]
        where = [] if part == WHOLE else [part]
        which = [str(before.count(part))] if self._parts.count(part) > 1 else []
        return ".".join(["boundary", *where, *which, rest])

    def _each_condition(self) -> list[BoundaryCondition]:
        return cast("list[BoundaryCondition]", list(self.on))

    def initial(self, u: Tensor, D: Derivatives, x: Tensor) -> Tensor:
        """Return u - u_0 at the first of the times."""
        return u if self.u0 is None else u - self.u0(x)


def _in_order(equation: str, boundary: Boundary) -> list[tuple[str, BoundaryCondition]]:
    """All conditions, each with the name of its part."""
    by_part = boundary if isinstance(boundary, Mapping) else {WHOLE: boundary}
    pairs: list[tuple[str, BoundaryCondition]] = [
        (part, condition)
        for part, given in by_part.items()
        for condition in ([given] if isinstance(given, BoundaryCondition) else _items(given))
    ]
    every_part = {part for part, _ in pairs} == set(by_part)
    if not pairs or not every_part or not all(isinstance(c, BoundaryCondition) for _, c in pairs):
        raise TypeError(
            f"{equation}: boundary must be a condition (Robin, Dirichlet, Neumann, ...), a list of "
            f"such, or a mapping of part names to these; got {boundary!r}"
        )
    return pairs


def _items(given: object) -> list[BoundaryCondition]:
    """Those of a list; what is none is refused by its kind."""
    return list(given) if isinstance(given, (list, tuple)) else [given]  # type: ignore[list-item]
