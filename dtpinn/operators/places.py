"""What an operator is at a place: derivatives with numbers in front of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

MultiIndex: TypeAlias = tuple[int, ...]
"""How often to differentiate along each axis: (2, 0) is d^2/dx^2 in 2-D."""

Terms: TypeAlias = Mapping[MultiIndex, Any]
"""Multi-index -> coefficient: a number, or one for each row of a place (NumPy's or torch's).

Where RBF-FD takes them in place of an operator, a function of the points as well.
"""


class Place(Protocol):
    """Where an operator is taken: rows of points, which may lie on a boundary."""

    @property
    def dimension(self) -> int:
        """The dimension of space, d."""

    def normals(self) -> Any:
        """Return the outward unit normals, (rows, d); raise ValueError where there are none."""

    def evaluate(self, value: Any, shape: tuple[int, ...], name: str) -> Any:
        """Return a coefficient that varies as numbers, of `shape` or with a row for each point.

        Parameters
        ----------
        value : number, array or callable
            As a user wrote it.
        shape : () or (d,)
            Of one coefficient.
        name : str
            What messages call it.
        """


@dataclass(frozen=True)
class Space:
    """A place of which no more is known than its dimension and perhaps its normals.

    Enough for every operator with constant coefficients and for the derivative along the normal.

    Parameters
    ----------
    dimension : int
        d.
    outward : (rows, d) array or tensor, optional
        On a boundary.
    """

    dimension: int
    outward: Any = None

    def normals(self) -> Any:
        """Return the outward unit normals, (rows, d)."""
        if self.outward is None:
            raise ValueError("the normal derivative exists on a boundary, and this is none")
        return self.outward

    def evaluate(self, value: Any, shape: tuple[int, ...], name: str) -> Any:
        """Refuse: there are no points at which to evaluate it."""
        raise ValueError(
            f"{name} is no plain number, and this is a place without points; multiply the result "
            "of D.partial(u, ...) with it"
        )
