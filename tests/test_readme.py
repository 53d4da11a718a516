"""Every program in the README runs, and does what the README says of it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

README = (Path(__file__).parent.parent / "README.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    names = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("readme"))
        for program in PROGRAMS:
            names.append({})
            exec(program, names[-1])
    return names


def test_the_program_trains_and_estimates_its_error(programs, capsys):
    names = programs[0]
    true = names["result"].relative_error(lambda x: 1 - (x**2).sum(1))
    assert true < 1e-3
    assert 0.3 < names["problem"].estimate(names["model"]).total / true < 3.0
    assert len(PROGRAMS[0].splitlines()) <= 30


def test_the_equation_on_a_ring_is_trained_down_to_its_floor(programs):
    names = programs[1]
    wave, problem, model = names["wave"], names["problem"], names["model"]
    exact = wave(problem.points)
    floor = float((problem.solve() - exact).norm() / exact.norm())
    assert names["result"].relative_error(wave) < 2 * floor
    assert problem.compare(model).agrees
    assert names["nodes"].parts == ("inner", "outer")


def test_the_domain_is_as_it_is_drawn_and_its_operators_differentiate(programs):
    names = programs[2]
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


def test_the_torsion_of_an_l_is_right_to_three_thousandths(programs):
    assert float(programs[3]["u"].max()) == pytest.approx(0.1494124, rel=3e-3)


def test_the_op_alone_is_six_lines_and_its_gradient_is_the_transpose(programs):
    A, x = programs[4]["A"], programs[4]["x"]
    assert (x.grad - A.T @ (2 * (A @ x))).abs().max() < 1e-12 * x.grad.abs().max()
    lines = [line for line in PROGRAMS[4].splitlines() if line and not line.startswith("import")]
    assert len(lines) <= 6


def test_the_commands_set_up_everything_themselves():
    main, test = COMMANDS
    for command in (main, test):
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install -e")
    assert "dtpinn train poisson" in main
    assert "pytest" in test
