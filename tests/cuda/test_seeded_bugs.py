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
def programs(toolchain, tmp_path_factory, request):
    """By the name of the bug, for those that are asked for; compiled side by side."""

    def program(bug):
        copy = bug.seed(tmp_path_factory.mktemp("seeded") / "csrc")
        return toolchain.small_launchers(bug.build, copy, f"bug_{BUGS.index(bug)}")

    tests = (getattr(test, "callspec", None) for test in request.session.items)
    asked = {test.params["bug"] for test in tests if test and "bug" in test.params}
    pool = ThreadPoolExecutor(os.cpu_count())
    yield {bug.name: pool.submit(program, bug) for bug in BUGS if bug in asked}
    pool.shutdown(cancel_futures=True)


# Of a kernel and of a launcher one: the battery itself can fail, wherever tests run.
USUAL = {"parts of a warp take the same entries", "another stream"}
EACH = [
    pytest.param(bug, id=bug.name, marks=() if bug.name in USUAL else pytest.mark.full)
    for bug in BUGS
]


@pytest.mark.parametrize("bug", EACH)
def test_a_seeded_bug_is_caught(programs, bug):
    try:
        program = programs[bug.name].result()
    except Unavailable as why:
        pytest.skip(str(why))
    with closing(Simulator(program)) as simulator:
        assert caught_by(simulator, bug.kernel) == bug.caught_by


@pytest.mark.full  # test_kernels.py has it for all builds and types, but asks in another way
def test_nothing_is_caught_without_a_bug(simulators):
    assert caught_by(simulators("plain")) is None


def test_a_table_that_is_out_of_date_says_so(tmp_path):
    gone = replace(BUGS[0], old="what no kernel says")
    with pytest.raises(LookupError, match="bring this table up to date"):
        gone.seed(tmp_path / "csrc")
