from __future__ import annotations

import pytest

import dtpinn
from dtpinn.pde.solutions import sine_cosine


@pytest.fixture(scope="session")
def nodes():
    return dtpinn.place_nodes(dtpinn.geometry.Disk(), count=150)


@pytest.fixture
def problem(nodes):
    return dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), nodes, order=4)


@pytest.fixture
def model():
    return dtpinn.MLP(2, width=16, depth=2, seed=0)
