"""Nodes at corners: several sides each, from a domain, from points and from files."""

import pickle

import numpy as np
import pytest
from scipy.spatial import cKDTree

from dtpinn.geometry import Boundary, Box, Disk, Interval, Polygon, Rectangle, Sides
from dtpinn.nodes import Nodes, place_nodes
from dtpinn.nodes.merging import merge_faces

CORNERED = {
    "square": place_nodes(Rectangle(), 0.25),
    "box": place_nodes(Box(), 0.3),
    "touching": place_nodes(Rectangle() | Rectangle((1, 1), (2, 2)), 0.3),
}


def told(nodes, places=None):
    """Every side as a line: place of its node, normal and name of the part."""
    sides = nodes.sides
    at = (nodes.boundary if places is None else places)[sides.point]
    names = [nodes.parts[number] for number in sides.part]
    return sorted(zip(at.tolist(), (sides.normals + 0.0).tolist(), names, strict=True))


def test_the_sides_of_a_box_stay_with_their_nodes_when_these_are_reordered():
    nodes = CORNERED["box"]
    axis = {"left": 0, "right": 0, "front": 1, "back": 1, "bottom": 2, "top": 2}
    for place, normal, name in told(nodes):
        high = name in ("right", "back", "top")
        assert normal == pytest.approx((2 * high - 1) * np.eye(3)[axis[name]], abs=1e-12)
        assert place[axis[name]] == pytest.approx(float(high), abs=1e-12)
    on_faces = np.sum(np.abs(np.abs(nodes.boundary - 0.5) - 0.5) < 1e-12, axis=1)
    np.testing.assert_array_equal(np.bincount(nodes.sides.point), on_faces)


def test_a_corner_is_in_the_rows_of_each_of_its_parts():
    nodes = CORNERED["square"]
    for name, axis, value in (("left", 0, 0), ("right", 0, 1), ("bottom", 1, 0), ("top", 1, 1)):
        on_it = np.abs(nodes.boundary[:, axis] - value) < 1e-12
        np.testing.assert_array_equal(nodes.part_rows(name), np.flatnonzero(on_it))


def test_a_part_that_is_too_short_for_a_node_is_told_and_keeps_its_name():
    domain = Polygon([(0, 0), (1, 0), (1, 0.5), (1, 0.51), (1, 1), (0, 1)])
    nodes = place_nodes(domain, 0.1)
    assert nodes.parts == domain.parts
    assert nodes.empty_parts == ("edge2",)
    assert len(nodes.part_rows("edge2")) == 0
    assert place_nodes(Rectangle(), 0.2).empty_parts == ()


def faces_of(nodes):
    """What a mesh would give: each boundary point once for each of its sides."""
    sides = nodes.sides
    return nodes.boundary[sides.point], sides.normals, [nodes.parts[i] for i in sides.part]


@pytest.mark.parametrize("name", ["square", "box"])
@pytest.mark.parametrize("seed", range(3))
def test_points_given_once_for_each_face_become_the_nodes_that_a_domain_has(name, seed):
    nodes = CORNERED[name]
    points, normals, parts = faces_of(nodes)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(points))
    points = (points + 1e-8 * nodes.spacing * rng.uniform(-1, 1, points.shape))[order]
    merged = Nodes.from_points(
        nodes.interior, points, normals[order], parts=[parts[row] for row in order]
    )
    _, which = cKDTree(nodes.boundary).query(merged.boundary)
    assert told(merged, nodes.boundary[which]) == told(nodes)
    # A node is where its first face was, in its place.
    rank = {row: number for number, row in enumerate(nodes.sides.point[order][::-1])}
    first = sorted(len(points) - 1 - number for number in rank.values())
    np.testing.assert_array_equal(merged.boundary, points[first])
    assert [merged.parts[i] for i in merged.part] == [parts[order[row]] for row in first]
    mean = np.zeros_like(merged.normals)
    np.add.at(mean, merged.sides.point, merged.sides.normals)
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    np.testing.assert_allclose(merged.normals, mean, atol=1e-15)
    # So few are not doubled that a median over all would be the distance of coinciding points.
    assert merged.spacing == pytest.approx(nodes.spacing, rel=0.1)


def test_facets_of_a_smooth_boundary_are_one_side_with_their_mean_normal():
    nodes = place_nodes(Disk(), 0.1)
    turn = np.pi / 63
    facets = [turned(nodes.normals, way * turn) for way in (1, -1)]
    doubled = Nodes.from_points(
        nodes.interior, np.tile(nodes.boundary, (2, 1)), np.concatenate(facets)
    )
    np.testing.assert_array_equal(doubled.boundary, nodes.boundary)
    assert len(doubled.sides) == nodes.boundary_count
    np.testing.assert_allclose(doubled.sides.normals, nodes.normals, atol=1e-14)


def turned(vectors, angle):
    cosine, sine = np.cos(angle), np.sin(angle)
    return vectors @ np.array([[cosine, sine], [-sine, cosine]])


def test_the_two_faces_of_a_slit_stay_two_nodes():
    points = np.array([[0.0, 0.0], [0.1, 0.0], [0.0, 0.0], [0.1, 0.0], [0.1, 0.0]])
    normals = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, -1.0], [0.0, -1.0], [1.0, 0.0]])
    rows, mean, sides = merge_faces(points, normals, np.zeros(5, dtype=int), 1e-9)
    assert rows.tolist() == [0, 1, 2, 3]
    assert sides.point.tolist() == [0, 1, 1, 2, 3]  # the end of the slit is with its first face
    np.testing.assert_allclose(mean[1], np.sqrt([0.5, 0.5]))


