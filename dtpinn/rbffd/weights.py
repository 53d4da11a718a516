"""RBF-FD weights: the linear systems of all stencils, solved on several threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dtpinn.arrays import Floats
from dtpinn.operators import MultiIndex
from dtpinn.rbffd.parallel import CHUNK, available_threads, in_chunks
from dtpinn.rbffd.progress import Advance
from dtpinn.rbffd.rule import Rule
from dtpinn.rbffd.solver import solve_stencils
from dtpinn.rbffd.stencils import Stencils


@dataclass(frozen=True)
class Weights:
    """What :func:`solve_weights` returns.

    Attributes
    ----------
    values : dict of name to (rows, n) array
        The weights c_k of equation (8), in the order of the stencil's members.
    condition : (rows,) array
        An estimate of the condition number of the stencil's system (9), inf where it is singular.
    """

    values: dict[str, Floats]
    condition: Floats

    def take(self, which: NDArray[np.intp]) -> Weights:
        """Return the weights of some stencils.

        Parameters
        ----------
        which : (k,) int array
            Rows.

        Returns
        -------
        Weights
        """
        values = {name: value[which] for name, value in self.values.items()}
        return Weights(values, self.condition[which])


def solve_weights(
    stencils: Stencils,
    operators: Mapping[str, Mapping[MultiIndex, Floats]],
    rule: Rule,
    *,
    threads: int | None = None,
    advance: Advance | None = None,
) -> Weights:
    """Solve equation (9) for every stencil and operator, one factorisation per stencil.

    Parameters
    ----------
    stencils : Stencils
        Of ``rule.stencil_size`` members each.
    operators : mapping of name to (mapping of multi-index to (1,) or (rows,) array)
        Checked terms, from :func:`~dtpinn.rbffd.terms.terms_of`.
    rule : Rule
        Its `derivatives` must be at least the operators' highest.
    threads : int, optional
        All available processors by default. The results do not depend on it, bit for bit: every
        stencil is solved by itself.
    advance : callable, optional
        Told how many stencils are done.

    Returns
    -------
    Weights
        The weights of a singular stencil are not finite; what to do about it is for
        :func:`~dtpinn.rbffd.growing.solve_growing`.

    Notes
    -----
    The identity is not solved for: it is 1 at the centre, exactly. A derivative of order k of the
    scaled problem is unscaled by radius^-k.

    The condition number is that of the Frobenius norm, |K|_F |K^-1|_F, the second factor estimated
    from the solutions for three fixed random columns (`tables.probes`): within a factor of 2 as a
    rule, rarely 10, of the true one. It does not depend on the spacing of the nodes.

    Examples
    --------
    >>> from dtpinn.rbffd.rule import choose_rule
    >>> from dtpinn.rbffd.stencils import find_stencils
    >>> rule = choose_rule(2, derivatives=2, dimension=1, stencil_size=5)
    >>> stencils = find_stencils(np.linspace(0.0, 1.0, 11)[:, None], np.array([5]), 5)
    >>> weights = solve_weights(stencils, {"second": {(2,): np.ones(1)}}, rule)
    >>> bool(abs(weights.values["second"].sum()) < 1e-9)
    True
    """
    rows = len(stencils)
    values = {name: np.zeros((rows, rule.stencil_size)) for name in operators}
    condition = np.empty(rows)
    derivatives = tuple(sorted({a for terms in operators.values() for a in terms if any(a)}))

    def work(part: slice) -> None:
        solved, condition[part] = solve_stencils(stencils.offsets(part), rule, derivatives)
        columns = dict(zip(derivatives, solved[:, 0].swapaxes(0, 1), strict=True))
        for alpha, column in columns.items():
            column *= stencils.radius[part, None] ** -float(sum(alpha))
        for name, terms in operators.items():
            _combine(values[name][part], terms, columns, part)

    in_chunks(work, rows, CHUNK, threads or available_threads(), advance)
    return Weights(values, condition)


def _combine(
    out: Floats,
    terms: Mapping[MultiIndex, Floats],
    columns: Mapping[MultiIndex, Floats],
    part: slice,
) -> None:
    """Add up an operator's terms: coefficient times the weights of each derivative."""
    for alpha, coefficient in terms.items():
        factor = coefficient[part] if coefficient.size > 1 else coefficient
        if any(alpha):
            out += factor[:, None] * columns[alpha]
        else:
            out[:, 0] += factor
