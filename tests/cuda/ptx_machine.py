"""Runs a kernel of PTX on the CPU: all threads of all blocks, those at the same place together.

Each thread has its own place in the code and its own registers. The rearmost threads go first; a
warp collective waits for the lanes of its mask, as on hardware since Volta. What a GPU leaves
undefined is a `Fault`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.cuda.ptx_arithmetic import DTYPES
from tests.cuda.ptx_fault import Fault
from tests.cuda.ptx_memory import Memory
from tests.cuda.ptx_parser import Kernel
from tests.cuda.ptx_steps import steps

WARP = 32
GARBAGE = 0xA5A5_A5A5_A5A5_A5A5  # in registers that nobody has written yet


class Run:
    """A launch under way.

    `arguments` are the kernel's parameters as bytes, structs laid out as the ABI wants them; `grid`
    counts blocks along x and y, `threads` one block's, a multiple of 32. `blocks`, if given, are
    the only ones that run, by number (x + y * grid[0]): the others of a huge grid.
    """

    def __init__(
        self,
        kernel: Kernel,
        arguments: Sequence[bytes],
        grid: tuple[int, int],
        threads: int,
        memory: Memory,
        blocks: Sequence[int] | None = None,
    ):
        sizes = [len(each) for each in arguments]
        if sizes != list(kernel.parameters.values()):
            wanted = list(kernel.parameters.values())
            raise TypeError(f"{kernel.name} takes parameters of {wanted} bytes, got {sizes}")
        if threads % WARP != 0:
            raise ValueError(f"a block has a multiple of {WARP} threads, got {threads}")
        self.kernel, self.memory, self.steps = kernel, memory, steps(kernel)
        self.parameters = dict(zip(kernel.parameters, arguments, strict=True))
        numbers = np.arange(grid[0] * grid[1]) if blocks is None else np.array(blocks)
        count = len(numbers) * threads
        self.blocks = np.repeat(np.arange(len(numbers)), threads)
        y, x = np.divmod(np.repeat(numbers, threads), grid[0])
        zero, one = np.zeros(count, int), np.ones(count, int)
        self.special = {
            "%tid.x": np.tile(np.arange(threads), len(numbers)), "%tid.y": zero,
            "%ntid.x": threads * one, "%ntid.y": one, "%ctaid.x": x, "%ctaid.y": y,
            "%nctaid.x": grid[0] * one, "%nctaid.y": grid[1] * one,
        }  # fmt: skip
        self.special = {name: each.astype(np.uint32) for name, each in self.special.items()}
        self.shared = Memory(kernel.shared, copies=len(numbers))
        garbage = np.full(count, GARBAGE, dtype=np.uint64)
        self.registers = {
            name: garbage.astype(DTYPES[width]) for name, width in kernel.registers.items()
        }
        self.epochs = np.zeros(count, dtype=np.int64)
        self.places = np.zeros(count, dtype=np.int64)
        collectives = [step.mask is not None for step in self.steps]
        self.waits = np.array([*collectives, True])  # at a collective, or at the end
        self.stops = self.waits.copy()
        self.stops[list(kernel.labels.values())] = True

    def finish(self, limit: int = 20_000) -> None:
        """To the end of all threads; a Fault after `limit` straight pieces of code."""
        with np.errstate(all="ignore"):
            for _ in range(limit):
                ready = ~self.waits[self.places]
                if ready.any():
                    place = int(self.places[ready].min())
                    self._advance(place, np.flatnonzero(self.places == place))
                elif not self._meet():
                    return
        raise Fault(f"{self.kernel.name}: no end after {limit} pieces of code")

    def _advance(self, place: int, threads: np.ndarray) -> None:
        """As far as these threads are sure to stay together."""
        while True:
            step = self.steps[place]
            active = threads
            if step.guard is not None:
                active = threads[np.broadcast_to(step.guard(self, threads), threads.shape)]
            place += 1
            if len(active) or step.target is not None:
                self.kernel.executed.add(place - 1)
            if step.target is not None:
                self.places[threads] = place
                self.places[active] = step.target
                return
            self._execute(place - 1, active)
            if self.stops[place]:
                self.places[threads] = place
                return

    def _execute(self, place: int, threads: np.ndarray) -> None:
        step = self.steps[place]
        try:
            if len(threads):
                step.execute(self, threads)
        except Fault as fault:
            raise self._fault(place, threads[fault.item], str(fault)) from None

    def _meet(self) -> bool:
        """Every collective whose lanes are all there; False when all threads have ended."""
        end = len(self.steps)
        waiting = sorted(set(self.places.tolist()) - {end})
        met = False
        for place in waiting:
            ready = self._complete(place, np.flatnonzero(self.places == place))
            if len(ready):
                self._execute(place, ready)
                self.kernel.executed.add(place)
                self.places[ready] = place + 1
                met = True
        if waiting and not met:
            raise self._stuck(waiting[0])
        return met

    def _masks(self, place: int, threads: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.steps[place].mask(self, threads), threads.shape)

    def _complete(self, place: int, threads: np.ndarray) -> np.ndarray:
        """Those whose whole mask waits at the same collective, with the same mask."""
        masks = self._masks(place, threads)
        bits = np.uint32(1) << (threads % WARP).astype(np.uint32)
        if not (masks & bits).all():
            raise self._fault(place, threads[(masks & bits).argmin()], "is not in its own mask")
        ready = []
        for mask in np.unique(masks):
            asking = threads[masks == mask]
            there = np.zeros(len(self.places) // WARP, dtype=np.uint32)
            np.bitwise_or.at(there, asking // WARP, bits[masks == mask])
            ready.append(asking[mask & ~there[asking // WARP] == 0])
        return np.concatenate(ready)

    def _stuck(self, place: int) -> Fault:
        """Says what keeps the first thread that waits at `place`."""
        thread = np.flatnonzero(self.places == place)[0]
        mask = self._masks(place, np.array([thread]))[0]
        missing = []
        for lane in range(WARP):
            other = thread - thread % WARP + lane
            there = int(self.places[other])
            if not mask >> lane & 1:
                continue
            if there == len(self.steps):
                missing.append(f"lane {lane} has exited")
            elif there != place:
                missing.append(f"lane {lane} waits at line {self.steps[there].instruction.line}")
            elif (own := self._masks(there, np.array([other]))[0]) != mask:
                missing.append(f"lane {lane} has the mask {own:#x}")
        return self._fault(place, thread, f"waits forever, mask {mask:#x}: {', '.join(missing)}")

    def _fault(self, place: int, thread: int, message: str) -> Fault:
        at = self.steps[place].instruction
        return Fault(f"{self.kernel.name}, line {at.line}, `{at.text}`, thread {thread}: {message}")
