"""Pictures are drawn, in every dimension, without a display; triangles keep to the domain."""

import itertools
import sys
import warnings

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.geometry import Annulus, Disk, Rectangle
from dtpinn.output import picture_run, save_figure
from dtpinn.output.convergence import draw_convergence
from dtpinn.output.panels import Cloud, draw_fields
from dtpinn.output.triangles import triangulate
from tests.marks import mostly_full

pytest.importorskip("matplotlib")

HISTORY = {"evaluations": [1, 20, 40], "loss": [1.0, 1e-2, 1e-3], "error": [0.5, None, 0.02]}


def circle(count, radius):
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return radius * np.column_stack([np.cos(angle), np.sin(angle)])


def annulus(h=0.05, hole=0.4):
    """Jittered points between two circles, and points on both."""
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.arange(-1, 1, h), np.arange(-1, 1, h)), axis=-1).reshape(-1, 2)
    grid += rng.uniform(-0.25 * h, 0.25 * h, grid.shape)
    radius = np.hypot(*grid.T)
    inside = grid[(radius > hole + 0.5 * h) & (radius < 1 - 0.5 * h)]
    rims = [circle(int(2 * np.pi / h), 1.0), circle(int(2 * np.pi * hole / h), hole)]
    return np.concatenate([inside, *rims])


def read(path):
    from matplotlib.image import imread

    return imread(path)


def area(points, triangulation):
    a, b, c = (points[triangulation.get_masked_triangles()[:, i]] for i in range(3))
    u, v = b - a, c - a
    return 0.5 * np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).sum()


def test_a_run_on_a_disk_with_a_hole_is_drawn_without_a_warning(tmp_path):
    points = annulus()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture_run(
            tmp_path / "run.png",
            torch.from_numpy(points),
            torch.from_numpy(points[:, 0]).requires_grad_(),
            1e-3 * points[:, 1],
            HISTORY,
            floor=1e-4,
            title="a run",
            boundary=circle(100, 1.0),
        )
    image = read(tmp_path / "run.png")
    assert image.shape[0] > 300
    assert image.shape[1] > 3 * image.shape[0]
    assert image[..., :3].std() > 0.1  # not blank


@pytest.mark.full
@pytest.mark.parametrize("d", [1, 3])
def test_lines_and_slabs(tmp_path, d):
    points = np.random.default_rng(0).uniform(-1, 1, (400, d))
    picture_run(tmp_path / "run.png", points, points[:, 0], points[:, 0], HISTORY, floor=1e-4)
    assert read(tmp_path / "run.png")[..., :3].std() > 0.02


@pytest.mark.parametrize(
    ("d", "fields", "times"),
    mostly_full(
        itertools.product([1, 2, 3], [1, 2], [1, 2, 25]),
        {(1, 2, 25), (2, 1, 2), (3, 2, 1)}.__contains__,
    ),
)
def test_systems_and_space_time_in_every_dimension(tmp_path, d, fields, times):
    points = np.random.default_rng(0).uniform(-1, 1, (60, d))
    values = np.repeat(points[:, :1], times * fields, axis=1).reshape(-1, fields)
    slices = None if times == 1 else np.linspace(0, 1, times)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture_run(tmp_path / "a.png", points, values, 1e-3 * values, HISTORY, times=slices)
    image = read(tmp_path / "a.png")
    assert image[..., :3].std() > 0.02  # not blank
    down, across = image.shape[:2]
    # A row of 2.9 inches for each field; in space-time two of 2.4, with a panel for each time
    assert down == round(150 * (2.9 * fields if times == 1 else 4.8 * fields))
    panels = 2 * 3.1 if times == 1 else 2.4 * min(times, 3)
    assert across == pytest.approx(150 * (0.3 + panels + 3.1), abs=1)


