"""Expressions are the mappings of multi-indices that they stand for."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dtpinn.rbffd import assemble, gradient
from dtpinn.rbffd import differential as D
from dtpinn.rbffd.sites import find_sites
from tests.rbffd.clouds import box, disk, wave


def terms(expression, dimension=2, at=None):
    cloud = SimpleNamespace(extended=np.arange(12.0).reshape(-1, dimension))
    found = expression.terms_at(find_sites(cloud, np.arange(4) if at is None else at))
    return {alpha: np.asarray(c).tolist() for alpha, c in found.items()}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (D.identity, {(0, 0): 1}),
        (D.partial(0, 1, 0), {(2, 1): 1}),
        (D.laplacian, {(2, 0): 1, (0, 2): 1}),
        (D.biharmonic, {(4, 0): 1, (2, 2): 2, (0, 4): 1}),
        (D.divergence(D.gradient(2)), {(2, 0): 1, (0, 2): 1}),
        (D.directional([3.0, -1.0]), {(1, 0): 3, (0, 1): -1}),
        (2 * D.laplacian + D.partial(0), {(2, 0): 2, (0, 2): 2, (1, 0): 1}),
        (D.laplacian - D.partial(0, 0), {(2, 0): 0, (0, 2): 1}),
        (-(2 * (D.partial(0) - 3 * D.identity)), {(1, 0): -2, (0, 0): 6}),
        (D.partial(0) @ (D.partial(1) + 2 * D.identity), {(1, 1): 1, (1, 0): 2}),
        (D.diffusion(3.0), {(2, 0): 3, (0, 2): 3}),
        (np.float64(2) * D.partial(1), {(0, 1): 2}),
        (np.array([1.0, 2, 3, 4]) * D.partial(1), {(0, 1): [1, 2, 3, 4]}),
        (torch.tensor([1.0, 2, 3, 4]) * D.partial(1), {(0, 1): [1, 2, 3, 4]}),
        ((lambda x: x[:, 1]) * D.partial(1), {(0, 1): [1, 3, 5, 7]}),
        ((lambda x: x[:, 1]) * D.partial(1) @ D.partial(1), {(0, 2): [1, 3, 5, 7]}),
        (D.directional(lambda x: -x), {(1, 0): [0, -2, -4, -6], (0, 1): [-1, -3, -5, -7]}),
        (
            D.diffusion(np.arange(4.0), np.ones((4, 2))),
            {(2, 0): [0, 1, 2, 3], (0, 2): [0, 1, 2, 3], (1, 0): [1] * 4, (0, 1): [1] * 4},
        ),
    ],
    ids=str,
)
def test_an_expression_is_its_terms(expression, expected):
    assert terms(expression) == expected


@pytest.mark.parametrize("dimension", [1, 3])
def test_an_expression_takes_the_dimension_of_the_nodes(dimension):
    assert len(terms(D.laplacian, dimension)) == dimension
    assert len(terms(D.biharmonic, dimension)) == dimension * (dimension + 1) // 2


def test_the_normal_derivative_takes_the_normals_of_its_rows():
    nodes = disk(100)
    rows = len(nodes.interior) + np.array([3, 0])
    found = D.normal.terms_at(find_sites(nodes, rows))
    assert np.array_equal(np.stack([found[1, 0], found[0, 1]], axis=1), nodes.normals[[3, 0]])


def test_what_is_written_is_what_is_shown():
    shown = 0.5 * (D.laplacian - 2 * D.partial(0, 1)) - (D.normal + D.identity)
    assert str(shown) == "0.5 * (laplacian - 2 * partial(0, 1)) - (normal + identity)"
    assert str(-D.laplacian @ D.laplacian) == "(-laplacian) @ laplacian"


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (np.ones(3) * D.laplacian, r"coefficient of laplacian must be a number, shape \(4,\).*3"),
        ((lambda x: x) * D.laplacian, r"a function of the points .* got shape \(4, 2\)"),
        ("x" * D.laplacian, "coefficient of laplacian must be a number, .* got 'x'"),
        (D.directional([1.0, 2.0, 3.0]), r"of shape \(2,\), \(4, 2\) .* got shape \(3,\)"),
        (D.partial(2), r"partial\(2\): axes in 2-D are 0 to 1"),
        (D.partial(0) @ (np.ones(4) * D.partial(0)), "the right operator vary"),
        (D.normal, r"boundary nodes, 1 to 2; row 0 is node 0 \(2 of 4 rows are none\)"),
    ],
)
def test_what_does_not_fit_the_places_is_named(expression, message):
    cloud = SimpleNamespace(
        extended=np.arange(12.0).reshape(-1, 2), interior=np.ones((1, 2)), boundary=np.ones((2, 2))
    )
    with pytest.raises(ValueError, match=message):
        expression.terms_at(find_sites(cloud, np.arange(4)))


def test_the_normal_derivative_exists_on_the_boundary_alone():
    with pytest.raises(ValueError, match="at boundary nodes, not at any points"):
        assemble(disk(100), {"n": D.normal}, np.zeros((1, 2)), 2)


def test_what_is_no_operator_is_refused():
    for wrong in (None, 2.0, "laplacian"):
        with pytest.raises(TypeError, match="operator 'D' must be a mapping"):
            assemble(box(2, 8), {"D": wrong}, np.arange(4), 2)
    for combine in (
        lambda: D.laplacian * 2,
        lambda: D.laplacian + 1,
        lambda: D.laplacian - 1,
        lambda: D.laplacian @ 2,
    ):
        with pytest.raises(TypeError, match="unsupported operand"):
            combine()
    with pytest.raises(TypeError, match=r"axis must be an integer, got 0\.5"):
        D.partial(0.5)
    with pytest.raises(ValueError, match="one axis or more"):
        D.partial()


@pytest.mark.parametrize("a", [np.ones(5), lambda x: x[:, 0]], ids=["array", "function"])
def test_diffusion_wants_the_gradient_of_what_varies(a):
    with pytest.raises(TypeError, match=r"the gradient of a varying a is needed.*torch\.stack"):
        D.diffusion(a)


def test_a_mapping_may_hold_functions():
    nodes = box(2, 10)
    rows = np.arange(7)
    x = nodes.extended[rows, 0]
    built = assemble(nodes, {"f": {(1, 0): lambda x: x[:, 0]}, "a": {(1, 0): x}}, rows, 2)
    assert (built.matrices["f"] != built.matrices["a"]).nnz == 0


def test_the_gradient_of_values_at_nodes_is_had_as_the_message_says():
    nodes = disk(900)
    a = torch.exp(torch.tensor(nodes.extended[:, 0]))
    slope = torch.stack([Dk @ a for Dk in gradient(nodes)], dim=1)
    known = a[: len(nodes.collocation)]
    built = assemble(
        nodes,
        {
            "by nodes": D.diffusion(known, slope),
            "by functions": D.diffusion(
                lambda x: np.exp(x[:, 0]), lambda x: np.exp(x[:, :1]) * [1.0, 0.0]
            ),
        },
        "collocation",
        4,
    )
    u = wave(nodes.extended)
    first, second = (matrix @ u for matrix in built.matrices.values())
    assert 0.0 < abs(first - second).max() < 1e-3 * abs(second).max()
