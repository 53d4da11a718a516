"""Benchmarks record the machine; what they compare is printed as tables when the run ends."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest
import torch

import dtpinn
from bench.ratios import Entry, ratio_tables
from dtpinn.output.tables import format_table

ENTRIES = pytest.StashKey[list[Entry]]()
REMARKS = pytest.StashKey[list[tuple[str, str]]]()
TABLES = pytest.StashKey[list[str]]()


def pytest_configure(config):
    config.stash[ENTRIES] = []
    config.stash[REMARKS] = []
    config.stash[TABLES] = []


@pytest.fixture
def entries(request):
    """A list: what a benchmark appends is in the tables."""
    return request.config.stash[ENTRIES]


@pytest.fixture
def remarks(request):
    """A list: (what, figure) is a line beneath the tables."""
    return request.config.stash[REMARKS]


@pytest.fixture
def tables(request):
    """A list: what a benchmark appends, a text, is printed as it is."""
    return request.config.stash[TABLES]


def machine() -> dict[str, object]:
    """What a figure depends on besides the program."""
    known = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "instruction set": dtpinn._C.instruction_set(),
        "loads of vectors": dtpinn._C.loads()["float64"],
        "torch": torch.__version__,
    }
    if torch.cuda.is_available():
        known["GPU"] = torch.cuda.get_device_name()
    return known


def _processor() -> str:
    """The model's name; on Linux `platform` knows the architecture only."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def pytest_benchmark_update_machine_info(config, machine_info):
    machine_info["dtpinn"] = machine()


def pytest_terminal_summary(terminalreporter, config):
    if tables := config.stash[TABLES]:
        terminalreporter.section("time of each / time of the first")
        terminalreporter.write_line(_known_machine())
        for table in tables:
            terminalreporter.write_line(f"\n{table}")
    entries, remarks = config.stash[ENTRIES], config.stash[REMARKS]
    if not entries and not remarks:
        return
    write = terminalreporter.write_line
    terminalreporter.section("time of a rival / time of ours: above 1 ours is faster")
    write(f"{_known_machine()}, float64; ? where other processes took the cores")
    for table in ratio_tables(entries):
        write(f"\n{table}")
    if remarks:
        write("\n" + format_table(remarks))


def _known_machine():
    return ", ".join(f"{name}: {value}" for name, value in machine().items())
