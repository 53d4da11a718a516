"""The weights differentiate every polynomial of degree l, whatever the operator."""

from types import SimpleNamespace

import numpy as np
import pytest

from dtpinn.rbffd import assemble
from dtpinn.rbffd import differential as D
from tests.marks import mostly_full
from tests.rbffd.clouds import box, disk, exponents_up_to, monomial, unit_vectors

EPS = np.finfo(float).eps

# LU of the N = n + q equations (9) is backward stable, normwise: row j of the second block is
# solved as sum w (q_j + e_j) = Lq_j, |e_j| <= N eps max |q_j|. A monomial is a combination of the
# Legendre q_j with coefficients at most its own maximum over the box [-1, 1]^d of the stencil. So
#     |sum w q - Lq| <= N eps sum |w| max |q|,
# the maximum over that box. Observed: up to 0.1 of it. (The larger entries of A could add a factor
# of 2^m, and do not.) The nodes far from the centre have the smallest weights and the largest |q|.
# For the paper's operators at moderate order that makes little difference, and the sharper
#     |sum w q - Lq| <= C eps sum |w||q|, C = 50,
# holds as well: 2 eps from each of w and q, in sqrt(n) < 7 places at random, times 3 for the LU.
# Observed: up to 12.
C = 50.0

PER_SIDE = {1: 60, 2: 15, 3: 9}
ROWS = 12


def operators(dimension, rng):
    """Name -> terms, for ROWS evaluation nodes."""
    unit = np.eye(dimension, dtype=int)

    def alpha(*axes):
        return tuple(int(n) for n in sum(unit[axis] for axis in axes))

    axes = range(dimension)
    normals = unit_vectors(ROWS, dimension, rng)
    normal = {alpha(i): normals[:, i] for i in axes}
    named = {
        "laplacian": {alpha(i, i): 1.0 for i in axes},
        "normal": normal,
        "robin": {**normal, (0,) * dimension: rng.uniform(1, 2, ROWS)},
        "third": {alpha(0, 0, dimension - 1): 1.0},
        "bilaplacian": {
            **{alpha(i, i, i, i): 1.0 for i in axes},
            **{alpha(i, i, j, j): 2.0 for i in axes for j in axes if i < j},
        },
    }
    named.update({f"d{'xyz'[i]}": {alpha(i): 1.0} for i in axes})
    named.update(
        {f"d{'xyz'[i]}d{'xyz'[j]}": {alpha(i, j): 1.0} for i in axes for j in axes if i < j}
    )
    return named


def errors(matrix, terms, points, rows, powers, origin):
    """|sum w q - Lq| for a monomial q, and its two measures: sum |w| max |q| and sum |w||q|."""
    x = points - origin
    q = monomial(x, powers, (0,) * x.shape[1])
    exact = sum(c * monomial(x[rows], powers, alpha) for alpha, c in terms.items())
    members = matrix.indices.reshape(len(rows), -1)
    radius = np.linalg.norm(x[members] - x[rows][:, None], axis=2).max(axis=1, keepdims=True)
    largest = np.prod((abs(x[rows]) + radius) ** np.array(powers), axis=1)  # in a corner of the box
    sizes = abs(matrix)
    return abs(matrix @ q - exact), sizes.sum(axis=1) * largest, sizes @ abs(q)


CASES = [(d, name) for d in (1, 2, 3) for name in operators(d, np.random.default_rng(0))]


