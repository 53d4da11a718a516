"""Bugs that kernels of this kind tend to have, as replacements of text in csrc/cuda."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.cuda.toolchain import KERNELS

# The kernel that a file is about, as `battery` names it; "" for all.
VECTOR, COLUMNS, SAMPLED, WARP, LAUNCH = (
    "product_vector.cuh", "product_columns.cuh", "sampled.cuh", "warp.cuh", KERNELS.name,
)  # fmt: skip
KERNEL = {VECTOR: "vector", COLUMNS: "columns", SAMPLED: "sampled", WARP: "", LAUNCH: ""}


@dataclass(frozen=True)
class Bug:
    """`old`, which occurs once in `file`, becomes `new`; a `build` has to see it as `caught_by`."""

    name: str
    file: str
    old: str
    new: str
    caught_by: str
    build: str = "plain"

    @property
    def kernel(self) -> str:
        return KERNEL[self.file]

    def seed(self, place: Path) -> Path:
        """A copy of the sources with the bug in it, for float64 and int32 alone; its csr.cu."""
        shutil.copytree(KERNELS.parent.parent, place)
        target, main = place / "cuda" / self.file, place / "cuda" / KERNELS.name
        text = target.read_text()
        if text.count(self.old) != 1:
            raise LookupError(
                f"{self.name}: {self.old!r} has to occur once in csrc/cuda/{self.file} and occurs "
                f"{text.count(self.old)} times; bring this table up to date with the kernels"
            )
        target.write_text(text.replace(self.old, self.new))
        instances = r"^DTPINN_INSTANTIATE\((?!double, std::int32_t\)).*\n"
        main.write_text(re.sub(instances, "", main.read_text(), flags=re.MULTILINE))
        return main


CHUNK_IS_THERE = "__syncwarp();  // the chunk is there"
HAS_BEEN_READ = "__syncwarp();  // it has been read: the next one may come"
REDUCE_COLUMNS = "sum = sum_over_subwarp<kWarp, tile>(sum);"
STORE_COLUMNS = "if (part == 0 && column < k) y[row * k + column] = sum;"
LAUNCHED = "return cudaLaunchKernelEx(&config, kernel, arguments...);"
ASKED = (
    "DeviceLimits device;\n"
    "    if (const auto error = current_device(device); error != cudaSuccess) return error;"
)
NOT_ASKED = "DeviceLimits device;\n    current_device(device);"
NO_ROWS, NO_ENTRIES = (
    f"if (A.rows == 0 || {nothing} == 0) return cudaSuccess;\n    " for nothing in ("k", "nnz")
)
STORE_SAMPLED = "if (e < stop && part % threads_per_entry == 0) out[e] = sum;"

BUGS = [
    # Barriers and collectives.
    Bug("a chunk is read before it is there", COLUMNS, CHUNK_IS_THERE, "", "crash"),
    Bug("a chunk is overwritten while it is read", COLUMNS, HAS_BEEN_READ, "", "values"),
    Bug("nobody waits for readers of a chunk", COLUMNS, HAS_BEEN_READ, "", "thread", "thread"),
    Bug("a mask of half a warp", WARP, "kAllLanes = 0xffffffffu", "kAllLanes = 0xffffu", "misuse"),
    Bug("lanes without a row leave before the sum", VECTOR, "Scalar sum = 0;",
        "Scalar sum = 0; if (row >= A.rows) return;", "misuse"),
    Bug("lanes without an entry skip the sum", SAMPLED,
        "sum = sum_over_subwarp<threads_per_entry>(sum);",
        "if (e < stop) sum = sum_over_subwarp<threads_per_entry>(sum);", "misuse"),
    # Sums.
    Bug("a shuffle within half the sub-warp", WARP, "distance, width)",
        "distance, (width + 1) / 2)", "values"),
    Bug("a sum that starts at a quarter", WARP, "distance = width / 2", "distance = width / 4",
        "values"),
    Bug("a sum that stops too early", WARP, "distance >= stride", "distance > stride", "values"),
    Bug("parts of a warp take the same entries", COLUMNS, "chunk + part;", "chunk;", "values"),
    Bug("a sum that starts from nothing", VECTOR, "Scalar sum = 0;", "Scalar sum;", "values"),
    Bug("a permutation forgotten for one vector", VECTOR, "perm ? perm[next] : next", "next",
        "values"),
    Bug("a permutation forgotten for columns", COLUMNS, "perm ? perm[e] : e", "e", "values"),
    # Bounds.
    Bug("one entry too many", VECTOR, "if (next < stop)", "if (next <= stop)", "address",
        "address"),
    Bug("rows past the last are read", VECTOR, "if (row < A.rows) {", "{", "address", "address"),
    Bug("rows past the last are written", VECTOR, "if (part == 0 && row < A.rows)",
        "if (part == 0)", "address", "address"),
    Bug("columns past the last are read", COLUMNS, "if (column < k) {", "{", "address", "address"),
    Bug("columns past the last are written", COLUMNS, "if (part == 0 && column < k)",
        "if (part == 0)", "address", "address"),
    Bug("entries past the last are written", SAMPLED, STORE_SAMPLED,
        "if (part % threads_per_entry == 0) out[e] = sum;", "crash"),
    Bug("a chunk is used beyond what was put there", COLUMNS,
        "count = stop - staged < kWarp ? static_cast<int>(stop - staged) : kWarp", "count = kWarp",
        "crash"),
    Bug("the last entry of a chunk is not put there", COLUMNS, "if (e < stop) {",
        "if (e + 1 < stop) {", "crash"),
    Bug("more chunks than there is room for", COLUMNS, "chunks[threadIdx.x / kWarp]",
        "chunks[threadIdx.x / kWarp + 1]", "address", "address"),
    # 64 bits.
    Bug("places in x of 32 bits", COLUMNS, "static_cast<std::int64_t>(A.col[e]) * k",
        "A.col[e] * static_cast<int>(k)", "address", "address"),
    Bug("places in x of 32 bits, sampled", SAMPLED, "static_cast<std::int64_t>(A.col[e]) * k",
        "A.col[e] * static_cast<int>(k)", "address", "address"),
    Bug("a row's first entry of 32 bits", VECTOR, "const std::int64_t begin = A.crow[row], stop",
        "const Index begin = A.crow[row]; const std::int64_t stop", "address", "address"),
    Bug("entries of 32 bits", COLUMNS, "const std::int64_t e = staged + lane;",
        "const int e = static_cast<int>(staged + lane);", "crash"),
    Bug("places in y of 32 bits", COLUMNS, "y[row * k + column]",
        "y[static_cast<int>(row * k + column)]", "crash"),
    Bug("places in y of 32 bits, sampled", SAMPLED, "y + row * k", "y + static_cast<int>(row * k)",
        "crash"),
    Bug("a grid's warps of 32 bits", WARP,
        "static_cast<std::int64_t>(gridDim.x) * blockDim.x / kWarp",
        "gridDim.x * blockDim.x / kWarp", "timeout"),
    Bug("a warp's number of 32 bits", WARP,
        "(static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / kWarp",
        "(blockIdx.x * blockDim.x + threadIdx.x) / kWarp", "crash"),
    # Chunks of entries.
    Bug("a chunk for the first tile only", COLUMNS, "* k + first,", "* k,", "values"),
    Bug("a column's place in the row, not in the tile", COLUMNS, "operands + within)",
        "operands + column)", "values"),
    Bug("the same entries of a chunk again", COLUMNS, "next += ahead * parts;", "", "values"),
    Bug("as many entries for all parts of a warp", COLUMNS, "left = count - part;",
        "left = count;", "crash"),
    # What is asked of CUDA, and what it says.
    Bug("another stream", LAUNCH, "config.stream = stream;", "", "stream"),
    Bug("the launch's error swallowed", LAUNCH, LAUNCHED,
        LAUNCHED.removeprefix("return ") + " return cudaSuccess;", "error"),
    Bug("the device's error swallowed", LAUNCH, "    return error;\n}",
        "    return cudaSuccess;\n}", "error"),
    Bug("the device's error swallowed by the product", LAUNCH, NO_ROWS + ASKED,
        NO_ROWS + NOT_ASKED, "error"),
    Bug("the device's error swallowed by the sampled product", LAUNCH, NO_ENTRIES + ASKED,
        NO_ENTRIES + NOT_ASKED, "error"),
    Bug("an error forgotten for the next question", LAUNCH, "if (error == cudaSuccess) error =",
        "error =", "error"),
    Bug("limits of the grid swapped", LAUNCH, "threads, x, y}", "threads, y, x}", "misuse"),
    Bug("blocks along rows and columns swapped", LAUNCH,
        "dim3(static_cast<unsigned>(blocks_x), static_cast<unsigned>(blocks_y))",
        "dim3(static_cast<unsigned>(blocks_y), static_cast<unsigned>(blocks_x))", "error"),
    Bug("blocks of another size than counted on", LAUNCH, "static_cast<unsigned>(warps * kWarp)",
        "static_cast<unsigned>(2 * warps * kWarp)", "values"),
    Bug("a grid for no rows", LAUNCH, "A.rows == 0 || k == 0", "k == 0", "crash"),
    Bug("a launch for no columns", LAUNCH, "A.rows == 0 || k == 0", "A.rows == 0", "launches"),
    Bug("a permutation forgotten by the launcher", LAUNCH, "perm, x, y, k);", "nullptr, x, y, k);",
        "values"),
    # Who does what.
    Bug("rows that no warp takes", COLUMNS, "row += warps_in_grid()", "row += 2 * warps_in_grid()",
        "values"),
    Bug("rows that two warps take", COLUMNS, "row += warps_in_grid()",
        "row += warps_in_grid() - 1", "thread", "thread"),
    Bug("tiles that two blocks take", COLUMNS, "static_cast<std::int64_t>(gridDim.y) * tile",
        "tile", "thread", "thread"),
    Bug("all parts of a warp write one result", COLUMNS, STORE_COLUMNS,
        "if (column < k) y[row * k + column] = sum;", "thread", "thread"),
    Bug("partial sums added without atomics", COLUMNS, STORE_COLUMNS,
        "y[row * k] += 0 * sum;" + STORE_COLUMNS, "thread", "thread"),
]  # fmt: skip
