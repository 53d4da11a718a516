"""What operators are products of: multiplications and derivatives of first and second order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from dtpinn.operators.places import MultiIndex, Place

Evaluate: TypeAlias = Callable[["Given"], Any]
"""Takes what a user gave, returns its numbers at a place."""


@dataclass(frozen=True, eq=False)
class Given:
    """An array or a function that a user gave; equal to itself alone.

    Parameters
    ----------
    value : array or callable
    name : str
        What messages call it.
    of_vectors : bool
        Whether it has one vector per row, and not one number.
    """

    value: Any
    name: str
    of_vectors: bool = False

    def at(self, place: Place) -> Any:
        """Return its numbers, (), (rows,), (d,) or (rows, d)."""
        return place.evaluate(self.value, (place.dimension,) * self.of_vectors, self.name)


@dataclass(frozen=True)
class Times:
    """Multiplication of what stands to its right."""

    by: float | Given


@dataclass(frozen=True)
class Along:
    """The derivative along an axis, along the outward normal, or v . grad of a given v."""

    direction: int | Literal["normal"] | Given

    order = 1

    def steps(self, place: Place, evaluate: Evaluate) -> Iterator[tuple[MultiIndex, Any]]:
        """Yield first derivatives and their coefficients."""
        if isinstance(self.direction, int):
            if not 0 <= self.direction < place.dimension:
                raise ValueError(
                    f"partial({self.direction}): axes in {place.dimension}-D are 0 to "
                    f"{place.dimension - 1}"
                )
            yield _unit(self.direction, 1, place.dimension), 1.0
            return
        v = place.normals() if isinstance(self.direction, str) else evaluate(self.direction)
        for axis in range(place.dimension):
            yield _unit(axis, 1, place.dimension), v[..., axis]


@dataclass(frozen=True)
class Laplacian:
    """The sum of the second derivatives along every axis, however many there are."""

    order = 2

    def steps(self, place: Place, evaluate: Evaluate) -> Iterator[tuple[MultiIndex, Any]]:
        """Yield second derivatives and their coefficients."""
        for axis in range(place.dimension):
            yield _unit(axis, 2, place.dimension), 1.0


Factor: TypeAlias = Times | Along | Laplacian


def _unit(axis: int, times: int, dimension: int) -> MultiIndex:
    return tuple(times if k == axis else 0 for k in range(dimension))
