import csv
import sys

import numpy as np
import pytest
import torch

from dtpinn.geometry import Disk
from dtpinn.nodes import Nodes, graded, place_nodes
from tests.nodes.node_domains import Ball, Interval, Ring

NODES = {
    "disk": place_nodes(Disk(), 0.3),
    "refined": place_nodes(Disk(), graded(Disk(), 0.05, 0.3)),
    "ring": place_nodes(Ring(), 0.1),
    "ball": place_nodes(Ball(), 0.4),
    "line": place_nodes(Interval((0.0, 1.0), (1.5, 3.0)), 0.1),
}
ARRAYS = ("interior", "boundary", "ghost", "normals", "part", "ghost_of", "local_spacing")


@pytest.fixture(params=["npz", "csv", "vtu"])
def path(request, tmp_path):
    if request.param == "vtu":
        pytest.importorskip("meshio")
    return tmp_path / f"nodes.{request.param}"


@pytest.mark.parametrize("name", NODES)
def test_what_is_saved_comes_back_bit_for_bit(name, path):
    nodes = NODES[name]
    nodes.save(path)
    again = Nodes.load(str(path))
    assert again.parts == nodes.parts
    for array in ARRAYS:
        assert getattr(again, array).dtype == getattr(nodes, array).dtype
        assert getattr(again, array).tobytes() == getattr(nodes, array).tobytes()


def test_names_of_any_kind_come_back(path):
    names = ['wall, "old"', "Ωut=let", " <in> & out"]
    nodes = NODES["disk"]
    some = Nodes.from_points(
        nodes.interior,
        nodes.boundary,
        nodes.normals,
        parts=[names[i % 3] for i in range(nodes.boundary_count)],
    )
    some.save(path)
    again = Nodes.load(path)
    assert again.parts == some.parts == tuple(names)
    np.testing.assert_array_equal(again.part, some.part)


def test_parts_keep_their_order_and_those_without_a_node_their_place(path):
    parts = ("top", "chamfer", "left", "bottom", "right")
    edge = [[0.0, -1.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]  # of bottom, right, top, left
    some = Nodes([[0.0, 0.0]], edge, edge, edge, [3, 4, 0, 2], parts, range(4), 1.0)
    some.save(path)
    again = Nodes.load(path)
    assert again.parts == parts
    assert again.empty_parts == ("chamfer",)
    np.testing.assert_array_equal(again.part, some.part)


@pytest.mark.parametrize("name", ["nodes.npz", "nodes.csv", "nodes.vtu"])
def test_a_save_that_fails_leaves_the_old_file(name, tmp_path, monkeypatch):
    if name.endswith("vtu"):
        pytest.importorskip("meshio")
    NODES["disk"].save(tmp_path / name)
    before = (tmp_path / name).read_bytes()

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="no space left"):
        NODES["ring"].save(tmp_path / name)
    assert (tmp_path / name).read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_table_written_by_hand_is_read(tmp_path):
    path = tmp_path / "hand.csv"
    path.write_text(
        "x,kind,normal_x,part,ghost_of,spacing\n"
        "1.25,ghost,,,1,\n-1,boundary,-1,left,,0.5\n0,interior,,,,0.5\n1,boundary,1,right,,0.25\n"
    )
    nodes = Nodes.load(path)
    assert repr(nodes) == (
        "Nodes(1-D: 1 interior + 2 boundary + 1 ghost, spacing 0.5, parts left, right)"
    )
    np.testing.assert_array_equal(nodes.local_spacing, [0.5, 0.5, 0.25])
    np.testing.assert_array_equal(nodes.ghost_of, [1])
    with open(path, "a") as file:
        file.write(",part,,right,,\n")
    assert Nodes.load(path).parts == ("right", "left")


