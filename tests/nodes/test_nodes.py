import copy
import pickle
import re

import numpy as np
import pytest

from dtpinn.geometry import Disk
from dtpinn.nodes import Nodes, place_nodes
from tests.nodes.node_domains import Ball, Interval, Polygon, Ring, l_shape

DOMAINS = [Disk(), l_shape(), Ring(), Ball(), Interval((0.0, 1.0), (1.5, 3.0))]


@pytest.fixture
def cloud():
    nodes = place_nodes(Disk(), 0.2)
    return {
        "interior": nodes.interior.copy(),
        "boundary": nodes.boundary.copy(),
        "normals": nodes.normals.copy(),
    }


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: type(domain).__name__)
def test_placed_nodes_survive_the_round_trip_through_points(domain):
    placed = place_nodes(domain, count=800)
    nodes = Nodes.from_points(
        placed.interior,
        placed.boundary,
        placed.normals,
        parts=[placed.parts[i] for i in placed.part],
        spacing=placed.spacing,
    )
    for name in ("interior", "boundary", "ghost", "normals", "ghost_of"):
        np.testing.assert_array_equal(getattr(nodes, name), getattr(placed, name))
    for name in placed.parts:
        np.testing.assert_array_equal(nodes.part_rows(name), placed.part_rows(name))


def test_x_is_a_prefix_of_the_extended_nodes_and_made_once():
    nodes = place_nodes(Disk(), 0.2)
    np.testing.assert_array_equal(
        nodes.collocation, np.concatenate([nodes.interior, nodes.boundary])
    )
    np.testing.assert_array_equal(nodes.extended[: nodes.count], nodes.collocation)
    np.testing.assert_array_equal(nodes.extended[nodes.count :], nodes.ghost)
    assert nodes.collocation is nodes.collocation
    assert nodes.extended is nodes.extended


