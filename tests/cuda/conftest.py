from __future__ import annotations

import pytest

from tests.cuda.simulator import Simulator
from tests.cuda.toolchain import Toolchain, Unavailable


@pytest.fixture(scope="session")
def toolchain(tmp_path_factory) -> Toolchain:
    try:
        return Toolchain(tmp_path_factory.mktemp("simulated_gpu"))
    except Unavailable as why:
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def simulators(toolchain):
    """The launchers, by build; compiled when they are first asked for."""
    started: dict[str, Simulator] = {}

    def simulator(build: str) -> Simulator:
        try:
            if build not in started:
                started[build] = Simulator(toolchain.launchers(build))
        except Unavailable as why:
            pytest.skip(str(why))
        return started[build]

    yield simulator
    for one in started.values():
        one.close()
