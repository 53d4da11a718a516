"""What measuring needs to know of a device: how to time a call there, and how to capture one.

Three times of a call. *Queued*: its share of a batch that the device works through without waiting
for Python, which is what the kernels cost. *Single*: from the call until its result is there, which
at small sizes is the price of the launch. *Cold*: what the kernels cost where nothing of their data
is in the caches, as after the rest of a training step. On the CPU all are wall time.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch

from bench.operands import Call

Result = TypeVar("Result")
CYCLES_PER_SECOND = 3e9  # at most, of any GPU
HEAD_START = 1e-3  # seconds, to launch what a call launches
FLUSH = 2**28  # bytes, more than any cache: what is written before a cold call


class Timer(Protocol):
    """Seconds per call."""

    def queued(self, call: Call, calls: int, head_start: float) -> float:
        """Of so many calls in a row; Python may be `head_start` seconds ahead of the device."""

    def single(self, call: Call) -> float:
        """Until its result is there."""

    def cold(self, call: Call) -> float:
        """With nothing of its data in the caches."""


class HostTimer:
    """For calls that return when they are done."""

    def queued(self, call: Call, calls: int, head_start: float) -> float:
        """Here Python is never ahead."""
        return self.single(lambda: [call() for _ in range(calls)]) / calls

    def single(self, call: Call) -> float:
        """Until it returns."""
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    def cold(self, call: Call) -> float:
        """Until it returns, after other memory has been written."""
        _flush("cpu").zero_()
        return self.single(call)


class CudaTimer:
    """For calls that return when their kernels are in the current stream."""

    def queued(self, call: Call, calls: int, head_start: float) -> float:
        """Time by events; the stream spins for `head_start` seconds while Python fills it."""
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda._sleep(int(head_start * CYCLES_PER_SECOND))
        start.record()
        for _ in range(calls):
            call()
        stop.record()
        stop.synchronize()
        return 1e-3 * start.elapsed_time(stop) / calls

    def single(self, call: Call) -> float:
        """Until the device is idle again."""
        torch.cuda.synchronize()
        start = time.perf_counter()
        call()
        torch.cuda.synchronize()
        return time.perf_counter() - start

    def cold(self, call: Call) -> float:
        """By events; Python is ahead of the device, which writes other memory meanwhile."""
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda._sleep(int(HEAD_START * CYCLES_PER_SECOND))
        _flush("cuda").zero_()
        start.record()
        call()
        stop.record()
        stop.synchronize()
        return 1e-3 * start.elapsed_time(stop)


@functools.cache
def _flush(device: str) -> torch.Tensor:
    return torch.empty(FLUSH, dtype=torch.uint8, device=device)


def captured(once: Callable[[], Result]) -> Callable[[], Result]:
    """Capture a call in a CUDA graph; each replay writes its results where the first ones were."""
    side, current = torch.cuda.Stream(), torch.cuda.current_stream()
    side.wait_stream(current)
    with torch.cuda.stream(side):  # libraries allocate and choose in their first calls
        for _ in range(3):
            once()
    current.wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = once()

    def replay() -> Result:
        graph.replay()
        return results

    return replay


@dataclass(frozen=True)
class Target:
    """A device to measure. `rivals` is the setting of those that run there (rivals.py)."""

    device: str
    timer: Timer
    rivals: str = ""
    capture: Callable[[Callable[[], Result]], Callable[[], Result]] | None = None


CPU = Target("cpu", HostTimer())
GPU = Target("cuda", CudaTimer(), "GPU", captured)
