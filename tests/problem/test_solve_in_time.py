"""The direct solve of equations in time: the semi-discrete solution, at every node and time."""

from __future__ import annotations

import pytest

from tests.marks import mostly_full
from tests.problem.more_equations import CASES, clouds, error_of_the_direct_solve, observed_order

IN_TIME = [name for name, case in CASES.items() if case.times is not None]


@pytest.mark.parametrize(
    "name",
    mostly_full(IN_TIME, {"Allen-Cahn, Neumann", "telegraph"}.__contains__),
)
def test_the_semi_discrete_solution_converges_at_the_order_in_space(name):
    case = CASES[name]
    errors = [
        error_of_the_direct_solve(case, nodes, time_tolerance=1e-8)  # a tenth of what space leaves
        for nodes in clouds(case.domain)
    ]
    assert observed_order(case.domain, errors) > case.order - 0.5
    assert errors[1] < 1e-4
