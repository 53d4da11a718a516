import numpy as np
import pytest
from scipy.spatial import cKDTree

from dtpinn.rbffd import assemble, choose_rule, laplacian, offcentre
from dtpinn.rbffd import differential as D
from dtpinn.rbffd.degenerate import LIMIT
from dtpinn.rbffd.uneven import usual_condition
from tests.rbffd.clouds import box, disk, wave, wave_laplacian

EPS = np.finfo(float).eps


@pytest.fixture
def solved(monkeypatch):
    """How many stencils each batch of systems held."""
    for order in (3, 4):  # once in a process what is usual for a rule is found, from a stencil
        usual_condition(choose_rule(order, 2, 2))
    counts = []
    solve = offcentre._solve

    def recorded(stencils, *arguments):
        counts.append(len(stencils))
        return solve(stencils, *arguments)

    monkeypatch.setattr(offcentre, "_solve", recorded)
    return counts


def error(nodes, matrix):
    difference = matrix @ wave(nodes.extended) - wave_laplacian(nodes.collocation)
    return np.sqrt(np.mean(difference**2))


@pytest.mark.parametrize(("delta", "share", "factor"), [(0.7, 0.8, 1.4), (0.5, 0.6, 1.8)])
def test_stencils_are_saved_at_a_bounded_price(solved, delta, share, factor):
    nodes = disk(1500)
    own = assemble(nodes, {"L": D.laplacian}, "collocation", 4)
    shared = assemble(nodes, {"L": D.laplacian}, "collocation", 4, overlap=delta)
    assert sum(solved) < share * 1500  # observed: 0.65 and 0.45
    # Observed: 1.1 and 1.3.
    assert error(nodes, shared.matrices["L"]) < factor * error(nodes, own.matrices["L"])


def test_without_a_reach_every_row_has_its_own_stencil(solved):
    nodes = disk(300)
    own = assemble(nodes, {"L": D.laplacian}, "collocation", 3)
    one = assemble(nodes, {"L": D.laplacian}, "collocation", 3, overlap=1.0)
    assert not solved
    assert (own.matrices["L"] != one.matrices["L"]).nnz == 0
    tiny = assemble(nodes, {"L": D.laplacian}, "collocation", 3, overlap=1.0 - 1e-9)
    assert sum(solved) == 300
    assert np.array_equal(tiny.matrices["L"].indices, own.matrices["L"].indices)
    # Two ways to the same systems: the same weights up to round-off and conditioning.
    limit = EPS * own.condition.max() * abs(own.matrices["L"]).max()
    assert abs(tiny.matrices["L"] - own.matrices["L"]).max() < limit


def test_rows_take_no_larger_weights_than_their_centre_has():
    nodes = disk(800)
    built = assemble(nodes, {"L": D.laplacian}, "collocation", 4, overlap=0.3)
    members = built.matrices["L"].indices.reshape(800, -1)
    own = np.sort(cKDTree(nodes.extended).query(nodes.extended[:800], k=43)[1], axis=1)
    size = abs(built.matrices["L"]).sum(axis=1)
    _, group = np.unique(members, axis=0, return_inverse=True)
    compared = 0
    for g in range(group.max() + 1):
        rows = np.flatnonzero(group == g)
        centres = rows[(own[rows] == members[rows]).all(axis=1)]
        if len(centres) == 1:  # several nodes may have the same nearest ones
            assert (size[rows] <= size[centres[0]]).all()
            compared += len(rows) - 1
    assert compared > 200


def test_the_order_of_rows_and_their_repetition_do_not_matter(rng):
    nodes = disk(600)
    operators = {"D": D.directional(lambda x: np.stack([np.cos(40 * x[:, 0]), x[:, 1]], axis=1))}
    once = assemble(nodes, operators, "collocation", 4, overlap=0.3)
    rows = np.concatenate([rng.permutation(600), rng.permutation(600)])
    often = assemble(nodes, operators, rows, 4, overlap=0.3)
    assert (once.matrices["D"][rows] != often.matrices["D"]).nnz == 0


@pytest.mark.parametrize("overlap", [0.3, 0.6])
def test_threads_do_not_change_a_bit(overlap):
    nodes = disk(700)
    one, two = (
        assemble(nodes, {"L": D.laplacian}, "collocation", 4, overlap=overlap, threads=t)
        for t in (1, 2)
    )
    assert np.array_equal(one.matrices["L"].data, two.matrices["L"].data)
    assert np.array_equal(one.matrices["L"].indices, two.matrices["L"].indices)
    assert np.array_equal(one.condition, two.condition)


def test_rows_may_repeat_and_have_coefficients_of_their_own():
    nodes = disk(300)
    rows = np.array([5, 9, 5, 6, 5])
    a = np.array([1.0, 2.0, -3.0, 4.0, 0.0])
    built = assemble(nodes, {"a": a * D.laplacian, "L": D.laplacian}, rows, 3, overlap=0.4)
    scaled, plain = (built.matrices[name].toarray() for name in ("a", "L"))
    # Of the size of the largest weight: the small ones of a row are differences of such.
    atol = 4 * EPS * np.abs(plain).max() * np.abs(a).max()
    np.testing.assert_allclose(scaled, a[:, None] * plain, rtol=0, atol=atol)
    assert np.array_equal(plain[0], plain[2])


def test_the_identity_is_exact_in_somebody_elses_stencil():
    nodes = disk(300)
    built = assemble(nodes, {"I": D.identity, "L": D.laplacian}, "collocation", 3, overlap=0.3)
    assert np.array_equal(built.matrices["I"].toarray(), np.eye(300, len(nodes.extended)))


def test_a_degenerate_stencil_serves_nobody_and_grows():
    axis = np.linspace(0.0, 1.0, 20)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    nodes = box(2, 3)
    nodes.extended = points
    with pytest.warns(UserWarning, match="determine no weights"):
        own, built = (
            assemble(nodes, {"L": D.laplacian}, np.arange(400), 6, overlap=delta)
            for delta in (None, 0.5)
        )
    assert built.condition.max() < LIMIT
    grown, own_grown = (np.diff(b.matrices["L"].indptr) > 73 for b in (built, own))
    assert grown.any()
    assert not (grown & ~own_grown).any()
    x, y = points.T
    assert abs(built.matrices["L"] @ (x**3 + x * y**2) - 8 * x).max() < 1e-6


@pytest.mark.parametrize("wrong", ["half", 0.0, -0.5, 1.5, np.nan])
def test_delta_lies_within_0_and_1(wrong):
    with pytest.raises(ValueError, match=r"overlap must be within \(0, 1\], got"):
        laplacian(disk(100), 2, overlap=wrong)
