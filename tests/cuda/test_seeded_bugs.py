"""The proof that `battery` finds bugs: each one seeded into a copy of the kernels is caught."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest

from tests.cuda.battery import caught_by
from tests.cuda.seeded_bugs import BUGS
from tests.cuda.simulator import Simulator
from tests.cuda.toolchain import Unavailable


@pytest.fixture(scope="module")
def programs(toolchain, tmp_path_factory):
    """By the name of the bug, compiled side by side."""

    def program(bug):
        copy = bug.seed(tmp_path_factory.mktemp("seeded") / "csrc")
        return toolchain.small_launchers(bug.build, copy, f"bug_{BUGS.index(bug)}")

    pool = ThreadPoolExecutor(os.cpu_count())
    yield {bug.name: pool.submit(program, bug) for bug in BUGS}
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_seeded_bug_is_caught(programs, bug):
    try:
        program = programs[bug.name].result()
    except Unavailable as why:
        pytest.skip(str(why))
    with closing(Simulator(program)) as simulator:
        assert caught_by(simulator, bug.kernel) == bug.caught_by


def test_nothing_is_caught_without_a_bug(simulators):
    """As test_kernels.py has it for all builds and types, but asked in the same way."""
    assert caught_by(simulators("plain")) is None


def test_a_table_that_is_out_of_date_says_so(tmp_path):
    gone = replace(BUGS[0], old="what no kernel says")
    with pytest.raises(LookupError, match="bring this table up to date"):
        gone.seed(tmp_path / "csrc")