@pytest.mark.parametrize(
    "remake", [lambda n: n, copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
def test_every_array_is_read_only_and_contiguous(remake):
    nodes = remake(place_nodes(Disk(), 0.2))
    for name in ("interior", "boundary", "ghost", "normals", "collocation", "extended"):
        array = getattr(nodes, name)
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
        assert not array.flags.writeable
    for name in ("part", "ghost_of"):
        assert getattr(nodes, name).dtype == np.int64
        assert not getattr(nodes, name).flags.writeable


def test_what_the_user_passed_stays_his_own(cloud):
    nodes = Nodes.from_points(**cloud)
    before = nodes.interior.copy()
    cloud["interior"][:] = 0.0
    np.testing.assert_array_equal(nodes.interior, before)


def test_the_spacing_is_estimated_from_nearest_neighbours(cloud):
    assert Nodes.from_points(**cloud).spacing == pytest.approx(0.2, rel=0.01)


def test_parts_are_named_in_order_of_appearance(cloud):
    names = ["wall" if x < 0 else "inlet" for x in cloud["boundary"][:, 0]]
    nodes = Nodes.from_points(**cloud, parts=names)
    assert nodes.parts == ("inlet", "wall")
    assert (nodes.boundary[nodes.part_rows("wall"), 0] < 0).all()
    with pytest.raises(ValueError, match="no boundary part 'outlet'; the parts are"):
        nodes.part_rows("outlet")


def test_ghosts_that_would_collide_are_left_out():
    cloud = place_nodes(l_shape(), 0.1)
    nodes = Nodes.from_points(cloud.interior, cloud.boundary, cloud.normals, ghost_distance=1.0)
    assert nodes.ghost_count < nodes.boundary_count
    np.testing.assert_array_equal(
        nodes.ghost,
        nodes.boundary[nodes.ghost_of] + nodes.spacing * nodes.normals[nodes.ghost_of],
    )


def test_the_repr_tells_the_counts():
    nodes = Nodes.from_points([[0.0]], [[-1.0], [1.0]], [[-1.0], [1.0]])
    assert repr(nodes) == "Nodes(1-D: 1 interior + 2 boundary + 2 ghost, spacing 1, parts boundary)"


@pytest.mark.parametrize("name", ["interior", "boundary", "normals"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_coordinates_that_are_not_finite_are_named(cloud, name, value):
    cloud[name][3, 1] = value
    with pytest.raises(ValueError, match=f"{name} must be finite.*row 3"):
        Nodes.from_points(**cloud)


@pytest.mark.parametrize("name", ["interior", "boundary", "normals"])
def test_wrong_shapes_are_named(cloud, name):
    with pytest.raises(ValueError, match=f"{name} must have shape"):
        Nodes.from_points(**(cloud | {name: cloud[name][0]}))
    empty = "normals must have one row per boundary point, 31; got 0"
    with pytest.raises(ValueError, match=empty if name == "normals" else f"{name} is empty"):
        Nodes.from_points(**(cloud | {name: cloud[name][:0]}))


def test_dimensions_must_agree(cloud):
    cloud["boundary"] = np.zeros((5, 3))
    with pytest.raises(ValueError, match=r"boundary must have shape \(n, 2\)"):
        Nodes.from_points(**cloud)


def test_there_is_one_normal_per_boundary_node(cloud):
    cloud["normals"] = cloud["normals"][1:]
    with pytest.raises(ValueError, match="one row per boundary point, 31; got 30"):
        Nodes.from_points(**cloud)


def test_normals_of_another_length_are_named_with_the_remedy(cloud):
    cloud["normals"][7] *= 1.001
    with pytest.raises(ValueError, match=r"row 7 the length is 1.001. Use normals / np.linalg"):
        Nodes.from_points(**cloud)


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: type(domain).__name__)
def test_every_single_inward_normal_is_found(domain):
    nodes = place_nodes(domain, count=400)
    for row in range(0, nodes.boundary_count, max(1, nodes.boundary_count // 20)):
        normals = nodes.normals.copy()
        normals[row] *= -1
        with pytest.raises(ValueError, match=rf"out of the domain; in row {row} of"):
            Nodes.from_points(nodes.interior, nodes.boundary, normals)


def test_all_normals_inward_is_told_shortly(cloud):
    cloud["normals"] *= -1
    with pytest.raises(ValueError, match=r"rows 0, 1, 2, 3, 4, \.\.\. \(31 in all\)"):
        Nodes.from_points(**cloud)


def test_a_corner_may_have_the_normal_of_either_edge():
    # Re-entrant and convex corners, with the normal of one edge instead of the bisector.
    nodes = place_nodes(l_shape(), 0.05)
    for shift in (1, -1):
        normals = np.roll(nodes.normals, shift, axis=0)
        corner = np.abs(np.abs(nodes.normals).max(axis=1) - np.sqrt(0.5)) < 1e-12
        assert corner.sum() == 6
        mixed = np.where(corner[:, None], normals, nodes.normals)
        Nodes.from_points(nodes.interior, nodes.boundary, mixed)


@pytest.mark.parametrize(
    ("name", "row", "source", "message"),
    [
        ("interior", 4, "boundary", r"interior\[4\] and boundary\[2\] are the same point"),
        ("interior", 4, "interior", r"interior\[2\] and interior\[4\] are the same point"),
        ("boundary", 4, "interior", r"interior\[2\] and boundary\[4\] are the same point"),
    ],
)
def test_doubled_points_are_named(cloud, name, row, source, message):
    cloud[name][row] = cloud[source][2]
    with pytest.raises(ValueError, match=message):
        Nodes.from_points(**cloud)


@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        ("wall", ValueError, "got the single name 'wall'"),
        (["wall"], ValueError, "31 in all; got 1"),
        ([0] * 31, TypeError, r"parts\[0\] is 0"),
    ],
)
def test_parts_must_be_names_of_each_node(cloud, parts, error, message):
    with pytest.raises(error, match=message):
        Nodes.from_points(**cloud, parts=parts)


@pytest.mark.parametrize("spacing", [0.0, -1.0, np.nan])
def test_the_spacing_must_be_a_length(cloud, spacing):
    with pytest.raises(ValueError, match="spacing must be finite and positive"):
        Nodes.from_points(**cloud, spacing=spacing)


@pytest.mark.parametrize("factor", [0.09, 11.0])
def test_a_spacing_unlike_the_distance_of_the_points_is_refused(cloud, factor):
    # Its ghosts would collide or lie far away, all but a few be dropped, without a word.
    with pytest.raises(ValueError, match=rf"spacing={0.2 * factor:g} .* neighbour is 0\.2"):
        Nodes.from_points(**cloud, spacing=0.2 * factor)


@pytest.mark.parametrize("factor", [0.11, 9.0])
def test_a_nominal_spacing_is_the_users_to_choose_within_reason(cloud, factor):
    assert Nodes.from_points(**cloud, spacing=0.2 * factor).spacing == 0.2 * factor


@pytest.mark.parametrize("remake", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))])
def test_a_spacing_for_each_node_is_kept_and_its_median_is_the_nominal_one(remake):
    nodes = place_nodes(Disk(), 0.5)
    h = np.linspace(0.1, 0.7, nodes.count)
    again = remake(Nodes(**(arguments_of(nodes) | {"spacing": h})))
    np.testing.assert_array_equal(again.local_spacing, h)
    assert again.spacing == pytest.approx(0.4)
    assert not again.local_spacing.flags.writeable
    np.testing.assert_array_equal(nodes.local_spacing, np.full(nodes.count, 0.5))


