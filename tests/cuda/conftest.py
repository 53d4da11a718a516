from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cuda.simulator import Simulator
from tests.cuda.toolchain import BUILDS, Toolchain, Unavailable


@pytest.fixture(scope="session")
def toolchain(tmp_path_factory) -> Toolchain:
    try:
        return Toolchain(tmp_path_factory.mktemp("simulated_gpu"))
    except Unavailable as why:
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def simulators(toolchain):
    """The launchers, by build."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        programs = {build: pool.submit(toolchain.launchers, build) for build in BUILDS}
    started: dict[str, Simulator] = {}

    def simulator(build: str) -> Simulator:
        try:
            return started.setdefault(build, Simulator(programs[build].result()))
        except Unavailable as why:
            pytest.skip(str(why))

    yield simulator
    for one in started.values():
        one.close()
