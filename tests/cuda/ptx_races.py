"""Races on memory, found in any one schedule: by what orders two accesses, not by when they ran.

Two threads of a warp may touch the same place, one of them writing, only if a `bar.warp.sync` lies
between; threads of different warps never may. Every thread counts the barriers that it has passed:
its epoch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tests.cuda.ptx_fault import Fault

WORD = 4  # bytes that share one record; no access is smaller
NOBODY, SEVERAL = -1, -2


class Access(NamedTuple):
    """One row for each word that is touched."""

    words: np.ndarray
    threads: np.ndarray
    epochs: np.ndarray
    items: np.ndarray  # which thread of the instruction

    @classmethod
    def to(cls, places: np.ndarray, size: int, threads: np.ndarray, epochs: np.ndarray) -> Access:
        """Bytes from `places` (threads, count) on, `size` of them each."""
        words = (places[:, :, None] // WORD + np.arange(size // WORD)).reshape(len(places), -1)
        items = np.repeat(np.arange(len(places)), words.shape[1])
        return cls(words.ravel(), threads[items], epochs[items], items)


class Races:
    """Who wrote and who read each word last, and in which epoch."""

    def __init__(self, size: int):
        self._writer = np.full(size // WORD, NOBODY)
        self._reader = np.full(size // WORD, NOBODY)
        self._written = np.zeros(size // WORD, dtype=np.int64)
        self._read = np.zeros(size // WORD, dtype=np.int64)

    def read(self, access: Access) -> None:
        self._compare(access, "reads what {} wrote", self._writer, self._written)
        words, threads, epochs, _ = access
        before, age = self._reader[words], self._read[words]
        self._reader[words], self._read[words] = threads, epochs
        alone = (before == threads) | (before == NOBODY) | (age < epochs)
        together = ~alone | (self._reader[words] != threads)  # before, or in this very step
        self._reader[words[together]] = SEVERAL

    def write(self, access: Access) -> None:
        self._compare(access, "writes what {} wrote", self._writer, self._written)
        self._compare(access, "writes what {} read", self._reader, self._read)
        self._writer[access.words], self._written[access.words] = access.threads, access.epochs
        self._compare(access, "writes what {} writes", self._writer, self._written)
        self._reader[access.words] = NOBODY

    @staticmethod
    def _compare(access: Access, what: str, other: np.ndarray, when: np.ndarray) -> None:
        others, same_warp = other[access.words], other[access.words] // 32 == access.threads // 32
        later = when[access.words] < access.epochs
        ordered = later & (same_warp | (others == SEVERAL))
        race = (others != NOBODY) & (others != access.threads) & ~ordered
        if race.any():
            i = race.argmax()
            who = "several threads" if others[i] == SEVERAL else f"thread {others[i]}"
            raise Fault(f"race: {what.format(who)}, with no barrier between", access.items[i])
