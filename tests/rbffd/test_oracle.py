"""The weights are those of treverhines-rbf, another implementation, on the same stencils."""

import numpy as np
import pytest

from dtpinn.rbffd import choose_rule
from dtpinn.rbffd.stencils import find_stencils
from dtpinn.rbffd.weights import solve_weights
from tests.rbffd.clouds import box, unit_vectors

fd = pytest.importorskip("rbf.pde.fd", reason="treverhines-rbf is not installed")

ROWS = 20

CASES = [
    (dimension, order, exponent)
    for dimension in (1, 2, 3)
    for order in (2, 4, 5)
    for exponent in (None, 7)
]


def operators(dimension, rng):
    unit = np.eye(dimension, dtype=int)
    normals = unit_vectors(ROWS, dimension, rng)
    mixed = unit[0] + unit[-1]
    return {
        "laplacian": {tuple((2 * e).tolist()): np.ones(1) for e in unit},
        "mixed": {tuple(mixed.tolist()): np.ones(1)},
        "normal": {tuple(e.tolist()): normals[:, k] for k, e in enumerate(unit)},
    }


@pytest.mark.parametrize(("dimension", "order", "exponent"), CASES)
def test_weights_agree(dimension, order, exponent):
    rng = np.random.default_rng(dimension)
    points = box(dimension, {1: 60, 2: 15, 3: 9}[dimension]).extended
    rows = rng.choice(len(points), ROWS, replace=False)
    rule = choose_rule(order, 2, dimension, exponent=exponent)
    stencils = find_stencils(points, rows, rule.stencil_size)
    named = operators(dimension, rng)
    weights = solve_weights(stencils, named, rule)
    for name, terms in named.items():
        theirs = fd.weights(
            points[rows],
            points[stencils.members],
            np.array(list(terms)),
            coeffs=[np.broadcast_to(c, ROWS) for c in terms.values()],
            phi=f"phs{rule.exponent}",
            order=rule.degree,
        )
        largest = abs(theirs).max(axis=1, keepdims=True)
        assert (abs(weights.values[name] - theirs) <= 1e-8 * largest).all(), name
