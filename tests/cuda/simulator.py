"""The launchers of csrc/cuda on the simulated GPU: the Python side of `driver.cpp`."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from tests.cuda.toolchain import ENVIRONMENT, Program

ORDERS = ("ascending", "descending", "random")
MISUSE = 70  # kMisuse of shim/report.h
SECONDS = 10  # for one case, which takes milliseconds


@dataclass(frozen=True)
class Device:
    """One small enough that every loop over the grid turns at least twice."""

    multiprocessors: int = 1
    threads_per_multiprocessor: int = 1
    grid_x: int = 2
    grid_y: int = 3


@dataclass(frozen=True)
class Case:
    """A launch. Rows, entries and columns are numbered from `first_row`, ... on."""

    matrix: sp.csr_array
    x: np.ndarray  # (columns, k)
    y: np.ndarray | None = None  # (rows, k): the sampled product of y and x
    perm: np.ndarray | None = None  # of a product: entry e has the value matrix.data[perm[e]]
    device: Device = field(default_factory=Device)
    first_row: int = 0
    first_entry: int = 0
    first_column: int = 0
    first_block: int = 0  # those before it do not run
    failing_call: int = 0  # the number, from 1 on, of the call of CUDA that fails; 0: none does


class Launch(NamedTuple):
    """What a launcher returned and asked for; the shape is that of its last launch."""

    error: int  # cudaError_t
    calls: int  # of CUDA
    launches: int
    on_given_stream: bool
    grid_x: int
    grid_y: int
    threads: int


class Caught(Exception):
    """What a case was found out by: "error" (CUDA's, returned or not), "launches" (too many or too
    few), "stream" (another than the given one), or, where it ended its process, "misuse",
    "address", "thread", "crash" or "timeout"."""

    def __init__(self, by: str, message: str) -> None:
        super().__init__(message)
        self.by = by


def cause_of_death(status: int, stderr: str, killed: bool) -> str:
    if killed:
        return "timeout"
    if status == MISUSE:
        return "misuse"
    if "ThreadSanitizer: data race" in stderr:
        return "thread"
    if "AddressSanitizer" in stderr or "runtime error:" in stderr:
        return "address"
    return "crash"


class Simulator:
    """A process that runs one case after the other, and a new one after one that ended it."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, case: Case, scalar, index, order="ascending", seed=0) -> np.ndarray:
        """(rows, k), or (nnz,) for a sampled product; NaN where the kernel has not written."""
        launch, result = self.launch(case, scalar, index, order, seed)
        if launch.error:
            raise Caught("error", f"the launch returned cudaError_t {launch.error}")
        if launch.launches != (result.size > 0):
            raise Caught("launches", f"{launch.launches} launches for {result.size} results")
        if launch.launches and not launch.on_given_stream:
            raise Caught("stream", "the launch is on another stream than the given one")
        return result

    def launch(
        self, case: Case, scalar, index, order="ascending", seed=0
    ) -> tuple[Launch, np.ndarray]:
        """The same, and whatever CUDA was asked for and said."""
        rows, columns = case.matrix.shape
        nnz, k = case.matrix.nnz, case.x.shape[1]
        sampled, device = case.y is not None, case.device
        header = [
            sampled, np.dtype(scalar).itemsize, np.dtype(index).itemsize,
            rows, columns, nnz, k,
            case.perm is not None, case.first_row, case.first_entry, case.first_column,
            device.multiprocessors, device.threads_per_multiprocessor, device.grid_x, device.grid_y,
            ORDERS.index(order), seed, case.first_block, case.failing_call,
        ]  # fmt: skip
        arrays = [
            np.array(header, dtype=np.int64),
            (case.matrix.indptr.astype(np.int64) + case.first_entry).astype(index),
            (case.matrix.indices.astype(np.int64) + case.first_column).astype(index),
            None if sampled else case.matrix.data.astype(scalar),
            None if case.perm is None else (case.perm + case.first_entry).astype(index),
            None if case.y is None else case.y.astype(scalar),
            case.x.astype(scalar),
        ]
        shape = (nnz,) if sampled else (rows, k)
        request = b"".join(array.tobytes() for array in arrays if array is not None)
        said = np.dtype((np.int64, len(Launch._fields)))
        size = int(np.prod(shape)) * np.dtype(scalar).itemsize
        reply = self._exchange(request, said.itemsize + size)
        launch = Launch(*np.frombuffer(reply, said, 1)[0].tolist())
        return launch, np.frombuffer(reply[said.itemsize :], dtype=scalar).reshape(shape)

    def _exchange(self, request: bytes, size: int) -> bytes:
        if self._process is None:
            self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 (as long as the process)
            self._process = subprocess.Popen(
                self._program.command, env=ENVIRONMENT, stderr=self._stderr,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
        timer = threading.Timer(SECONDS, self._process.kill)
        timer.start()
        try:
            self._process.stdin.write(request)
            self._process.stdin.flush()
            reply = self._process.stdout.read(size)
        except BrokenPipeError:
            reply = b""
        killed = not timer.is_alive()
        timer.cancel()
        if len(reply) == size:
            return reply
        raise self._died(killed)

    def _died(self, killed: bool) -> Caught:
        status = self.close()
        self._stderr.seek(0)
        stderr = self._stderr.read().decode(errors="replace")
        by = cause_of_death(status, stderr, killed)
        return Caught(by, stderr or f"exit status {status}")

    def close(self) -> int:
        """Its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.communicate()
        return process.returncode
