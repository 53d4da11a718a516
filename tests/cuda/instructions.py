"""What the instructions of a compiled kernel must not do.

Two things spoil a kernel, and no comparison with a tolerance shows them for certain: arithmetic in
another precision than that of its data (a ``1.0f`` in fp64 code), and atomics, whose order changes
from run to run. Both are plain in what the compiler wrote: in the machine code, or in PTX where
there is no disassembler. In PTX a function that was not inlined is not looked into.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """How to read what the compiler wrote. Patterns of instructions start at their opcode."""

    name: str
    kernel: str  # the line that starts one; captures its name
    instruction: str  # a line that holds one; captures it without its predicate
    atomic: str
    # What a kernel computes in if it holds one of these, by the word of a signature that allows it.
    precisions: dict[str, str]
    # Where the first of a pair is in a kernel, the second is no arithmetic on the kernel's data.
    innocent: dict[str, str]

    def kernels(self, listing: str) -> dict[str, list[str]]:
        """Mangled name of each kernel -> its instructions, in order."""
        _, *parts = re.split(self.kernel, listing, flags=re.MULTILINE)
        return {
            name: re.findall(self.instruction, body, flags=re.MULTILINE)
            for name, body in zip(parts[::2], parts[1::2], strict=True)
        }

    def faults(self, signature: str, instructions: list[str]) -> list[str]:
        """Atomics, and arithmetic in a precision that the demangled signature does not name."""

        def hits(pattern: str, among: list[str]) -> list[str]:
            return [each for each in among if re.match(pattern, each)]

        forbidden = {
            f"{word} arithmetic": pattern
            for word, pattern in self.precisions.items()
            if not re.search(rf"\b{word}\b", signature)
        }
        rest = instructions
        for sign, excused in self.innocent.items():
            if hits(sign, instructions):
                rest = [each for each in rest if not re.match(excused, each)]
        found = {"atomics": hits(self.atomic, instructions)}
        found |= {fault: hits(pattern, rest) for fault, pattern in forbidden.items()}
        return [
            f"{fault}: {culprits[0]} ({len(culprits)} such in its {self.name})"
            for fault, culprits in found.items()
            if culprits
        ]


# A comparison or a choice (FSETP, FSEL) rounds nothing, and fp64 division uses them on the upper
# halves of doubles: they are not looked for. What feeds them in another precision is.
CONVERSION = r"U?(I2FP?|F2IP?|F2FP?|FRND)\b"
MACHINE_CODE = Language(
    name="machine code",
    kernel=r"^\.text\.(\w+):$",
    instruction=r"^\s+/\*[0-9a-f]{4,}\*/\s+(?:@!?\w+\s+)?([A-Z][^;]*?)\s*;",
    atomic=r"(ATOM[SG]?|REDG?|SUATOM|SURED|UBLKRED|UTMAREDG)\b",  # not REDUX: no memory, exact
    precisions={
        "double": r"D(ADD|MUL|FMA|SETP|MNMX|MMA)\b|MUFU\.\w+64H|\S*\.F64",
        "float": rf"U?F(ADD|MUL|FMA|MNMX|SWZADD|CHK)\w*\b|MUFU(?!\.\w+64H)"
        rf"|{CONVERSION}(?!\S*\.F64)|{CONVERSION}\S*\.F32",
        "half": r"U?H(ADD|MUL|FMA|MNMX)2\b|[HQO]MMA\b",
    },
    innocent={
        # How constants and halves of doubles are moved: a product with the zero register.
        "": r"U?[FH]FMA2?(\.\w+)* \w+, ([^,]+, )?-?U?RZ\b",
        # Integers are divided through an estimate of the reciprocal, corrected in integers. Its
        # conversion rounds up, as no cast in C++ does.
        r"U?I2F\S*\.RP": r"U?I2F\S*\.RP|MUFU\.RCP |U?F2I(?!\S*\.F64)\S*\.TRUNC",
    },
)
MOVES = r"(ld|ldu|st|mov|selp)\."
PTX = Language(
    name="PTX",
    kernel=r"^.*\.(?:entry|func)\b.*\s(\w+)\(.*$",
    instruction=r"^\s*(?:@!?%\w+\s+)?([a-z]\w*\.[^;]*);",
    atomic=r"(atom|red|multimem|cp\.reduce)\b",
    precisions={
        "double": r"\S*\.f64",
        "float": r"\S*\.f32",
        "half": r"\S*\.(b?f16|[eus]\d+m\d+)",
    },
    innocent={"": MOVES},
)
