"""Operators as data: equal where they are written alike, and the same terms wherever asked."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
import torch

from dtpinn.operators import (
    Space,
    biharmonic,
    diffusion,
    directional,
    identity,
    laplacian,
    normal,
    partial,
)
from dtpinn.pde.automatic_derivatives import AutomaticDerivatives

CONSTANT = [
    identity,
    laplacian,
    biharmonic,
    partial(0),
    partial(1, 0),
    2 * laplacian - 3 * partial(1) @ partial(0, 1),
    -(laplacian + identity) @ laplacian,
]


def symbol(operator, k):
    """What it multiplies exp(k . x) by."""
    terms = operator.terms_at(Space(len(k)))
    return sum(c * math.prod(k[i] ** a for i, a in enumerate(alpha)) for alpha, c in terms.items())


@pytest.mark.parametrize("d", [1, 2, 3])
def test_products_and_sums_of_operators_are_those_of_their_symbols(d, rng):
    k = rng.standard_normal(d)
    square = k @ k
    for operator, wanted in [
        (laplacian, square),
        (biharmonic, square**2),
        (2 * laplacian - partial(0), 2 * square - k[0]),
        ((laplacian + 3 * identity) @ (partial(0) - laplacian), (square + 3) * (k[0] - square)),
    ]:
        assert np.isclose(symbol(operator, k), wanted, rtol=1e-12)


def test_the_laplacian_has_the_dimension_of_the_place():
    assert list(laplacian.terms_at(Space(3))) == [(2, 0, 0), (0, 2, 0), (0, 0, 2)]
    assert biharmonic.terms_at(Space(2)) == {(4, 0): 1.0, (2, 2): 2.0, (0, 4): 1.0}


@pytest.mark.parametrize("operator", CONSTANT, ids=str)
def test_what_is_written_alike_is_equal_and_stays_so_when_it_is_copied(operator):
    for other in (pickle.loads(pickle.dumps(operator)), copy.deepcopy(operator)):
        assert other == operator
        assert hash(other) == hash(operator)
        assert {operator: "kept"}[other] == "kept"
    assert operator != normal


def test_partial_derivatives_commute():
    assert partial(0, 1) == partial(1, 0)
    assert partial(1, 0).name == "partial(0, 1)"
    assert partial(0, 0, 1).terms_at(Space(2)) == {(2, 1): 1.0}


def test_coefficients_that_vary_are_equal_to_themselves_alone():
    a = np.ones(3)
    varying = a * laplacian
    assert varying == copy.copy(varying)
    assert varying != a * laplacian


@pytest.mark.parametrize(
    ("operator", "order"),
    [
        (identity, 0),
        (normal, 1),
        (directional([1.0, 0.0]), 1),
        (np.ones(4) * laplacian, 2),
        (diffusion(2.0), 2),
        (biharmonic + normal, 4),
        (partial(0, 1) @ laplacian, 4),
    ],
    ids=str,
)
def test_the_order_is_the_highest_derivative(operator, order):
    assert operator.order == order


@pytest.mark.parametrize("make", [np.asarray, torch.tensor], ids=["NumPy", "torch"])
def test_n_grad_has_the_components_of_the_normals(make):
    n = make([[0.6, 0.8], [1.0, 0.0]])
    terms = normal.terms_at(Space(2, n))
    assert list(terms) == [(1, 0), (0, 1)]
    assert all((terms[alpha] == n[:, k]).all() for k, alpha in enumerate(terms))
    assert normal.along_normal
    assert (2 * normal + identity).along_normal
    assert not laplacian.along_normal


def test_what_does_not_fit_a_place_is_named():
    with pytest.raises(ValueError, match="exists on a boundary, and this is none"):
        normal.terms_at(Space(2))
    with pytest.raises(ValueError, match="coefficient of laplacian is no plain number"):
        (np.ones(3) * laplacian).terms_at(Space(2))
    for axis in (2, -1):
        with pytest.raises(ValueError, match=rf"partial\({axis}\): axes in 2-D are 0 to 1"):
            partial(axis).terms_at(Space(2))


def test_an_axis_that_a_residual_asks_for_is_checked():
    x = torch.rand(3, 2, requires_grad=True)
    u = x[:, 0] * x[:, 1]
    D = AutomaticDerivatives(u, x)
    for axes in ((), (2,), (-1,)):
        with pytest.raises(ValueError, match=r"D\.partial\(u, axis, \.\.\.\): .* in 0\.\.1"):
            D.partial(u, *axes)


def test_automatic_differentiation_takes_any_operator_with_constant_coefficients():
    x = torch.rand(5, 2, requires_grad=True)
    u = x[:, 0] ** 3 * x[:, 1]
    got = AutomaticDerivatives(u, x).apply(laplacian - 2 * partial(1), u)
    torch.testing.assert_close(got, 6 * x[:, 0] * x[:, 1] - 2 * x[:, 0] ** 3)
