"""Triangle meshes as domains."""

import copy
import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial import cKDTree

import dtpinn
from dtpinn.geometry import Box, Domain, TriangleMesh
from dtpinn.geometry.meshes.nearest_on_mesh import PieceTree
from tests.geometry.solids import ball_mesh, cube_mesh, hull_faces


@pytest.fixture(params=["libigl", "own"])
def engine(request, monkeypatch):
    """Both ways to find the nearest point."""
    if request.param == "libigl":
        pytest.importorskip("igl", reason="libigl is not installed")
    else:
        monkeypatch.setitem(sys.modules, "igl", None)


def l_mesh():
    """An L-shaped block: the square of two units less a quarter, one unit high."""
    outline = np.array([[0, 0], [2, 0], [2, 1], [1, 1], [1, 2], [0, 2]], dtype=float)
    vertices = np.concatenate([np.c_[outline, np.zeros(6)], np.c_[outline, np.ones(6)]])
    top = np.array([[0, 1, 3], [1, 2, 3], [0, 3, 5], [3, 4, 5]])
    sides = [[[i, j, j + 6], [i, j + 6, i + 6]] for i in range(6) for j in [(i + 1) % 6]]
    return vertices, np.concatenate([top[:, ::-1], top + 6, np.reshape(sides, (-1, 3))])


@pytest.mark.usefixtures("engine")
def test_the_distance_to_a_cube_is_that_to_the_box():
    mesh, box = TriangleMesh(*cube_mesh()), Box()
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-1, 2, (2000, 3)), rng.integers(-1, 3, (300, 3)) / 2])
    np.testing.assert_allclose(mesh.signed_distance(x), box.signed_distance(x), atol=1e-14)
    np.testing.assert_array_equal(mesh.contains(x), box.contains(x))


@pytest.mark.usefixtures("engine")
def test_the_sign_is_right_at_edges_folded_inwards():
    mesh = TriangleMesh(*l_mesh())
    x = np.random.default_rng(0).uniform(-0.5, 2.5, (3000, 3))
    inside = np.all((x > 0) & (x < [2, 2, 1]), axis=1) & ~np.all(x[:, :2] > 1, axis=1)
    np.testing.assert_array_equal(mesh.contains(x), inside)


def test_a_ball_of_triangles_is_nearly_a_ball():
    mesh = TriangleMesh(*ball_mesh(2000))
    x = np.random.default_rng(0).uniform(-1.5, 1.5, (500, 3))
    # The faces lie below the sphere by at most an eighth of the square of their size, 0.1.
    gap = mesh.signed_distance(x) - (np.linalg.norm(x, axis=1) - 1)
    assert gap.min() + 1e-14 >= 0
    assert gap.max() <= 0.1**2 / 2
    assert mesh.parts == ("surface",)


def test_a_mesh_is_a_domain():
    mesh = TriangleMesh(*cube_mesh())
    assert isinstance(mesh, Domain)
    assert mesh.dimension == 3
    np.testing.assert_array_equal(mesh.bounds, [[0, 0, 0], [1, 1, 1]])
    assert repr(mesh) == "TriangleMesh(8 vertices, 12 faces, 6 parts)"


def test_normals_are_those_of_faces_and_lead_away():
    mesh, box = TriangleMesh(*cube_mesh()), Box()
    points = np.array([[0.3, 0.4, 0.0], [1.0, 0.3, 0.6], [0.3, 0.4, -0.5], [0.3, 0.4, 0.1]])
    np.testing.assert_allclose(mesh.normal(points), box.normal(points), atol=1e-12)
    beyond = np.array([[2.0, 2.0, 0.5]])
    np.testing.assert_allclose(mesh.normal(beyond), [[np.sqrt(0.5), np.sqrt(0.5), 0]], atol=1e-12)


