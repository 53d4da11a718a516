"""What an equation leaves open at rest, and a nonlinear term only seems to determine.

A steady flow without walls keeps any mean velocity: the momentum equations add up to the sum of the
force whatever the flow is, and there is one for each mean. But it is no constant that is free, the
flow changes with it. So the discrete equations are singular to the error of the discretisation, and
not to rounding, and where on the family their solution lies is chance. At rest, without convection,
they are singular to rounding. With radiation under pure Neumann conditions they are so too, and yet
determine the temperature. What tells the two apart is what a change of the solution makes of the
terms that are not linear: added up, convection is next to nothing, and radiation all that it is.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import block_array, csc_array, csr_array, sparray

from dtpinn.arrays import Floats
from dtpinn.problem.direct.factorise import factorise
from dtpinn.problem.direct.scaling import equilibrate

FREE = 0.3
"""Share of these terms that may be left when they are added up, as the discretisation's error.

Of flows on a torus 2e-3 and less, between slip walls on coarse nodes up to 0.15; of radiation and
of reactions, in a part of the domain as well, 0.98 to 1.
"""
# More than a rigid body's motions in space are not looked for.
_MOST = 7


def open_at_rest(A: csc_array) -> tuple[Floats, Floats] | None:
    """Return the left and the right null vectors (n, j) of the matrix at rest; None if it has none.

    Or if there are more than of any known kind.
    """
    try:
        factorise(A, "")
    except RuntimeError:
        pass
    else:
        return None
    scales, n = equilibrate(A), A.shape[0]
    random = np.random.default_rng(0)
    for j in range(1, _MOST + 1):
        columns = random.choice([-1.0, 1.0], size=(n, j)) / scales.rows[:, None]
        rows = random.choice([-1.0, 1.0], size=(j, n)) / scales.columns
        try:
            factors = factorise(_bordered(A, columns, rows), "")
        except RuntimeError:
            continue
        right = np.zeros((n + j, j))
        right[n:] = np.eye(j)
        null = np.stack([factors.solve(column)[:n] for column in right.T], axis=1)
        return factors.solve_transposed(right)[:n], null
    return None


def shares(
    A: sparray,
    at_rest: sparray,
    null: Floats,
    sources: Floats | csr_array,
    rows: Floats | csr_array,
) -> Floats:
    """Return what is left of the terms that are not linear when they are added up.

    Parameters
    ----------
    A, at_rest : (n, n) sparse array
        At the solution, and without what is not linear.
    null : (n, k) array
        Left null vectors at rest: as what the equations are added up.
    sources : (n, k) array
        That changes of the solution may take.
    rows : (k, n) array
        What is changed: each by itself, by 1.

    Returns
    -------
    (k,) array
        Beside the sum of their sizes, of as many combinations of the changes, the one that takes
        the largest source first. Below :data:`FREE` the equation does not determine them; of terms
        of one sign it is 1.
    """
    n, k = sources.shape
    factors = factorise(_bordered(A, sources, rows), "")
    right = np.zeros((n + k, k))
    right[n:] = np.eye(k)
    found = np.stack([factors.solve(column) for column in right.T], axis=1)
    change = found[:n] @ np.linalg.svd(found[n:])[2].T
    terms = A @ change - at_rest @ change
    left, whole = np.abs(null.T @ terms), np.abs(null).T @ np.abs(terms)
    return np.asarray((left / np.where(whole > 0.0, whole, 1.0)).max(axis=0))


def _bordered(A: sparray, columns: Floats | csr_array, rows: Floats | csr_array) -> csc_array:
    return csc_array(block_array([[A, csr_array(columns)], [csr_array(rows), None]], format="csc"))
