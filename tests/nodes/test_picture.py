from itertools import product

import numpy as np
import pytest

from dtpinn.geometry import Disk
from dtpinn.nodes import graded, place_nodes
from tests.marks import mostly_full
from tests.nodes.node_domains import Ball, Interval, Ring

matplotlib = pytest.importorskip("matplotlib")
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.quiver import Quiver  # noqa: E402

DOMAINS = {"line": Interval((0.0, 1.0), (1.5, 3.0)), "disk": Disk(), "ring": Ring(), "ball": Ball()}


def drawn(ax):
    """Scatter plots by their labels."""
    return {each.get_label(): each for each in ax.collections if each.get_label()[0] != "_"}


@pytest.mark.parametrize(
    ("name", "suffix"),
    mostly_full(product(DOMAINS, ["png", "svg", "pdf"]), lambda case: case[1] == "png"),
)
def test_a_picture_is_saved_in_one_call(name, suffix, tmp_path):
    path = tmp_path / f"{name}.{suffix}"
    place_nodes(DOMAINS[name], count=100).plot(path)
    assert path.stat().st_size > 5000


@pytest.mark.parametrize(("name", "count"), [("disk", 3000), ("ring", 100)])
def test_every_node_is_drawn_where_it_is_and_by_its_part(name, count):
    nodes = place_nodes(DOMAINS[name], count=count)
    dots = drawn(nodes.plot())
    assert list(dots) == ["interior", *nodes.parts, "ghosts"]
    np.testing.assert_array_equal(dots["interior"].get_offsets(), nodes.interior)
    np.testing.assert_array_equal(dots["ghosts"].get_offsets(), nodes.ghost)
    for part in nodes.parts:
        rows = nodes.part_rows(part)
        np.testing.assert_array_equal(dots[part].get_offsets(), nodes.boundary[rows])
    colours = {tuple(dots[part].get_facecolors()[0]) for part in nodes.parts}
    assert len(colours) == len(nodes.parts)
    assert not len(dots["ghosts"].get_facecolors())


@pytest.mark.parametrize("count", [100, 20_000])
def test_dots_do_not_touch_nor_arrows_crowd_nor_anything_leave_the_picture(count):
    nodes = place_nodes(Disk(), count=count)
    ax = nodes.plot()
    ax.figure.draw_without_rendering()
    points_per_unit = 72 / ax.figure.dpi * ax.transData.get_matrix()[0, 0]
    width = np.sqrt(drawn(ax)["interior"].get_sizes())
    assert width.max() <= 0.6 * nodes.spacing * points_per_unit
    assert width.min() >= 0.4
    arrows = next(each for each in ax.collections if isinstance(each, Quiver))
    assert 20 <= arrows.N <= 160
    tips = arrows.get_offsets() + np.column_stack([arrows.U, arrows.V])
    for values, limits in zip(tips.T, (ax.get_xlim(), ax.get_ylim()), strict=True):
        assert limits[0] <= values.min() < values.max() <= limits[1]
    normals = np.column_stack([arrows.U, arrows.V])
    np.testing.assert_allclose(
        normals / np.linalg.norm(normals, axis=1, keepdims=True), arrows.get_offsets(), atol=1e-12
    )


def test_dots_are_as_wide_as_their_spacing_asks_for():
    nodes = place_nodes(Disk(), graded([0.0, 0.0], 0.01, 0.06))
    width = np.sqrt(drawn(nodes.plot())["interior"].get_sizes())
    h = nodes.local_spacing[: nodes.interior_count]
    np.testing.assert_allclose(width / h, width[0] / h[0])


def test_of_a_ball_the_half_behind_is_drawn():
    nodes = place_nodes(Ball(), 0.3)
    dots = drawn(nodes.plot())
    shown = np.column_stack(dots["interior"]._offsets3d)
    assert shown[:, 1].min() >= 0.5 * (nodes.boundary[:, 1].min() + nodes.boundary[:, 1].max())
    assert 0.3 <= len(shown) / nodes.interior_count <= 0.7


def test_axes_of_ones_own_are_used():
    first, second = Figure().subplots(1, 2)
    assert place_nodes(Disk(), 0.2).plot(ax=second) is second
    assert not first.collections


def test_axes_of_another_dimension_are_refused():
    with pytest.raises(ValueError, match=r"nodes in 3-D cannot be drawn .*projection='3d'"):
        place_nodes(Ball(), 0.4).plot(ax=Figure().subplots())


def test_a_suffix_of_no_picture_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a suffix among"):
        place_nodes(Disk(), 0.4).plot(tmp_path / "nodes.csv")


@pytest.mark.parametrize("name", ["edge{}", "the {}th of many sides with a long name of its own"])
def test_a_legend_of_many_parts_leaves_the_picture_its_room(name):
    nodes = place_nodes(Disk(), count=500)
    angle = np.arctan2(*nodes.boundary.T)
    number = np.floor((angle + np.pi) / (2 * np.pi + 1e-9) * 50).astype(int)
    parts = [name.format(k) for k in number]
    nodes = nodes.from_points(nodes.interior, nodes.boundary, nodes.normals, parts=parts)
    assert len(nodes.parts) == 50
    ax = nodes.plot()
    ax.figure.draw_without_rendering()
    assert ax.get_position().width * ax.figure.bbox.width > 0.55 * ax.figure.bbox.width
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(texts) == 14
    assert sum("... and 38 parts more" in text for text in texts) == 1
    assert len(str(nodes)) < 500
    dots = [each for each in ax.collections if not isinstance(each, Quiver)]
    drawn_nodes = sum(len(each.get_offsets()) for each in dots)
    assert drawn_nodes == len(nodes.extended)  # all are drawn, whether they are named or not