def test_parts_are_the_patches_between_sharp_edges_the_largest_first():
    mesh = TriangleMesh(*l_mesh())
    assert mesh.parts == tuple(f"patch{k}" for k in range(8))
    # Top and bottom have area 3, two sides 2, four sides 1.
    corners = mesh.vertices[mesh.faces]
    area = 0.5 * np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    np.testing.assert_allclose(np.bincount(mesh.patch, area), [3, 3, 2, 2, 1, 1, 1, 1])
    boundary = mesh.walk_boundary(0.2)
    assert set(boundary.part) == set(range(8))
    # A point's face contains it.
    for part in range(8):
        vertices = mesh.vertices[mesh.faces[mesh.patch == part]].reshape(-1, 3)
        axis = np.flatnonzero(np.ptp(vertices, axis=0) == 0)[0]
        rows = boundary.part == part
        np.testing.assert_allclose(boundary.points[rows, axis], vertices[0, axis], atol=1e-11)


def test_sharp_edges_and_corners_are_kept():
    mesh = TriangleMesh(*l_mesh())
    points = mesh.walk_boundary(0.2).points
    assert cKDTree(points).query(mesh.vertices)[0].max() <= 1e-9
    steps = points[(points[:, 0] == 0) & (points[:, 1] == 0)][:, 2]
    np.testing.assert_allclose(np.sort(steps), np.linspace(0, 1, 6), atol=1e-9)


def test_edges_below_thirty_degrees_are_smooth():
    def prism(sides):
        angle = 2 * np.pi * np.arange(sides) / sides
        ring = np.c_[np.cos(angle), np.sin(angle)]
        vertices = np.concatenate([np.c_[ring, -np.ones(sides)], np.c_[ring, np.ones(sides)]])
        return TriangleMesh(vertices, hull_faces(vertices))

    assert len(prism(16).parts) == 3
    assert len(prism(8).parts) == 10


def test_nodes_are_placed_in_a_mesh():
    nodes = dtpinn.place_nodes(TriangleMesh(*ball_mesh(300)), 0.2)
    assert set(nodes.parts) == {"surface"}
    assert len(nodes.interior) > 200
    assert cKDTree(nodes.collocation).query(nodes.collocation, k=2)[0][:, 1].min() >= 0.82 * 0.2


@pytest.mark.parametrize("again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_answer_the_same(again):
    mesh = TriangleMesh(*cube_mesh())
    x = np.random.default_rng(0).uniform(-1, 2, (50, 3))
    np.testing.assert_array_equal(again(mesh).signed_distance(x), mesh.signed_distance(x))


@pytest.mark.parametrize("suffix", [".stl", ".obj", ".ply"])
def test_files_are_read(tmp_path, suffix):
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed")
    file = tmp_path / f"cube{suffix}"
    trimesh.Trimesh(*cube_mesh()).export(file)
    mesh = TriangleMesh.from_file(file)
    assert (len(mesh.vertices), len(mesh.faces)) == (8, 12)
    np.testing.assert_allclose(mesh.signed_distance([[0.5, 0.5, 0.75]]), -0.25)


def test_a_file_that_is_not_there_or_of_another_kind_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"from .stl, .obj, .ply files; got cube.step"):
        TriangleMesh.from_file(tmp_path / "cube.step")
    with pytest.raises(FileNotFoundError, match=r"cube\.stl"):
        TriangleMesh.from_file(str(tmp_path / "cube.stl"))


def test_without_trimesh_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "trimesh", None)
    (tmp_path / "cube.stl").write_text("solid")
    with pytest.raises(ImportError, match=r"pip install 'dtpinn\[mesh\]'"):
        TriangleMesh.from_file(tmp_path / "cube.stl")


def test_without_libigl_meshes_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "igl", None)
    assert isinstance(TriangleMesh(*cube_mesh())._nearest, PieceTree)


@pytest.mark.parametrize("faces", [{}, {"faces": np.empty((0, 3), dtype=int)}])
def test_a_file_without_faces_is_told_so(tmp_path, monkeypatch, faces):
    """As trimesh reads a point cloud, with no faces at all, and an empty mesh."""
    read = SimpleNamespace(vertices=np.eye(3), **faces)
    fake = SimpleNamespace(load_mesh=lambda file: read)
    monkeypatch.setitem(sys.modules, "trimesh", fake)
    (tmp_path / "scan.ply").write_text("points")
    with pytest.raises(ValueError, match=r"scan\.ply holds no faces .*Export the surface as tri"):
        TriangleMesh.from_file(tmp_path / "scan.ply")
