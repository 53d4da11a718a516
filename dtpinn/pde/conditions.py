"""Boundary conditions ``B u = g``: Robin, and its cases Dirichlet and Neumann."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn

from dtpinn.pde.coefficients import Coefficient, at, of_place, vanishes
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.field_names import FieldChoice, field_numbers
from dtpinn.pde.known import Datum, Known, known

if TYPE_CHECKING:
    from typing_extensions import Self

Data = Datum | Callable[..., Tensor]


class BoundaryCondition(nn.Module, ABC):
    """``operator(u) = g`` on the boundary, or on a part of it; perhaps of some fields alone.

    Parameters
    ----------
    g : number, sequence of numbers or callable, optional
        (x (n, d), normal (n, d)) -> (n,), or (n, fields) for a system; in space-time
        (x, normal, t). A number is the same everywhere, a sequence holds one for each field. None
        for 0. Evaluated once per point set.
    field : int, str or a tuple of these, optional
        Which columns of the operator are required, by number or by the name that the equation
        gives them in its `fields`: g then has the shape (n,) for one, (n, k) for k of them. All of
        them by default. The operator itself always sees the whole unknown.

    Examples
    --------
    >>> class Radiation(BoundaryCondition):
    ...     def operator(self, u, D, x, n):
    ...         return D.normal(u) + u**4
    >>> Radiation().g is None
    True

    The first of two fields is given, the second radiates:

    >>> conditions = [Dirichlet(1.0, field=0), Radiation(field=1)]
    """

    def __init__(self, g: Data | None = None, field: FieldChoice | None = None) -> None:
        super().__init__()
        self.g: Known | None = known(g)
        self.field = field

    @abstractmethod
    def operator(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the left side of the condition on the boundary points, for all fields."""

    def required(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the columns of the left side that the condition is about."""
        left = self.operator(u, D, x, n, *t)
        if self.field is None or (left.dim() == u.dim() == 1 and self.field == 0):
            return left
        chosen = [self.field] if isinstance(self.field, (int, str)) else self.field
        columns = [column for column in chosen if isinstance(column, int)]
        if len(columns) < len(chosen):
            raise ValueError(
                f"{self}: field={self.field!r} is a name that its equation knows; return the "
                "condition from conditions(), or give the number of the field"
            )
        if left.dim() != 2 or left.shape[1] != (1 if u.dim() == 1 else u.shape[1]):
            raise ValueError(
                f"{self}: field={self.field!r} chooses among the columns of its operator, one for "
                f"each field, but that returned shape {tuple(left.shape)} for an unknown of shape "
                f"{tuple(u.shape)}"
            )
        return left[:, columns[0]] if len(columns) == 1 else left[:, columns]

    def forward(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the residual on the boundary points."""
        left = self.required(u, D, x, n, *t)
        return left if self.g is None else left - self.g(x, n, *t)

    def of(self, names: Sequence[str]) -> Self:
        """Return the same condition with its fields as numbers, for an equation of these fields.

        Raises
        ------
        ValueError
            If it is about a field that the equation does not have.
        """
        if self.field is None:
            return self
        try:
            numbers = field_numbers(self.field, names)
        except ValueError as error:
            raise ValueError(f"{self}: {error}") from None
        result = copy.copy(self)  # its parameters are the same
        result.field = numbers
        return result

    def with_data(self, g: Data) -> Self:
        """Return the same condition, unknown coefficients shared, with data where it had none."""
        if self.g is not None:
            raise ValueError(
                f"{self}: its data g are found from the solution; give the condition without them"
            )
        result = copy.copy(self)
        result.g = known(g)
        return result


class Robin(BoundaryCondition):
    """``alpha du/dn + beta u = g``, equation (2) of the paper; of a system, for every field.

    Parameters
    ----------
    alpha, beta : float, nn.Parameter or callable
        A function (x (n, d), normal (n, d)) -> (n,), in space-time (x, normal, t), or one of x
        alone, varies along the boundary. A scalar Parameter is an unknown coefficient, to be
        learnt. With an equation's conductivity k as alpha it is the flux that is prescribed:
        ``Robin(k, 0.0, q)`` is k du/dn = q, ``Robin(k, h, 20.0 * h)`` the cooling by surroundings
        at 20 degrees, k du/dn = h (20 - u).
    g : number, sequence of numbers or callable, optional
        (x (n, d), normal (n, d)) -> (n,) or (n, fields); in space-time (x, normal, t). None for 0.
    field : int, str or a tuple of these, optional
        Of a system: which fields it is for; all of them by default.

    Examples
    --------
    >>> Robin(1.0, 0.0, lambda x, n: x[:, 0])
    Robin(alpha=1.0, beta=0.0)
    >>> Robin(1.0, 2.0, 3.0, field="p")
    Robin(alpha=1.0, beta=2.0, field='p')
    """

    def __init__(
        self,
        alpha: Coefficient,
        beta: Coefficient,
        g: Data | None = None,
        field: FieldChoice | None = None,
    ) -> None:
        super().__init__(g, field)
        self.alpha = of_place("Robin: alpha", alpha)
        self.beta = of_place("Robin: beta", beta)
        if vanishes(self.alpha) and vanishes(self.beta):
            raise ValueError("Robin: alpha and beta are both 0, which leaves no condition")

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return alpha du/dn + beta u; a coefficient that vanishes asks for no derivative."""
        if vanishes(self.alpha):
            return at(self.beta, u, x, n, *t) * u
        slope = at(self.alpha, u, x, n, *t) * D.normal(u)
        return slope if vanishes(self.beta) else slope + at(self.beta, u, x, n, *t) * u

    def extra_repr(self) -> str:
        """Show the coefficients when printed."""
        field = "" if self.field is None else f", field={self.field!r}"
        return f"alpha={self.alpha}, beta={self.beta}{field}"


def Dirichlet(g: Data | None = None, field: FieldChoice | None = None) -> Robin:
    """Return the condition ``u = g``; g: a number, (x, normal) -> (n,), or 0.

    Examples
    --------
    >>> inflow = [Dirichlet((1.0, 0.0), field=("u", "v")), Neumann(field="p")]
    """
    return Robin(0.0, 1.0, g, field)


def Neumann(g: Data | None = None, field: FieldChoice | None = None) -> Robin:
    """Return the condition ``du/dn = g``; g: a number, (x, normal) -> (n,), or 0.

    Also where the equation has a conductivity k; k du/dn = g is ``Robin(k, 0.0, g)``.
    """
    return Robin(1.0, 0.0, g, field)
