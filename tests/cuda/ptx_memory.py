"""Named buffers at made-up addresses; every access is checked: bounds, alignment, leave, races."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from tests.cuda.ptx_fault import Fault
from tests.cuda.ptx_races import Access, Races

GLOBAL = 0x7_1000_0000_0000  # so that an address computed in 32 bits is out of bounds
PAGE = 4096


class Who(NamedTuple):
    """The threads that execute an instruction: one number each."""

    threads: np.ndarray
    epochs: np.ndarray  # barriers passed
    copies: np.ndarray | int = 0  # which copy of the memory is theirs


class Memory:
    """Buffers with unmapped room between them; `copies` of them all for shared memory, where each
    block sees its own at the same addresses. Filled with bytes of ones: floats are NaN, indices -1.
    """

    def __init__(self, sizes: Mapping[str, int], base: int = 0, copies: int = 1):
        spans = [(size // PAGE + 2) * PAGE for size in sizes.values()]
        *starts, self._pitch = accumulate(spans, initial=PAGE)
        self._base = base
        self._names = list(sizes)
        self._start = np.array(starts, dtype=np.uint64) + np.uint64(base)
        self._size = np.array([*sizes.values()], dtype=np.uint64)
        self._writable = np.ones(len(sizes), dtype=bool)
        self._bytes = np.full(self._pitch * copies, 0xFF, dtype=np.uint8)
        self._races = Races(len(self._bytes))
        self.address = {name: base + start for name, start in zip(sizes, starts, strict=True)}

    @classmethod
    def holding(cls, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, int]) -> Memory:
        """Global memory: inputs that no thread may write, and outputs of so many bytes."""
        memory = cls({name: array.nbytes for name, array in inputs.items()} | outputs, GLOBAL)
        for i, (name, array) in enumerate(inputs.items()):
            memory.array(name, array.dtype)[:] = array.ravel()
            memory._writable[i] = False
        return memory

    def array(self, name: str, dtype: np.dtype) -> np.ndarray:
        """The contents of a buffer, flat; of the first copy."""
        start = self.address[name] - self._base
        return self._bytes[start : start + int(self._size[self._names.index(name)])].view(dtype)

    def load(
        self, addresses: np.ndarray, dtype: np.dtype, count: int, who: Who, constant: bool
    ) -> np.ndarray:
        """`count` neighbours from each address on: (addresses, count).

        `constant` (ld.global.nc) promises that nobody writes there while the kernel runs.
        """
        writable = self._writable[self._buffers(addresses, dtype.itemsize * count)]
        if constant and writable.any():
            raise Fault("an output is read as a constant", writable.argmax())
        items = self._items(addresses, dtype, count, who)
        if writable.any():
            size = dtype.itemsize
            self._races.read(Access.to(items * size, size, who.threads, who.epochs))
        return self._bytes.view(dtype)[items]

    def store(self, addresses: np.ndarray, values: np.ndarray, who: Who) -> None:
        """`values` (addresses, count), of the type that they are stored in."""
        size, count = values.dtype.itemsize, values.shape[1]
        buffer = self._buffers(addresses, size * count)
        if not self._writable[buffer].all():
            i = self._writable[buffer].argmin()
            raise Fault(f"a write to the input {self._names[buffer[i]]}", i)
        items = self._items(addresses, values.dtype, count, who)
        self._races.write(Access.to(items * size, size, who.threads, who.epochs))
        self._bytes.view(values.dtype)[items] = values

    def _buffers(self, addresses: np.ndarray, size: int) -> np.ndarray:
        """Which buffer each access of `size` bytes is in."""
        buffer = np.searchsorted(self._start, addresses, side="right") - 1
        place = addresses - self._start[buffer]
        outside = (buffer < 0) | (place >= self._size[buffer])
        outside |= self._size[buffer] - place < np.uint64(size)
        if outside.any():
            i = outside.argmax()
            near = "before all buffers"
            if buffer[i] >= 0:
                near = f"byte {place[i]} of {self._names[buffer[i]]}, of {self._size[buffer[i]]}"
            raise Fault(f"{size} bytes at {addresses[i]:#x} are out of bounds: {near}", i)
        misaligned = addresses % np.uint64(size) != 0
        if misaligned.any():
            i = misaligned.argmax()
            raise Fault(f"{size} bytes at {addresses[i]:#x} are misaligned", i)
        return buffer

    def _items(self, addresses: np.ndarray, dtype: np.dtype, count: int, who: Who) -> np.ndarray:
        """Places in `_bytes`, seen as an array of `dtype`."""
        places = (addresses - np.uint64(self._base)).astype(np.int64) + self._pitch * who.copies
        return places[:, None] // dtype.itemsize + np.arange(count)