def figure_with(panels):
    from matplotlib.figure import Figure

    return Figure().subplots(1, panels)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_fields_side_by_side_share_a_scale(d):
    points = np.random.default_rng(0).uniform(-1, 1, (60, d))
    fields = np.stack([0.01 * points[:, 0], 1.0 + points[:, 0] ** 2])
    for error in (False, True):
        axes = figure_with(2)
        draw_fields(axes, Cloud(points), np.abs(fields), ["a", "b"], error=error)
        if d == 1:
            scales = [ax.get_ylim() for ax in axes]
            assert {ax.get_yscale() for ax in axes} == {"log" if error else "linear"}
        else:
            scales = [ax.collections[0].get_clim() for ax in axes]
        assert scales[0] == scales[1]
        assert scales[0][1] >= fields[:, Cloud(points).shown].max()
        assert [ax.get_title(loc="left") for ax in axes] == ["a", "b"]


def test_titles_tell_field_time_and_slab(tmp_path, monkeypatch):
    drawn = []

    def remember(axes, cloud, fields, titles, *, error):
        drawn.append((titles, fields[:, 0].tolist()))

    monkeypatch.setattr("dtpinn.output.pictures.draw_fields", remember)
    monkeypatch.setattr("dtpinn.output.pictures.save_figure", lambda *_: None)
    points = np.random.default_rng(0).uniform(-1, 1, (60, 3))
    points[:, 2] = np.linspace(-1, 1, 60)
    times = np.linspace(0, 2, 5)
    values = np.stack([np.tile(times, 60), -np.tile(times, 60)], axis=1)
    picture_run(tmp_path / "a.png", points, values, values, times=times)
    picture_run(tmp_path / "a.png", points[:, :2], values[::5, 0], title="b")
    titles, first = zip(*drawn, strict=True)
    assert titles[0][0].startswith("$u_{1}$ at t = 0, z = 0 ±")
    assert titles[0][1:] == ["$u_{1}$ at t = 1", "$u_{1}$ at t = 2"]
    assert titles[3][2] == "|error of $u_{2}$| at t = 2"
    assert first == ([0, 1, 2], [0, 1, 2], [0, -1, -2], [0, 1, 2], [0])
    assert titles[4] == ["solution"]


def test_convergence_marks_where_a_stage_took_over():
    ax = figure_with(2)[0]
    history = {**HISTORY, "stage": [1, 1, 2]}
    draw_convergence(ax, history)
    assert [text.get_text() for text in ax.texts if "stage" in text.get_text()] == ["stage 2"]
    assert 20.0 in [line.get_xdata()[0] for line in ax.lines]
    draw_convergence(plain := figure_with(2)[1], {**HISTORY, "stage": [1, 1, 1]})
    assert not any("stage" in text.get_text() for text in plain.texts)


@pytest.mark.parametrize("error", [np.zeros(50), np.full(50, np.nan), None])
def test_an_error_of_zero_of_nan_and_none_at_all(tmp_path, error):
    points = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    picture_run(tmp_path / "run.png", points, points[:, 0], error)
    assert (tmp_path / "run.png").stat().st_size > 1000


@pytest.mark.parametrize("suffix", ["pdf", "svg"])
def test_formats_by_suffix(tmp_path, suffix):
    points = annulus(0.2)
    picture_run(tmp_path / f"run.{suffix}", points, points[:, 0])
    start = (tmp_path / f"run.{suffix}").read_bytes()[:5]
    assert start in (b"%PDF-", b"<?xml")


def test_triangles_cover_the_domain_and_not_its_hole():
    points = annulus(h=0.05, hole=0.4)
    covered = area(points, triangulate(points))
    # Polygons inscribed in the rims, and slivers of one spacing along the hole
    assert covered == pytest.approx(np.pi * (1 - 0.4**2), rel=0.02)