@pytest.mark.parametrize("order", mostly_full(range(2, 7), {2, 5}.__contains__))
@pytest.mark.parametrize(("dimension", "name"), CASES)
def test_every_monomial_is_exact(dimension, name, order):
    rng = np.random.default_rng([dimension, order])
    points = box(dimension, PER_SIDE[dimension]).extended
    rows = rng.choice(len(points), ROWS, replace=False)
    rows[0] = 0  # a corner
    terms = operators(dimension, rng)[name]
    built = assemble(SimpleNamespace(extended=points), {name: terms}, rows, order)
    matrix = built.matrices[name]
    origin = rng.uniform(0, 1, dimension)  # of the monomials, anywhere in the domain
    sharp = dimension < 3 and order < 5 and name not in ("third", "bilaplacian")
    for powers in exponents_up_to(built.rule.degree, dimension):
        error, size, sharper_size = errors(matrix, terms, points, rows, powers, origin)
        assert (error <= built.rule.unknowns * EPS * size).all(), powers
        if sharp:
            assert (error <= C * EPS * sharper_size).all(), powers


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_one_degree_more_is_not_exact(dimension):
    # Otherwise the test above would not tell anything about the degree.
    points = box(dimension, PER_SIDE[dimension]).extended
    terms = operators(dimension, np.random.default_rng(0))["laplacian"]
    built = assemble(SimpleNamespace(extended=points), {"L": terms}, np.arange(ROWS), 2)
    powers = (built.rule.degree + 1,) + (0,) * (dimension - 1)
    error, size, _ = errors(built.matrices["L"], terms, points, np.arange(ROWS), powers, 0.5)
    assert (error > 1e6 * built.rule.unknowns * EPS * size).any()


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_sharing_stencils_keeps_every_operator_exact(dimension):
    rng = np.random.default_rng(3)
    points = box(dimension, PER_SIDE[dimension]).extended
    rows = rng.choice(len(points), ROWS, replace=False)
    named = operators(dimension, rng)
    built = assemble(SimpleNamespace(extended=points), named, rows, 2)
    assert built.rule.derivatives == 4
    for name, terms in named.items():
        for powers in exponents_up_to(built.rule.degree, dimension):
            error, size, _ = errors(built.matrices[name], terms, points, rows, powers, 0.5)
            assert (error <= built.rule.unknowns * EPS * size).all(), (name, powers)


def check_exact(built, terms, points, places, radius):
    """Every operator on every monomial, by the bound above, at any places."""
    for name, of_one in terms.items():
        matrix = built.matrices[name]
        weights = abs(matrix).sum(axis=1)
        for powers in exponents_up_to(built.rule.degree, points.shape[1]):
            error = matrix @ monomial(points, powers, (0,) * points.shape[1])
            error -= sum(c * monomial(places, powers, alpha) for alpha, c in of_one.items())
            largest = np.prod((abs(places) + radius) ** np.array(powers), axis=1)
            assert (abs(error) <= built.rule.unknowns * EPS * weights * largest).all(), (
                name,
                powers,
            )


@pytest.mark.parametrize("theta", [1, 2, 3, 4])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_every_derivative_up_to_the_fourth_is_exact(dimension, theta):
    rng = np.random.default_rng([dimension, theta])
    points = box(dimension, PER_SIDE[dimension]).extended - rng.uniform(0, 1, dimension)
    rows = rng.choice(len(points), ROWS, replace=False)
    terms = {str(a): {a: 1.0} for a in exponents_up_to(theta, dimension) if sum(a) == theta}
    for order in (2, 3):
        built = assemble(SimpleNamespace(extended=points), terms, rows, order)
        radius = reach(built, points, points[rows])
        check_exact(built, terms, points, points[rows], radius)


def reach(built, points, places):
    """From each place to the farthest node that its row uses, along any axis."""
    matrix = next(iter(built.matrices.values()))
    members = matrix.indices.reshape(len(places), -1)
    return abs(points[members] - places[:, None]).max(axis=(1, 2))[:, None]


@pytest.mark.parametrize(
    ("name", "operator", "alphas"),
    [
        ("convection", D.directional([2.0, -1.0]), {(1, 0): 2.0, (0, 1): -1.0}),
        (
            "reaction-diffusion",
            D.diffusion(lambda x: 1 + x[:, 0], [1.0, 0.0]) - 3 * D.identity,
            {
                (2, 0): lambda x: 1 + x[:, 0],
                (0, 2): lambda x: 1 + x[:, 0],
                (1, 0): 1.0,
                (0, 0): -3.0,
            },
        ),
        ("biharmonic", D.biharmonic, {(4, 0): 1.0, (2, 2): 2.0, (0, 4): 1.0}),
        ("identity", D.identity, {(0, 0): 1.0}),
    ],
)
@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("where", ["nodes", "points", "overlapped"])
def test_expressions_are_exact_at_nodes_points_and_in_overlapped_stencils(
    where, order, name, operator, alphas
):
    nodes = disk(500)
    rng = np.random.default_rng(7)
    at = rng.uniform(-0.6, 0.6, (40, 2)) if where == "points" else np.arange(460, 500)
    places = at if where == "points" else nodes.extended[at]
    built = assemble(
        nodes, {name: operator}, at, order, overlap=0.4 if where == "overlapped" else None
    )
    terms = {alpha: c(places) if callable(c) else c for alpha, c in alphas.items()}
    if where != "points" and name == "identity":
        assert built.matrices[name].nnz == len(at)
    check_exact(built, {name: terms}, nodes.extended, places, reach(built, nodes.extended, places))
