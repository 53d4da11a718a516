"""A stopwatch that runs during training and stands still during everything else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Clock:
    """Seconds spent inside `running`, with a GPU's queue emptied at both ends.

    Examples
    --------
    >>> clock = Clock(torch.device("cpu"))
    >>> with clock.running():
    ...     pass
    >>> clock.seconds >= 0.0
    True
    """

    def __init__(self, device: torch.device, seconds: float = 0.0) -> None:
        self._device = device
        self.seconds = seconds

    def _now(self) -> float:
        if self._device.type == "cuda":  # kernels are only queued when Python returns
            torch.cuda.synchronize(self._device)
        return time.perf_counter()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time of the block."""
        start = self._now()
        try:
            yield
        finally:
            self.seconds += self._now() - start