@pytest.mark.parametrize(
    ("spacing", "message"),
    [
        (np.ones(3), r"one for each node of X, \d+; got shape \(3,\)"),
        (-1.0, "spacing must be finite and positive"),
        (np.nan, "spacing must be finite and positive"),
    ],
)
def test_a_spacing_that_is_none_is_refused_when_made_by_hand(spacing, message):
    with pytest.raises(ValueError, match=message):
        Nodes(**(arguments_of(place_nodes(Disk(), 0.5)) | {"spacing": spacing}))


def test_names_that_come_twice_are_refused_when_made_by_hand():
    with pytest.raises(ValueError, match=r"names of parts must differ; got .*'a', 'a'"):
        Nodes(**(arguments_of(place_nodes(Disk(), 0.5)) | {"parts": ("a", "a")}))


def test_the_row_of_a_spacing_that_is_not_positive_is_named():
    nodes = place_nodes(Disk(), 0.5)
    h = np.full(nodes.count, 0.5)
    h[4] = 0.0
    with pytest.raises(ValueError, match="finite and positive; in row 4 it is 0"):
        Nodes(**(arguments_of(nodes) | {"spacing": h}))


def test_a_function_gives_a_cloud_its_spacing_and_its_ghosts_their_distance(cloud):
    nodes = Nodes.from_points(**cloud, spacing=lambda x: 0.2 + 0.1 * x[:, 0])
    np.testing.assert_array_equal(nodes.local_spacing, 0.2 + 0.1 * nodes.collocation[:, 0])
    distance = np.linalg.norm(nodes.ghost - nodes.boundary[nodes.ghost_of], axis=1)
    np.testing.assert_allclose(
        distance, 0.25 * (0.2 + 0.1 * nodes.boundary[nodes.ghost_of, 0]), rtol=1e-12
    )


