"""The public functions: one set of names, options and errors."""

import inspect
import io
import sys

import numpy as np
import pytest
import torch

from dtpinn import rbffd
from dtpinn.geometry import Disk
from dtpinn.nodes import place_nodes
from dtpinn.rbffd import block, progress
from dtpinn.rbffd import differential as D
from dtpinn.sparse import CSR
from tests.rbffd.clouds import box, disk


def mixed(nodes, order, **options):
    return rbffd.partial(nodes, 0, 1, order=order, **options)


NAMED = {
    "laplacian": (rbffd.laplacian, D.laplacian),
    "biharmonic": (rbffd.biharmonic, D.biharmonic),
    "partial": (mixed, D.partial(0, 1)),
}


@pytest.fixture(scope="module")
def nodes():
    return place_nodes(Disk(), spacing=0.15, seed=0)


def same(a, b):
    return a.shape == b.shape and (a.to_scipy() != b.to_scipy()).nnz == 0


@pytest.mark.parametrize("name", NAMED)
def test_a_named_operator_is_the_expression_of_that_name(nodes, name):
    function, expression = NAMED[name]
    for options in ({}, {"at": "boundary"}, {"exponent": 7}, {"at": np.array([3, 1])}):
        matrix = function(nodes, 3, **options)
        assert isinstance(matrix, CSR)
        assert same(matrix, rbffd.operator(nodes, expression, 3, **options))


def test_the_gradient_and_the_divergence_are_partial_derivatives(nodes):
    dx, dy = rbffd.gradient(nodes, 3)
    assert same(dx, rbffd.partial(nodes, 0, order=3))
    assert same(dy, rbffd.partial(nodes, 1, order=3))
    u, v = torch.rand(2, len(nodes.extended))
    div = rbffd.divergence(nodes, 3)
    assert div.shape == (nodes.count, 2 * len(nodes.extended))
    torch.testing.assert_close(div @ torch.cat([u, v]), dx @ u + dy @ v)


@pytest.mark.parametrize(
    ("at", "first", "last"),
    [
        ("collocation", "", "ib"),
        ("interior", "", "i"),
        ("boundary", "i", "ib"),
        ("extended", "", "ibg"),
    ],
)
def test_places_are_the_nodes_of_that_name(nodes, at, first, last):
    counts = {"i": nodes.interior_count, "b": nodes.boundary_count, "g": nodes.ghost_count}
    start, stop = (sum(counts[c] for c in end) for end in (first, last))
    everything = rbffd.laplacian(nodes, 2, at=np.arange(len(nodes.extended))).to_scipy()
    part = rbffd.laplacian(nodes, 2, at=at).to_scipy()
    assert (part != everything[start:stop]).nnz == 0


def test_several_at_once_share_their_factorisations(nodes, monkeypatch):
    solved, solve = [], block.solve_weights

    def recorded(stencils, *arguments, **options):
        solved.append(len(stencils))
        return solve(stencils, *arguments, **options)

    monkeypatch.setattr(block, "solve_weights", recorded)
    dx, dy = D.gradient(2)
    both = rbffd.operators(nodes, {"laplacian": D.laplacian, "rotation": dx - dy}, 3)
    assert solved == [nodes.count]
    assert list(both) == ["laplacian", "rotation"]
    assert same(both["laplacian"], rbffd.laplacian(nodes, 3))
    assert torch.equal(both["laplacian"].col, both["rotation"].col)


def test_coefficients_as_arrays_and_functions_are_the_same(nodes):
    x = nodes.collocation[:, 0]
    array = rbffd.operator(nodes, x * D.laplacian, 3)
    function = rbffd.operator(nodes, (lambda x: x[:, 0]) * D.laplacian, 3)
    assert same(array, function)
    torch.testing.assert_close(
        array.to_dense(), torch.tensor(x)[:, None] * rbffd.laplacian(nodes, 3).to_dense()
    )


@pytest.mark.parametrize(
    "function",
    [
        rbffd.laplacian,
        rbffd.biharmonic,
        rbffd.gradient,
        rbffd.divergence,
        rbffd.boundary_operator,
        lambda nodes, **o: rbffd.partial(nodes, 0, **o),
        lambda nodes, **o: rbffd.operator(nodes, D.laplacian, **o),
        lambda nodes, **o: rbffd.operators(nodes, {"L": D.laplacian}, **o),
        lambda nodes, **o: rbffd.interpolation(nodes, np.zeros((1, 2)), **o),
    ],
)
def test_all_functions_refuse_the_same_mistakes(function):
    cloud = disk(60)
    with pytest.raises(ValueError, match="order must be an integer of at least 2, got 1"):
        function(cloud, order=1)
    with pytest.raises(ValueError, match="exponent must be odd"):
        function(cloud, exponent=4)
    with pytest.raises(ValueError, match="stencil_size must be at least"):
        function(cloud, stencil_size=2)
    with pytest.raises(ValueError, match=r"overlap must be within \(0, 1\], got 2"):
        function(cloud, overlap=2)
    with pytest.raises(ValueError, match="degenerate must be 'grow' or 'error', got 'ignore'"):
        function(cloud, degenerate="ignore")
    with pytest.raises(TypeError, match="unexpected keyword argument 'stencils'"):
        function(cloud, stencils=9)
    with pytest.raises(ValueError, match=r"a stencil needs \d+ nodes and there are only \d+"):
        function(cloud, order=30)


@pytest.mark.parametrize(
    ("at", "error", "message"),
    [
        ("edge", ValueError, r"at must be 'collocation', .* or points \(rows, 2\); got 'edge'"),
        (np.array([0, 10**6]), ValueError, r"rows must be indices from 0 to \d+; rows\[1\] is 1"),
        (np.array([0.5]), TypeError, "rows must hold integers"),
        (np.zeros((2, 3)), ValueError, r"points must have shape \(n, 2\)"),
    ],
)
def test_a_place_that_does_not_exist_is_named(nodes, at, error, message):
    with pytest.raises(error, match=message):
        rbffd.laplacian(nodes, at=at)


def test_a_degenerate_stencil_is_an_error_if_asked_for():
    axis = np.linspace(0.0, 1.0, 20)
    nodes = box(2, 3)
    nodes.extended = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    message = r"stencil of node \d+ .* is degenerate .*, or degenerate='grow'"
    with pytest.raises(ValueError, match=message):
        rbffd.operator(nodes, D.laplacian, 6, at="extended", degenerate="error")


def test_options_are_those_of_assemble():
    keywords = {
        name
        for name, parameter in inspect.signature(rbffd.assemble).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    assert keywords == set(rbffd.Options.__annotations__)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("overlap", [None, 0.5])
def test_the_bar_reaches_its_end_where_stderr_is_a_terminal(monkeypatch, overlap):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    cloud = disk(300)
    for stderr, show, seen in (
        (Terminal(), None, True),
        (Terminal(), False, False),
        (io.StringIO(), None, False),
        (io.StringIO(), True, True),
    ):
        monkeypatch.setattr(sys, "stderr", stderr)
        ends = []
        monkeypatch.setattr(progress.tqdm, "close", lambda bar, ends=ends: ends.append(bar.n))
        rbffd.laplacian(cloud, 2, overlap=overlap, progress=show)
        assert ends[0] == (300 if seen else 0)
        assert ("RBF-FD" in stderr.getvalue()) == seen


def test_what_is_over_soon_shows_no_bar(monkeypatch):
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    rbffd.laplacian(disk(300), 2)
    assert not stderr.getvalue()
