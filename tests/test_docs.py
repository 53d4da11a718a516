"""The programs that the documentation shows run, and do what their pages say."""

from __future__ import annotations

import inspect
import re
import runpy
from pathlib import Path

import meshio
import numpy as np
import pytest
import torch

import dtpinn

ROOT = Path(__file__).parent.parent
DOCS = ROOT / ".github" / "docs"
# A folder's README -> its programs.
PROGRAMS = {
    str(path.relative_to(ROOT)): re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL)
    for place in ("bench", "csrc", "dtpinn/*")
    for path in sorted(ROOT.glob(f"{place}/README.md"))
}


@pytest.fixture
def run_program(tmp_path, monkeypatch):
    """Run a program by its name, in a folder of its own; return its names."""
    monkeypatch.chdir(tmp_path)
    return lambda name: runpy.run_path(str(DOCS / "programs" / f"{name}.py"))


def test_every_program_is_shown_on_a_page_and_run_here():
    programs = {path.name for path in DOCS.glob("programs/*.py")}
    pages = "".join(path.read_text() for path in DOCS.rglob("*.md"))
    shown = re.findall(r"\{literalinclude\} (?:\.\./)?(?:programs/)?(\w+\.py)", pages)
    run = re.findall(r'run_program\("(\w+)"\)', Path(__file__).read_text())
    assert sorted(shown) == sorted(programs) == sorted(f"{name}.py" for name in run)


def test_every_package_that_dtpinn_names_is_in_the_reference():
    packages = {f"dtpinn.{n}" for n in dtpinn.__all__ if inspect.ismodule(getattr(dtpinn, n))}
    shown = re.findall(r"^   (dtpinn\.\w+)$", (DOCS / "reference.md").read_text(), re.MULTILINE)
    assert packages <= set(shown)


def test_a_plate_with_a_pipe_is_trained_saved_and_its_error_estimated(run_program):
    names = run_program("domain")
    problem, model = names["problem"], names["model"]
    estimate = problem.estimate(model)
    assert estimate.total < 5e-3
    assert estimate.resolved
    for file in ("nodes.png", "plate/picture.png", "plate/result.json", "plate/history.csv"):
        assert Path(file).stat().st_size > 100
    for_paraview = meshio.read("plate.vtu")
    assert np.allclose(for_paraview.point_data["u"][: len(names["u"])], names["u"])


def test_the_op_learns_inside_a_model_and_travels_with_it(run_program):
    names = run_program("op")
    model, losses = names["model"], names["losses"]
    assert losses[-1] < losses[0] / 5
    assert {"lengths", "A.values"} <= set(model.state_dict())
    copy = names["Unrolled"](names["A"])
    copy.load_state_dict(model.state_dict())
    assert torch.equal(copy(names["scans"]), model(names["scans"]))


def test_the_paper_is_rerun_with_another_domain(run_program, capsys):
    run_program("paper")
    told = re.findall(r"(\S+): error (\S+), floor (\S+)", capsys.readouterr().out)
    assert [name for name, _, _ in told] == ["poisson", "poisson-ellipse"]
    for _, error, floor in told:
        assert float(floor) < 2e-3
        assert float(error) < 2e-2


def test_a_coefficient_is_found_from_a_cloud_in_a_file(run_program):
    assert run_program("inverse")["result"].coefficients["k"] == pytest.approx(3.0, rel=0.01)


def test_the_plate_is_as_it_is_drawn_and_its_operators_differentiate(run_program):
    names = run_program("operators")
    nodes = names["nodes"]
    assert set(nodes.parts) == {"left", "right", "bottom", "top", "holes"}
    assert nodes.quality().ratio < 1.2
    x, y = torch.from_numpy(nodes.extended.copy()).T
    inner = torch.from_numpy(nodes.collocation.copy())
    u = x**2 * y
    assert torch.allclose(names["L"] @ u, 2 * inner[:, 1], atol=1e-8)
    wanted = 2 * inner[:, 1] - 10 * inner[:, 0] * inner[:, 1] + inner[:, 1] * inner[:, 0] ** 2
    assert torch.allclose(names["A"] @ u, wanted, atol=1e-8)
    dirichlet = np.isin(nodes.part, [nodes.parts.index(name) for name in ("left", "right")])
    rows = names["B"].to_scipy()[dirichlet]
    assert (abs(rows).sum(axis=1) == 1.0).all()  # one entry, beta, at the node itself


def test_the_torsion_of_an_l_is_right_to_three_thousandths(run_program):
    assert float(run_program("torsion")["u"].max()) == pytest.approx(0.1494124, rel=3e-3)


@pytest.mark.parametrize("readme", [name for name in PROGRAMS if PROGRAMS[name]])
def test_the_programs_of_a_folder_run(readme, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for program in PROGRAMS[readme]:
        exec(program, names)


def test_conditions_of_some_fields_are_written_with_their_names(run_program, capsys):
    names = run_program("fields")
    left = names["problem"].points[:, 0] == 0
    assert float(names["u"][left, 1].mean()) == pytest.approx(np.tanh(1.0), rel=1e-3)
    assert "boundary.left.heat, boundary.left.salt" in capsys.readouterr().out


def test_the_flow_in_a_cavity_is_that_of_the_table(run_program):
    """Ghia, Ghia & Shin (1982): u = -0.2109 at its least on the centre line; the lid is softer."""
    assert run_program("cavity")["backwards"] == pytest.approx(0.2109, rel=0.08)
