"""Every test starts from one seed, in double precision; workers side by side share the cores."""

from __future__ import annotations

import os

if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):  # before anything counts the cores
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // int(workers))))

import numpy as np
import pytest
import torch
from hypothesis import settings

# The same examples on every machine and every day, and none of them timed: a test must not depend
# on luck. What a search for others finds (.ci/explore) becomes an `@example`.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None, print_blob=True)
settings.load_profile("fixed")


@pytest.fixture(autouse=True)
def _reproducible():
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def pytest_collection_modifyitems(items):
    if torch.cuda.is_available():
        return
    skip = pytest.mark.skip(reason="no CUDA device on this machine")
    for item in items:
        if "gpu" in item.keywords:
            item.add_marker(skip)