def test_points_are_checked_against_the_domain(cloud):
    placed = place_nodes(Disk(), 0.2)
    nodes = Nodes.from_points(**cloud, domain=Disk())
    np.testing.assert_array_equal(nodes.ghost[:, 0], placed.ghost[:, 0])
    for points, row, message in [
        ("boundary", 3, "boundary points must lie on.*row 3 of 31 do not.* lies 0.05 inside"),
        ("interior", 7, r"interior points must lie inside the domain; row 7 of \d+ do not"),
    ]:
        moved = cloud[points].copy()
        moved[row] *= {"boundary": 0.95, "interior": 1.5 / np.linalg.norm(moved[row])}[points]
        with pytest.raises(ValueError, match=message):
            Nodes.from_points(**(cloud | {points: moved}), domain=Disk())
    with pytest.raises(ValueError, match="the domain is 3-dimensional; the points have 2"):
        Nodes.from_points(**cloud, domain=Ball())
    with pytest.raises(TypeError, match=r"domain must be a dtpinn\.geometry\.Domain.*got str"):
        Nodes.from_points(**cloud, domain="disk")


def test_a_ghost_that_falls_into_the_domain_at_the_end_of_a_slit_is_dropped_where_it_is_known():
    # The slit is much thinner than the way to a ghost, and lies between nodes: only the domain
    # tells that the ghost is inside again.
    slit = Polygon((-1, -1), (1, -1), (1, -0.002), (0, 0), (1, 0.002), (1, 1), (-1, 1))
    cloud = place_nodes(slit, 0.1)
    arrays = cloud.interior, cloud.boundary, cloud.normals
    free = Nodes.from_points(*arrays, ghost_distance=0.6)
    known = Nodes.from_points(*arrays, ghost_distance=0.6, domain=slit)

    def at_the_end(nodes):
        return nodes.ghost[np.linalg.norm(nodes.boundary[nodes.ghost_of], axis=1) < 0.25]

    assert slit.signed_distance(at_the_end(free)).min() < 0.0
    assert slit.signed_distance(at_the_end(known)).min() > 0.0
    # Far from its end nothing sees both faces.
    assert slit.signed_distance(known.ghost).min() < 0.0


def test_indices_are_checked_when_made_by_hand():
    nodes = place_nodes(Disk(), 0.5)
    given = arguments_of(nodes)
    with pytest.raises(ValueError, match=r"part must be indices from 0 to 0; part\[0\] is 1"):
        Nodes(**(given | {"part": _bumped(nodes.part)}))
    with pytest.raises(ValueError, match="ghost_of must be of shape"):
        Nodes(**(given | {"ghost_of": nodes.ghost_of[1:]}))
    normals = nodes.normals * np.where(np.arange(len(nodes.normals)) == 3, 2, 1)[:, None]
    with pytest.raises(ValueError, match="row 3 the length is 2"):
        Nodes(**(given | {"normals": normals}))


@pytest.mark.parametrize("name", ["part", "ghost_of"])
@pytest.mark.parametrize("kind", [np.float64, bool, str])
def test_an_index_that_is_no_integer_is_refused_and_not_truncated(name, kind):
    nodes = place_nodes(Disk(), 0.5)
    given = arguments_of(nodes)
    with pytest.raises(TypeError, match=f"{name} must hold integers; got"):
        Nodes(**(given | {name: given[name].astype(kind)}))
    with pytest.raises(TypeError, match=f"{name} must hold integers; got"):
        Nodes(**(given | {name: [[0, 1], [0]]}))


@pytest.mark.parametrize("name", ["interior", "boundary", "normals"])
@pytest.mark.parametrize("value", [[["a", "b"]], [[0.0, 1.0], [2.0]], [[1j, 0.0]], None])
def test_what_are_no_numbers_is_named(cloud, name, value):
    message = f"{name} must be an array of numbers, one point a row; got "
    with pytest.raises(ValueError, match=message + re.escape(repr(value))):
        Nodes.from_points(**(cloud | {name: value}))


def arguments_of(nodes):
    names = ("interior", "boundary", "ghost", "normals", "part", "parts", "ghost_of", "spacing")
    return {name: getattr(nodes, name) for name in names}


def _bumped(index):
    index = index.copy()
    index[0] += 1
    return index