def test_triangles_stay_out_of_a_notch():
    rng = np.random.default_rng(0)
    h = 0.05
    grid = np.stack(np.meshgrid(np.arange(-1, 1, h), np.arange(-1, 1, h)), axis=-1).reshape(-1, 2)
    points = grid[~((grid[:, 0] > 0) & (grid[:, 1] > 0))]
    points = points + rng.uniform(-0.1 * h, 0.1 * h, points.shape)
    assert area(points, triangulate(points)) == pytest.approx(3 * (1 - h / 2) ** 2, rel=0.06)


SQUARE = Rectangle((-1, -1), (1, 1))
WITH_NOTCHES = {
    "half a disk out of a side": (SQUARE - Disk(0.4, (0.0, -1.0)), 4 - np.pi * 0.4**2 / 2),
    "half a ring": (Annulus(0.4, 1.0) & Rectangle((-2, 0), (2, 2)), np.pi / 2 * (1 - 0.4**2)),
    "a hole": (SQUARE - Disk(0.35, (0.3, 0.1)), 4 - np.pi * 0.35**2),
    "a quarter less": (SQUARE - Rectangle((0, 0), (2, 2)), 3.0),
}


@pytest.mark.parametrize("name", WITH_NOTCHES)
@pytest.mark.parametrize("spacing", mostly_full([0.1, 0.06, 0.035], {0.06}.__contains__))
def test_with_normals_the_domain_is_covered_and_nothing_else(name, spacing):
    """The area is known; polygons in round holes and round them are within (h / r)^2 / 6 of it."""
    domain, wanted = WITH_NOTCHES[name]
    nodes = dtpinn.place_nodes(domain, spacing=spacing, seed=1)
    outward = np.zeros(nodes.collocation.shape)
    outward[nodes.interior_count :] = nodes.normals
    triangles = triangulate(nodes.collocation, outward=outward)
    assert area(nodes.collocation, triangles) == pytest.approx(wanted, rel=0.012)


def test_a_graded_cloud_is_covered_whole():
    # Rings of 40 points whose radii grow by 1.15: the spacing varies by 40 from rim to centre
    rings = [circle(40, 1.15**-k) for k in range(27)]
    points = np.concatenate(rings)
    polygon = 20 * np.sin(2 * np.pi / 40) * (1 - 1.15**-52)
    assert area(points, triangulate(points)) == pytest.approx(polygon, rel=1e-3)


def test_drawing_opens_no_window_and_needs_no_pyplot(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # importing it is an error
    points = np.random.default_rng(0).random((30, 2))
    picture_run(tmp_path / "a.png", points, points[:, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": np.zeros((10, 4))}, r"got \(10, 4\)"),
        ({"solution": np.zeros((9, 2))}, r"the solution of shape \(10,\) or .*got \(9, 2\)"),
        ({"error": np.zeros(9)}, r"the \|error\| of shape \(10, 1\).*got \(9,\)"),
        ({"error": np.zeros((10, 2))}, r"the \|error\| of shape \(10, 1\).*got \(10, 2\)"),
        ({"times": [0, 1, 2]}, r"of shape \(30,\) or \(30, fields\) for 10 points and 3 times"),
        ({"history": {"loss": [1.0]}}, "'evaluations'"),
        ({"history": {"epoch": [1, 2], "loss": [1.0]}}, "expected 2 values of 'loss'.*got 1"),
        ({"path": "run.docx"}, "suffix"),
    ],
)
def test_refusals(tmp_path, change, message):
    points = np.random.default_rng(0).random((10, 2))
    arguments = {"path": "run.png", "points": points, "solution": points[:, 0], **change}
    arguments["path"] = tmp_path / arguments["path"]
    with pytest.raises(ValueError, match=message):
        picture_run(**arguments)
    assert list(tmp_path.iterdir()) == []


def test_any_figure_can_be_saved(tmp_path):
    from matplotlib.figure import Figure

    save_figure(tmp_path / "a.png", Figure(figsize=(2, 1)), dpi=50)
    assert read(tmp_path / "a.png").shape[:2] == (50, 100)