def test_the_table_is_one_part_or_node_a_line(tmp_path):
    NODES["ring"].save(tmp_path / "ring.csv")
    with open(tmp_path / "ring.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows].count("boundary") == NODES["ring"].boundary_count
    assert {row["part"] for row in rows} == {"", "outer", "inner"}
    assert [row["part"] for row in rows if row["kind"] == "part"] == ["outer", "inner"]
    assert len(rows) == len(NODES["ring"].extended) + 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("spacing", "distance", "has no column spacing; nodes in 2-D take the columns kind, x, y"),
        (
            "interior",
            "inside",
            "line 3: kind must be part, interior, boundary, ghost, side or cell; got 'inside'",
        ),
        ("0.3\n", "nan\n", "line 3: spacing must be a finite number; got 'nan'"),
        ("0.3\n", "\n", "line 3: spacing must be a finite number; got ''"),
        (",0,\n", ",zero,\n", r"line \d+: ghost_of must be an integer; got 'zero'"),
        (",0,\n", ",999,\n", r"ghost_of must be indices from 0 to \d+"),
    ],
)
def test_the_line_at_fault_in_a_table_is_named(tmp_path, old, new, message):
    path = tmp_path / "disk.csv"
    NODES["disk"].save(path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        Nodes.load(path)


def test_an_archive_of_something_else_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", interior=np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"does not hold nodes: boundary, .*; it holds interior"):
        Nodes.load(tmp_path / "other.npz")


def test_a_damaged_file_is_refused(path):
    NODES["disk"].save(path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ValueError, match=r"is damaged|must be (a finite number|part)|is empty"):
        Nodes.load(path)


@pytest.mark.parametrize("act", [NODES["disk"].save, Nodes.load], ids=["save", "load"])
@pytest.mark.parametrize("name", ["nodes.txt", "nodes"])
def test_another_suffix_is_refused(tmp_path, act, name):
    with pytest.raises(ValueError, match=r"\.npz \(exact\), \.csv \(text\) or \.vtu"):
        act(tmp_path / name)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nothing\.npz"):
        Nodes.load(tmp_path / "nothing.npz")


def test_fields_stand_beside_the_nodes_for_paraview(tmp_path):
    meshio = pytest.importorskip("meshio")
    nodes = NODES["ring"]
    u = torch.arange(nodes.count, dtype=torch.float64, requires_grad=True)
    gradient = np.ones((len(nodes.extended), 3))
    nodes.save(tmp_path / "u.vtu", fields={"u": u, "gradient": gradient})
    mesh = meshio.read(tmp_path / "u.vtu")
    np.testing.assert_array_equal(mesh.point_data["u"][: nodes.count], u.detach().numpy())
    assert np.isnan(mesh.point_data["u"][nodes.count :]).all()
    np.testing.assert_array_equal(mesh.point_data["gradient"], gradient)
    np.testing.assert_array_equal(mesh.points[:, :2], nodes.extended)
    normal = mesh.point_data["normal"]
    np.testing.assert_array_equal(normal[mesh.point_data["kind"] == 1, :2], nodes.normals)
    assert not normal[mesh.point_data["kind"] != 1].any()


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("u.vtu", {"u": np.ones(3)}, r"the field 'u' must have one row .* got shape \(3,\)"),
        ("u.vtu", {"kind": np.ones(3)}, "cannot be named 'kind'"),
        ("u.csv", {"u": np.ones(3)}, r"fields can be saved beside nodes in a \.vtu file"),
    ],
)
def test_fields_that_do_not_fit_are_refused(tmp_path, name, fields, message):
    pytest.importorskip("meshio")
    with pytest.raises(ValueError, match=message):
        NODES["disk"].save(tmp_path / name, fields=fields)


def test_without_meshio_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "meshio", None)
    with pytest.raises(ImportError, match=r"pip install 'dtpinn\[files\]'"):
        NODES["disk"].save(tmp_path / "nodes.vtu")


def test_a_single_array_is_no_archive_of_nodes(tmp_path):
    with open(tmp_path / "nodes.npz", "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match="is not a NumPy archive"):
        Nodes.load(tmp_path / "nodes.npz")


def test_a_table_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "nodes.csv"
    path.write_bytes("x,y,größe\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"nodes.csv' must be text in UTF-8; byte 6 is 0xf6"):
        Nodes.load(path)
