import numpy as np
import pytest
from scipy.spatial import cKDTree

from dtpinn.geometry import Cell, Disk, Rectangle
from dtpinn.nodes import graded, place_nodes
from dtpinn.nodes.grading import check_growth
from tests.marks import mostly_full
from tests.nodes.node_domains import Interval

CENTRE = graded([0.0, 0.0], near=0.01, far=0.1)
EDGE = graded(Disk(), near=0.01, far=0.1)
WISHES = {"to the centre": CENTRE, "to the edge": EDGE, "by hand": lambda x: 0.05 + 0.02 * x[:, 0]}


@pytest.mark.parametrize("name", WISHES)
def test_nodes_are_as_far_apart_as_wished_wherever_they_are(name):
    spacing = WISHES[name]
    nodes = place_nodes(Disk(), spacing)
    np.testing.assert_array_equal(nodes.local_spacing, spacing(nodes.collocation))
    nearest = cKDTree(nodes.collocation).query(nodes.collocation, k=2)[0][:, 1]
    share = nearest / nodes.local_spacing
    # A node may lie at the spacing of a parent that is finer, or of a neighbour that is.
    assert share.min() >= 0.75
    assert share.max() <= 1.3
    quality = nodes.quality()
    assert quality.separation >= 0.85
    assert quality.fill <= 1.15
    # Sampled, independently of Quality.
    rng = np.random.default_rng(0)
    sample = np.sqrt(rng.random(100_000)) * np.exp(2j * np.pi * rng.random(100_000))
    sample = np.column_stack([sample.real, sample.imag])
    assert (cKDTree(nodes.collocation).query(sample)[0] / spacing(sample)).max() <= 1.2


@pytest.mark.parametrize("name", WISHES)
def test_ghosts_lie_at_a_share_of_the_local_spacing(name):
    nodes = place_nodes(Disk(), WISHES[name], ghost_distance=0.5)
    expected = 0.5 * WISHES[name](nodes.boundary[nodes.ghost_of])
    distance = np.linalg.norm(nodes.ghost - nodes.boundary[nodes.ghost_of], axis=1)
    np.testing.assert_allclose(distance, expected, rtol=1e-10)


def test_a_function_may_return_a_list():
    nodes = place_nodes(Disk(), lambda x: [0.1] * len(x))
    np.testing.assert_array_equal(nodes.interior, place_nodes(Disk(), 0.1).interior)


def test_points_and_wishes_combine():
    two = graded([[0.5, 0.0], [-0.5, 0.0]], near=0.02, far=0.2)
    nodes = place_nodes(Disk(), lambda x: np.minimum(two(x), graded(Disk(), 0.05, 0.2)(x)))
    for place, expected in [([0.5, 0.0], 0.02), ([-0.5, 0.0], 0.02), ([0.0, 1.0], 0.05)]:
        _, row = cKDTree(nodes.collocation).query(place)
        assert expected <= nodes.local_spacing[row] <= 1.2 * expected


@pytest.mark.parametrize("count", mostly_full([2000, 20_000], {2000}.__contains__))
@pytest.mark.parametrize("name", WISHES)
def test_a_function_with_a_count_is_relative(name, count):
    nodes = place_nodes(Disk(), lambda x: 1000.0 * WISHES[name](x), count=count)
    assert abs(nodes.count - count) <= 0.02 * count
    factor = nodes.local_spacing / WISHES[name](nodes.collocation)
    np.testing.assert_allclose(factor, factor[0], rtol=1e-12)


def test_a_count_so_small_that_the_function_becomes_steep_is_refused():
    with pytest.raises(ValueError, match=r"spacing changes by 0\.\d+ per unit of length between"):
        place_nodes(Disk(), EDGE, count=300)


def test_on_the_line_steps_are_equal_in_local_spacings():
    nodes = place_nodes(Interval((0.0, 1.0), (1.5, 3.0)), graded([[0.0]], 1e-3, 0.1, growth=0.2))
    x = np.sort(nodes.collocation[:, 0])
    # Between two nodes of a linear spacing a + g x the number of spacings is log(a + g x) / g.
    log = np.log1p(0.2 * x[x <= 0.4] / 1e-3) / 0.2
    np.testing.assert_allclose(np.diff(log), np.diff(log).mean(), rtol=1e-3)
    assert 0.95 <= np.diff(log).mean() <= 1.05
    np.testing.assert_allclose(np.diff(x[x >= 1.5]), 0.1, rtol=1e-10)
    assert nodes.quality().fill <= 0.53


def test_the_same_seed_gives_the_same_bits():
    first, second = (place_nodes(Disk(), CENTRE, seed=3) for _ in range(2))
    assert first.extended.tobytes() == second.extended.tobytes()


@pytest.mark.parametrize(
    ("spacing", "message"),
    [
        (lambda x: 0.05 + 0.5 * np.linalg.norm(x, axis=1), "changes by 0.5 per unit of length"),
        (lambda x: np.where(x[:, 0] > 0, 0.05, 0.1), "at .* nodes it is too steep"),
        (lambda x: np.full(len(x), np.nan), r"positive and finite everywhere; at \("),
        (lambda x: x[:, 0], r"positive and finite everywhere; at \(-"),
        (lambda x: np.full((len(x), 1), 0.1), r"give \(n,\) lengths"),
        (lambda x: 0.1, r"give \(n,\) lengths"),
        (lambda x: 0.1 + 9.0 * np.abs(x[:, 0]), "larger than the domain, whose longest side is 2"),
        (lambda x: np.full(len(x), 1e-6), "the spacing asks for about 4.0e[+]12 nodes"),
    ],
)
def test_a_function_that_is_no_spacing_is_refused(spacing, message):
    with pytest.raises(ValueError, match=message):
        place_nodes(Disk(), spacing)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0.0, 0.0], 0.2, 0.1), ValueError, "near must not be larger than far"),
        (([0.0, 0.0], 0.0, 0.1), ValueError, "near must be finite and positive"),
        (([0.0, 0.0], 0.01, "coarse"), TypeError, "far must be a number"),
        (([0.0, 0.0], 0.01, 0.1, 0.5), ValueError, "growth must be at most 0.3"),
        (([0.0, np.nan], 0.01, 0.1), ValueError, "towards must be finite"),
        (("here", 0.01, 0.1), ValueError, "towards must be an array of numbers"),
    ],
)
def test_what_grades_nothing_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        graded(*arguments)


def test_a_growth_at_the_limit_passes_and_is_not_round_off():
    x = np.linspace(0.0, 1.0, 11)[:, None]
    check_growth(x, 0.1 + 0.3 * x[:, 0], Cell.open(1))
    with pytest.raises(ValueError, match=r"changes by 0\.301 per unit of length"):
        check_growth(x, 0.1 + 0.301 * x[:, 0], Cell.open(1))


def test_a_point_beside_a_seam_is_near_on_its_other_side():
    strip = Rectangle((0.0, 0.0), (1.0, 1.0), periodic=(True, False))
    spacing = graded([[0.98, 0.5]], near=0.02, far=0.1, growth=0.2, domain=strip)
    nodes = place_nodes(strip, spacing=spacing)
    x = nodes.interior
    apart = np.hypot(np.minimum(abs(x[:, 0] - 0.98), 1 - abs(x[:, 0] - 0.98)), x[:, 1] - 0.5)
    assert (x[apart < 0.1, 0] < 0.5).sum() > 5
    with pytest.raises(ValueError, match="too steep"):
        place_nodes(strip, spacing=graded([[0.98, 0.5]], near=0.02, far=0.1, growth=0.2))
