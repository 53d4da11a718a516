"""Every program in the README runs, and does what the README says of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

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


def test_the_op_alone_is_six_lines_and_its_gradient_is_the_transpose(programs):
    A, x = programs[2]["A"], programs[2]["x"]
    assert (x.grad - A.T @ (2 * (A @ x))).abs().max() < 1e-12 * x.grad.abs().max()
    lines = [line for line in PROGRAMS[2].splitlines() if line and not line.startswith("import")]
    assert len(lines) <= 6


def test_the_commands_set_up_everything_themselves():
    main, test = COMMANDS
    for command in (main, test):
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install -e")
    assert "dtpinn train poisson" in main
    assert "pytest" in test
