"""The conditions of an equation, by the part of the boundary that they are for."""

from __future__ import annotations

from collections.abc import Sequence

from dtpinn.pde.conditions import BoundaryCondition
from dtpinn.pde.equation import PDE, Condition

WHOLE = "*"
"""The name of the parts that no other name stands for."""


def conditions_on_parts(pde: PDE) -> dict[str, tuple[Condition, ...]]:
    """Return the conditions under the names of parts that the equation gives them.

    Whether one condition was given or a list of them, and whether fields are called by number or by
    name: it is a tuple of conditions with numbers. `boundary` is for :data:`WHOLE`.

    Raises
    ------
    TypeError
        If a condition is none.
    ValueError
        If there is none for a part, or it is about a field that the equation does not have.

    Examples
    --------
    >>> from dtpinn.pde import Dirichlet, Poisson
    >>> conditions_on_parts(Poisson(1.0, {"left": Dirichlet(field="u")}))["left"][0].field
    0
    """
    given = pde.conditions() or {WHOLE: pde.boundary}
    return {part: _several(pde, part, conditions) for part, conditions in given.items()}


def _several(pde: PDE, part: str, given: Condition | Sequence[Condition]) -> tuple[Condition, ...]:
    conditions = (given,) if callable(given) else tuple(given)
    if not conditions:
        raise ValueError(f"{type(pde).__name__}: there is no condition for the part {part!r}")
    for condition in conditions:
        if not callable(condition):
            raise TypeError(
                f"{type(pde).__name__}: a condition for {part!r} must be a BoundaryCondition or a "
                f"function of (u, D, x, n), got {condition!r}"
            )
    names = pde.field_names
    return tuple(c.of(names) if isinstance(c, BoundaryCondition) else c for c in conditions)