def test_a_corner_that_is_given_once_has_one_side():
    nodes = CORNERED["square"]
    once = Nodes.from_points(nodes.interior, nodes.boundary, nodes.normals)
    np.testing.assert_array_equal(once.sides.point, np.arange(nodes.boundary_count))
    np.testing.assert_array_equal(once.sides.normals, nodes.normals)


@pytest.mark.parametrize("suffix", ["npz", "csv", "vtu"])
@pytest.mark.parametrize("name", CORNERED)
def test_sides_come_back_from_a_file_bit_for_bit(tmp_path, name, suffix):
    if suffix == "vtu":
        pytest.importorskip("meshio")
    nodes = CORNERED[name]
    nodes.save(tmp_path / f"nodes.{suffix}")
    again = Nodes.load(tmp_path / f"nodes.{suffix}")
    np.testing.assert_array_equal(again.sides.point, nodes.sides.point)
    assert again.sides.normals.tobytes() == nodes.sides.normals.tobytes()
    assert again.parts == nodes.parts
    np.testing.assert_array_equal(again.sides.part, nodes.sides.part)
    np.testing.assert_array_equal(again.part, nodes.part)


def test_a_file_from_before_there_were_sides_has_one_for_each_node(tmp_path):
    nodes = CORNERED["square"]
    nodes.save(tmp_path / "new.npz")
    arrays = dict(np.load(tmp_path / "new.npz"))
    old = {name: array for name, array in arrays.items() if not name.startswith("side_")}
    np.savez(tmp_path / "old.npz", **old)
    again = Nodes.load(tmp_path / "old.npz")
    np.testing.assert_array_equal(again.sides.normals, nodes.normals)
    np.savez(tmp_path / "half.npz", **old, side_part=arrays["side_part"])
    with pytest.raises(ValueError, match="does not hold nodes: side_point, side_normals missing"):
        Nodes.load(tmp_path / "half.npz")


def test_sides_in_a_table_written_by_hand(tmp_path):
    path = tmp_path / "hand.csv"
    header = "kind,x,y,normal_x,normal_y,part,ghost_of,side_of,spacing\n"
    corner = "boundary,1,1,0.8,0.6,top,,,1\n"
    sides = "side,,,0,1,top,,1,\nside,,,1,0,right,,1,\n"
    rest = "boundary,0,1,0,1,top,,,1\ninterior,0,0,,,,,,1\n"
    path.write_text(header + sides + rest + corner)
    assert told(Nodes.load(path)) == [
        ([0, 1], [0, 1], "top"),
        ([1, 1], [0, 1], "top"),
        ([1, 1], [1, 0], "right"),
    ]
    path.write_text((header + sides + rest + corner).replace(",,1,\n", ",,2,\n"))
    with pytest.raises(ValueError, match=r"side_of must be indices from 0 to 1; side_of\[0\] is 2"):
        Nodes.load(path)
    path.write_text((header + sides + rest + corner).replace("side_of", "side"))
    with pytest.raises(ValueError, match="has lines of the kind side, and no column side_of"):
        Nodes.load(path)


@pytest.mark.parametrize("name", CORNERED)
def test_sides_are_pickled_and_read_only(name):
    nodes = pickle.loads(pickle.dumps(CORNERED[name]))
    assert told(nodes) == told(CORNERED[name])
    for array in (nodes.sides.point, nodes.sides.normals, nodes.sides.part):
        assert not array.flags.writeable


def test_the_ends_of_an_interval_have_one_side_each():
    sides = place_nodes(Interval(), 0.1).sides
    assert (sides.point.tolist(), sides.part.tolist()) == ([0, 1], [0, 1])
    assert sides.normals.tolist() == [[-1.0], [1.0]]


def test_a_corner_is_drawn_with_an_arrow_for_each_side():
    pytest.importorskip("matplotlib")
    nodes = CORNERED["square"]
    (arrows,) = [c for c in nodes.plot().collections if type(c).__name__ == "Quiver"]
    at = np.round(arrows.XY, 12)
    for corner in ([0, 0], [1, 0], [0, 1], [1, 1]):
        rows = (at == corner).all(axis=1)
        assert rows.sum() == 2
        assert abs(arrows.U[rows] @ arrows.V[rows]) < 1e-12


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"point": [0, 0, 2]}, ValueError, "must ascend and name each of the 3 boundary points"),
        ({"point": [0, 2, 1]}, ValueError, "must ascend and name each"),
        ({"point": [0, 1, 3]}, ValueError, r"sides.point must be indices from 0 to 2"),
        ({"part": [0, 0, 1]}, ValueError, r"sides.part must be indices from 0 to 0"),
        ({"part": [0.0, 0.0, 0.0]}, TypeError, "sides.part must hold integers"),
        ({"normals": 2 * np.eye(3)}, ValueError, "sides.normals must have length 1"),
    ],
)
def test_sides_that_do_not_fit_are_refused(change, error, message):
    given = {"point": [0, 1, 2], "normals": np.eye(3), "part": [0, 0, 0]} | change
    sides = Sides(*(np.array(given[name]) for name in ("point", "normals", "part")))
    with pytest.raises(error, match=message):
        Boundary(np.eye(3), np.eye(3), [0, 0, 0], ("sphere",), sides)
