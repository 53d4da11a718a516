"""The interpreter of PTX: what each instruction computes, one at a time."""

from __future__ import annotations

import struct
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from tests.cuda.ptx_snippets import evaluate, run


@pytest.mark.parametrize(
    ("opcode", "types", "values", "kind", "wanted"),
    [
        ("add.s32", ["s32", "s32"], [2**31 - 1, 2], "s32", -(2**31) + 1),
        ("add.s64", ["s64", "s64"], [2**63 - 1, 2], "s64", -(2**63) + 1),
        ("sub.s64", ["u64", "u64"], [1, 2], "u64", 2**64 - 1),
        ("neg.s64", ["s64"], [5], "s64", -5),
        ("mul.lo.s64", ["s64", "s64"], [2**40 + 1, 2**40 + 3], "s64", 2**42 + 3),
        ("mul.wide.s32", ["s32", "s32"], [-3, 2**30], "s64", -3 * 2**30),
        ("mul.wide.u32", ["u32", "u32"], [2**32 - 1, 8], "u64", 2**35 - 8),
        ("mad.lo.s64", ["s64"] * 3, [-7, 2**33, 5], "s64", -7 * 2**33 + 5),
        ("mad.wide.s32", ["s32", "s32", "s64"], [-3, 2**30, -1], "s64", -3 * 2**30 - 1),
        ("min.s64", ["s64", "s64"], [-1, 1], "s64", -1),
        ("max.s64", ["s64", "s64"], [-1, 1], "s64", 1),
        ("max.u64", ["s64", "s64"], [-1, 1], "s64", -1),
        ("and.b64", ["u64", "u64"], [0b1100, 0b1010], "u64", 0b1000),
        ("or.b32", ["u32", "u32"], [0b1100, 0b1010], "u32", 0b1110),
        ("xor.b32", ["u32", "u32"], [0b1100, 0b1010], "u32", 0b0110),
        ("not.b32", ["u32"], [1], "u32", 2**32 - 2),
        ("shl.b64", ["u64", "u32"], [3, 63], "u64", 2**63),
        ("shl.b64", ["u64", "u32"], [3, 64], "u64", 0),
        ("shr.s64", ["s64", "u32"], [-8, 2], "s64", -2),
        ("shr.s64", ["s64", "u32"], [-8, 99], "s64", -1),
        ("shr.u32", ["u32", "u32"], [2**31, 31], "u32", 1),
        ("shr.u32", ["u32", "u32"], [2**31, 32], "u32", 0),
        ("mov.b32", ["f32"], [1.5], "f32", 1.5),
        ("add.f64", ["f64", "f64"], [1.0, 2**-53], "f64", 1.0),
        ("add.f32", ["f32", "f32"], [1.0, 2**-24], "f32", 1.0),
        ("add.rn.f32", ["f32", "f32"], [1.0, 3 * 2**-24], "f32", 1.0 + 2**-22),
        ("mul.rn.f64", ["f64", "f64"], [1e308, 10.0], "f64", np.inf),
    ],
)
def test_arithmetic(opcode, types, values, kind, wanted):
    assert evaluate(opcode, types, values, kind) == wanted


INTEGERS = {"u32": (32, 0), "s32": (32, 1), "u64": (64, 0), "s64": (64, 1)}


def as_integer(value: int, kind: str) -> int:
    """What the lower bits of a number are, read as an integer of this kind."""
    bits, signed = INTEGERS[kind]
    value %= 2**bits
    return value - 2**bits if signed and value >= 2 ** (bits - 1) else value


@pytest.mark.parametrize("into", ["s64", "s32"], ids="into_{}".format)
@pytest.mark.parametrize("held", ["s64", "s32"], ids="from_{}".format)
def test_every_conversion_of_integers_by_way_of_every_register(held, into):
    """From and to registers that are as wide as the instruction says, or wider."""
    for source, target in product(INTEGERS, repeat=2):
        if INTEGERS[source][0] > INTEGERS[held][0] or INTEGERS[target][0] > INTEGERS[into][0]:
            continue
        for value in (-5, 9, 2**31 + 7, -(2**31), 2**40 + 9, -(2**40) + 2**31 + 3):
            value = as_integer(value, held)
            wanted = as_integer(as_integer(as_integer(value, source), target), into)
            got = evaluate(f"cvt.{target}.{source}", [held], [value], into)
            assert got == wanted, (target, source, value)


@pytest.mark.parametrize(("kind", "scalar"), [("f64", np.float64), ("f32", np.float32)])
def test_a_fused_multiply_add_rounds_once(kind, scalar, rng):
    """No neighbour of the result is nearer to the exact one, also where the sum nearly cancels."""
    for _ in range(8):
        a, b = rng.standard_normal(2).astype(scalar)
        for c in (scalar(rng.standard_normal()), -a * b):
            got = scalar(evaluate(f"fma.rn.{kind}", [kind] * 3, [a, b, c], kind))
            exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
            for side in (-np.inf, np.inf):
                neighbour = Fraction(float(np.nextafter(got, scalar(side))))
                assert abs(Fraction(float(got)) - exact) <= abs(neighbour - exact)


@pytest.mark.parametrize(
    ("comparison", "wanted"),
    [("lt.s32", 1), ("lt.u32", 0), ("gt.u32", 1), ("eq.s32", 0), ("ne.s32", 1), ("ge.s32", 0)],
)
def test_comparisons_mind_the_sign(comparison, wanted):
    body = f"setp.{comparison} %p1, -1, 1;\nselp.b32 %r5, 1, 0, %p1;\nst.global.u32 [%rd1], %r5;"
    assert set(run(body, kind="u32")) == {wanted}


def test_predicates_combine_and_guard():
    body = """
    setp.ge.s32 %p1, %r1, 8;
    setp.lt.s32 %p2, %r1, 24;
    and.pred %p3, %p1, %p2;
    mov.u64 %rd5, 1;
    @%p3 mov.u64 %rd5, 2;
    not.pred %p4, %p3;
    @!%p4 add.s64 %rd5, %rd5, 1;
    st.global.u64 [%rd1], %rd5;
    """
    assert run(body).tolist() == [1] * 8 + [3] * 16 + [1] * 8


def test_registers_are_taken_apart_and_put_together():
    body = """
    ld.global.nc.u64 %rd5, [%rd2];
    mov.b64 {%r5, %r6}, %rd5;
    mov.b64 %rd6, {%r6,%r5};
    st.global.u64 [%rd1], %rd6;
    """
    assert run(body, struct.pack("<II", 7, 9))[3] == 7 * 2**32 + 9


def test_a_load_into_a_wider_register_takes_the_sign():
    body = "ld.global.nc.s32 %rd5, [%rd2+4];\nst.global.u64 [%rd1], %rd5;"
    assert run(body, struct.pack("<ii", 7, -9), kind="s64")[0] == -9
