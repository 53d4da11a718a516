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
from scipy.special import h1vp, hankel1, ive, jvp

import dtpinn
from dtpinn.experiments import measuring

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


def test_the_paper_is_rerun_with_another_domain(run_program, capsys, monkeypatch):
    monkeypatch.setattr(measuring, "TEST_POINTS", 2000)
    run_program("paper")
    told = re.findall(r"(\S+): error (\S+), floor (\S+)", capsys.readouterr().out)
    assert [name for name, _, _ in told] == ["poisson", "poisson-ellipse"]
    for _, error, floor in told:
        assert float(floor) < 2e-3
        assert float(error) < 2e-2


def test_a_coefficient_is_found_from_a_cloud_in_a_file(run_program):
    assert run_program("inverse")["result"].coefficients["k"] == pytest.approx(3.0, rel=0.01)


def test_the_insulation_of_a_pipe_is_as_warm_as_by_kirchhoff(run_program, capsys):
    """With v = u + 0.0025 u^2: 0.04 (v(150) - v(u)) / (0.1 log 2) = 10 (u - 20), a quadratic."""
    run_program("flux")
    told = float(re.search(r"at (\S+) degrees", capsys.readouterr().out).group(1))
    per_v = 0.04 / (0.1 * np.log(2))
    a, b, c = 0.0025 * per_v, per_v + 10, -200 - per_v * (150 + 0.0025 * 150**2)
    assert told == pytest.approx((-b + np.sqrt(b * b - 4 * a * c)) / (2 * a), abs=0.01)


def test_glass_and_copper_meet_at_the_temperature_of_their_resistances(run_program):
    glass, copper = np.log(1.5) / 1.38, np.log(4 / 3) / 400
    wanted = 20 + 80 * copper / (glass + copper)
    assert run_program("interface")["met"] == pytest.approx(wanted, abs=0.01)


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


@pytest.mark.full
def test_ten_sensors_tell_a_diffusivity_and_how_sure_it_is(run_program):
    result = run_program("sensors")["result"]
    sure = result.uncertainty
    (error,) = sure.standard_errors.values()
    assert abs(result.coefficients["diffusivity"] - 0.1) < 3 * error
    assert error < 0.01
    assert 0.003 < sure.noise["data"] < 0.03


def test_fluxes_alone_leave_a_mean_that_a_constraint_gives(run_program):
    names = run_program("neumann")
    u, x = names["u"], torch.tensor(names["nodes"].collocation)
    assert float(names["weights"] @ u / names["weights"].sum()) == pytest.approx(20.0, abs=1e-9)
    # The square's eight symmetries are the solution's.
    at = names["problem"].interpolate(u, torch.stack([x[:, 1], -x[:, 0]], dim=1)[:200])
    assert (at - u[:200]).abs().max() < 2e-3


@pytest.mark.full
def test_burgers_equation_is_solved_as_by_the_series_of_cole_and_hopf(run_program):
    names = run_program("burgers")
    nu, x, t, n = names["VISCOSITY"], 0.75, 0.5, np.arange(1, 100)
    a = ive(n, 1 / (2 * np.pi * nu)) * np.exp(-nu * (n * np.pi) ** 2 * t)
    above, below = (n * a * np.sin(n * np.pi * x)).sum(), (a * np.cos(n * np.pi * x)).sum()
    wanted = 4 * np.pi * nu * above / (ive(0, 1 / (2 * np.pi * nu)) + 2 * below)
    assert wanted == pytest.approx(0.5541, abs=5e-5)
    assert names["u"] == pytest.approx(wanted, rel=3e-3)


def test_the_torsion_of_an_l_is_right_to_three_thousandths(run_program):
    assert float(run_program("torsion")["u"].max()) == pytest.approx(0.1494124, rel=3e-3)


@pytest.mark.full
def test_a_condition_that_is_built_in_holds_and_leaves_the_floor(run_program):
    names = run_program("hard")
    problem, exact = names["problem"], names["exact"]
    assert names["off"] < 1e-14
    wanted = exact(problem.points)
    floor = float((problem.solve() - wanted).norm() / wanted.norm())
    assert names["result"].relative_error(exact) < 2 * floor


def test_one_period_of_an_array_of_cylinders_conducts_as_rayleigh_found(run_program):
    assert run_program("cylinders")["flux"] == pytest.approx(0.558485, rel=2e-3)


@pytest.mark.full
def test_the_tones_of_a_drum_are_the_zeros_of_a_bessel_function(run_program):
    tones = run_program("drum")["tones"]
    assert np.allclose(tones[:3], [2.404826, 5.520078, 8.653728], rtol=2e-3)


@pytest.mark.parametrize("readme", [name for name in PROGRAMS if PROGRAMS[name]])
def test_the_programs_of_a_folder_run(readme, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for program in PROGRAMS[readme]:
        exec(program, names)


@pytest.mark.full
def test_a_scattered_wave_is_hankels_but_for_the_boundary_that_it_leaves_by(run_program):
    names = run_program("scattering")
    k, a = names["k"], 0.3
    r, angle = np.hypot(*(x := names["nodes"].collocation).T), np.arctan2(x[:, 1], x[:, 0])
    m = np.arange(25)[:, None]
    share = np.where(m == 0, 1, 2) * 1j**m * jvp(m, k * a) / h1vp(m, k * a)
    series = -(share * hankel1(m, k * r) * np.cos(m * angle)).sum(axis=0)
    error = np.linalg.norm(names["u"].numpy() - series) / np.linalg.norm(series)
    assert error < 0.08
    assert Path("scattered.png").stat().st_size > 10_000


def test_conditions_of_some_fields_are_written_with_their_names(run_program, capsys):
    names = run_program("fields")
    left = names["problem"].points[:, 0] == 0
    assert float(names["u"][left, 1].mean()) == pytest.approx(np.tanh(1.0), rel=1e-3)
    assert "boundary.left.heat, boundary.left.salt" in capsys.readouterr().out


@pytest.mark.full
def test_the_flow_in_a_cavity_is_that_of_the_table(run_program):
    """Ghia, Ghia & Shin (1982): u = -0.2109 at its least on the centre line."""
    assert run_program("cavity")["backwards"] == pytest.approx(0.2109, rel=0.08)


def test_the_tone_of_a_membrane_is_found_with_its_shape(run_program):
    names = run_program("eigenvalue")
    assert names["result"].coefficients["E"] == pytest.approx(np.pi**2 / 2, rel=1e-4)
    x = names["problem"].points
    shape = torch.cos(torch.pi * x[:, 0] / 2) * torch.cos(torch.pi * x[:, 1] / 2)
    u = names["model"](x).detach()
    assert (u * torch.sign(u.sum()) - shape).norm() < 2e-3 * shape.norm()
