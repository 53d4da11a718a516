"""PTX as nvcc prints it, one statement a line, into kernels that `ptx_machine` can run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

ENTRY = re.compile(r"(?:\.(?:visible|weak)\s+)?\.entry\s+([\w$]+)\($")
PARAMETER = re.compile(
    r"\.param\s+(?:\.align\s+\d+\s+)?\.([a-z]+)(\d+)\s.*?([\w$]+)(?:\[(\d+)\])?,?$"
)
SHARED = re.compile(r"\.shared\s+\.align\s+\d+\s+\.b8\s+([\w$]+)\[(\d+)\];$")
REGISTERS = re.compile(r"\.reg\s+\.(pred|[bfsu](?:16|32|64))\s+(%\w+)<(\d+)>;$")
LABEL = re.compile(r"([\w$]+):$")
INSTRUCTION = re.compile(r"(?:@(!?)(%\w+)\s+)?([a-z][\w.]*)\s*(.*);$")
TYPE = re.compile(r"[bfsu](?:16|32|64)|pred")
# Say nothing about what is computed.
IGNORED = re.compile(r"\.(?:version|target|address_size|maxntid)\s|\.pragma\s+\"nounroll\";$")


@dataclass(frozen=True)
class Instruction:
    """One line: `@!%p1 mul.wide.s32 %rd1, %r2, 8;` is head `mul.wide`, types `(s32,)`."""

    line: int
    text: str
    head: str
    types: tuple[str, ...]
    operands: tuple[str, ...]
    predicate: str | None
    negated: bool

    def unknown(self) -> NotImplementedError:
        return NotImplementedError(
            f"line {self.line}: `{self.text}`: not in the interpreter's instruction set; add it"
        )


@dataclass(eq=False)
class Kernel:
    name: str
    parameters: dict[str, int] = field(default_factory=dict)  # bytes, in order
    shared: dict[str, int] = field(default_factory=dict)  # bytes
    registers: dict[str, str] = field(default_factory=dict)  # pred, b32 or b64
    code: list[Instruction] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)  # place in the code
    executed: set[int] = field(default_factory=set)  # places that a thread has been at, in any run

    def never_executed(self) -> list[Instruction]:
        return [each for i, each in enumerate(self.code) if i not in self.executed]


def parse(text: str) -> dict[str, Kernel]:
    """Kernels by mangled name. Raises NotImplementedError at anything it does not know."""
    kernels: dict[str, Kernel] = {}
    kernel = None
    depth = 0
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.split("//")[0].strip()
        if not line or line in "()" or IGNORED.match(line):
            continue
        if match := ENTRY.match(line):
            kernel = kernels[match[1]] = Kernel(match[1])
        elif line in "{}":
            depth += 1 if line == "{" else -1
            if depth > 1:  # would need registers that live in a scope
                raise NotImplementedError(f"line {number}: a scope within a kernel")
        elif kernel is None or not declare(kernel, line):
            if depth == 0:
                raise NotImplementedError(f"line {number}: `{line}`: unknown outside of a kernel")
            kernel.code.append(instruction(number, line))
    return kernels


def declare(kernel: Kernel, line: str) -> bool:
    """Takes a parameter, a shared array, registers or a label; False if the line is none."""
    if match := PARAMETER.match(line):
        kernel.parameters[match[3]] = int(match[2]) // 8 * int(match[4] or 1)
    elif match := SHARED.match(line):
        kernel.shared[match[1]] = int(match[2])
    elif match := REGISTERS.match(line):
        width = match[1] if match[1] == "pred" else f"b{match[1][1:]}"
        kernel.registers |= {f"{match[2]}{i}": width for i in range(int(match[3]))}
    elif match := LABEL.match(line):
        kernel.labels[match[1]] = len(kernel.code)
    else:
        return False
    return True


def instruction(number: int, line: str) -> Instruction:
    match = INSTRUCTION.match(line)
    if match is None:
        raise NotImplementedError(f"line {number}: `{line}`: neither declaration nor instruction")
    parts = match[3].split(".")
    types = tuple(part for part in parts if TYPE.fullmatch(part))
    head = ".".join(part for part in parts if not TYPE.fullmatch(part))
    # Commas within braces or brackets separate no operands.
    operands = tuple(re.findall(r"\{[^}]*\}|\[[^\]]*\]|[^\s,]+", match[4]))
    return Instruction(number, line, head, types, operands, match[2], match[1] == "!")
