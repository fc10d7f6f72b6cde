"""Sorting instructions, against what the assembler makes of their names."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.profile.programs import CPU, require
from tinyml_cli.profile.cycles import block_cost
from tinyml_cli.profile.thumb import Instruction, Kind, decode
from tinyml_cli.profile.trace import CodeBlock

# kind -> instructions of it
NAMES = {
    Kind.ALU: (
        "movs r0, #1; mov r8, r1; add r0, r1, r2, lsl #3; cmp r3, r4; nop; nop.w; "
        "ssat r0, #8, r1; bfi r0, r1, #2, #5; sxtb16 r0, r1; sxtab16 r0, r1, r2; "
        "pkhbt r0, r1, r2, lsl #16; clz r0, r1; sadd16 r0, r1, r2; sel r0, r1, r2; uxtb r0, r1; "
        "rev r0, r1; movw r0, #1234; adr r0, .+8"
    ),
    Kind.MULTIPLY: (
        "muls r0, r1, r0; mul r8, r1, r2; mla r0, r1, r2, r3; smlad r0, r1, r2, r3; "
        "smmulr r0, r1, r2; umull r0, r1, r2, r3; smlal r0, r1, r2, r3; smlalbb r0, r1, r2, r3; "
        "smulbb r0, r1, r2"
    ),
    Kind.DIVIDE: ("sdiv r0, r1, r2; udiv r0, r1, r2"),
    Kind.LOAD: (
        "ldr r0, [r1]; ldr r0, [r1, r2]; ldrsb r0, [r1, r2]; ldr r0, [sp, #8]; "
        "ldrb r0, [r1, #2]; ldr.w r9, [r1, #4]; ldr r0, [r1], #4; ldrsh r9, [r1, r2, lsl #1]; "
        "ldr r0, [pc, #8]; ldrexb r0, [r1]"
    ),
    Kind.STORE: (
        "str r0, [r1, #4]; strb r0, [r1, #1]; strh r0, [r1]; str r0, [sp, #4]; "
        "str.w r9, [r1, #40]; str r0, [r1], #4; strb r0, [r1, #-3]"
    ),
    Kind.STORE_INDEXED: (
        "str r0, [r1, r2]; strh r0, [r1, r2]; str.w r9, [r1, r2, lsl #2]; strb.w r9, [r1, r2]"
    ),
    Kind.LOAD_MULTIPLE: (
        "pop {r0-r3}; pop {r4, pc}; ldmia r0!, {r1-r3}; ldmdb r0, {r1, r9}; ldrd r0, r1, [r2]; "
        "pop {r4-r11, pc}; vldr s0, [r0]; vldr d0, [r0]; vpop {s16-s19}; vldmia r0!, {d0-d1}"
    ),
    Kind.STORE_MULTIPLE: (
        "push {r0-r3, lr}; stmia r0!, {r1, r2}; push {r4-r11}; strd r0, r1, [r2, #8]; "
        "vstr s0, [r0]; vpush {d8}; vstmia r0!, {s0-s3}"
    ),
    Kind.BRANCH: ("b .; b.w .; beq .; bne.w .; bl .; bx lr; blx r3; cbz r0, .+4; mov pc, r0"),
    Kind.TABLE_BRANCH: ("tbb [r0, r1]; tbh [r0, r1, lsl #1]"),
    Kind.SYSTEM: ("mrs r0, primask; msr primask, r0; dsb; isb; svc #1"),
    Kind.FLOAT: (
        "vadd.f32 s0, s1, s2; vmul.f32 s0, s1, s2; vcvt.s32.f32 s0, s1; vcmp.f32 s0, s1; "
        "vmov r0, s1; vmrs apsr_nzcv, fpscr; vabs.f32 s0, s1; vmov.f32 s0, #1.0; "
        "vneg.f32 s2, s3"
    ),
    Kind.FLOAT_PAIR: ("vmov r0, r1, d0; vmov s2, s3, r0, r1"),
    Kind.FLOAT_MULTIPLY_ADD: (
        "vmla.f32 s0, s1, s2; vfma.f32 s0, s1, s2; vfnms.f32 s0, s1, s2; vnmls.f32 s0, s1, s2"
    ),
    Kind.FLOAT_DIVIDE: ("vdiv.f32 s0, s1, s2; vsqrt.f32 s0, s1"),
}


def assemble(text: str, folder: Path) -> bytes:
    require("arm-none-eabi-gcc", "arm-none-eabi-objcopy")
    source, code = folder / "code.s", folder / "code.o"
    lines = "\n".join(re.split(r"; *", text))
    source.write_text(f".syntax unified\n.thumb\n.text\n{lines}\n")
    subprocess.run(["arm-none-eabi-gcc", *CPU, "-c", str(source), "-o", str(code)], check=True)
    binary = folder / "code.bin"
    subprocess.run(
        ["arm-none-eabi-objcopy", "-O", "binary", "-j", ".text", str(code), str(binary)], check=True
    )
    return binary.read_bytes()


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> list[Instruction]:
    text = "; ".join(names for names in NAMES.values())
    return list(decode(assemble(text, tmp_path_factory.mktemp("thumb"))))


def test_every_kind_is_told_apart(everything: list[Instruction]) -> None:
    names = [(kind, name) for kind, row in NAMES.items() for name in re.split(r"; *", row)]
    assert len(everything) == len(names)
    wrong = [
        (name, found.kind)
        for (kind, name), found in zip(names, everything, strict=True)
        if found.kind is not kind
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("text", "cycles"),
    [
        # The manual's own examples of loads that overlap.
        ("ldr r0, [r1]; ldr r1, [r2]", 3),
        ("ldr r0, [r1, r2]; str r0, [r3, #20]", 3),
        ("ldr r0, [r1, r5]; ldr r1, [r2]; ldr r2, [r3, #4]", 4),
        # An address that needs what was just loaded cannot overlap, nor can loads that change their base.
        ("ldr r0, [r1]; ldr r2, [r0]", 4),
        ("ldr r0, [r1]; ldr r2, [r3, r0]", 4),
        ("ldr r0, [r1], #4; ldr r2, [r3]", 4),
        ("str r0, [r1]; ldr r2, [r3]", 3),
        ("ldrd r0, r1, [r2]; ldr r3, [r4]", 5),
        ("ldmia r0!, {r1-r3}", 4),
        ("push {r4-r7, lr}", 6),
        ("mul r8, r1, r2; smlad r0, r1, r2, r3; umull r4, r5, r6, r7", 3),
        ("sdiv r0, r1, r2", 7),
        ("vdiv.f32 s0, s1, s2; vfma.f32 s0, s1, s2; vadd.f32 s0, s1, s2", 18),
        ("vldr s0, [r0]; vldr d1, [r0]", 5),
        # IT costs nothing after a 16-bit instruction.
        ("cmp r0, r1; it eq; moveq r0, r1", 2),
        ("cmp.w r0, r1; it eq; moveq r0, r1", 3),
    ],
)
def test_cycles_of_straight_code(text: str, cycles: int, tmp_path: Path) -> None:
    code = assemble(text, tmp_path)
    cost = block_cost(CodeBlock(0, len(code), executions=10, jumps=0), code)
    assert cost.cycles == 10 * cycles
    assert cost.instructions == 10 * len(re.split(r"; *", text))
    assert cost.cycles_lowest <= cost.cycles <= cost.cycles_highest
    assert sum(cost.components.values()) == cost.cycles


def test_cut_off_code_is_refused() -> None:
    for code in (b"\x00\xf0", b"\x00", b"\x00\xbf\xdf\xf8"):
        with pytest.raises(ValueError, match=r"truncated|even"):
            list(decode(code))


def test_every_halfword_has_a_kind() -> None:
    for first in range(0x10000):
        for second in (0x0000, 0xFFFF, 0x8000, 0x5000, 0x0F0F):
            code = first.to_bytes(2, "little") + second.to_bytes(2, "little")
            assert next(iter(decode(code + bytes(2)))).size in (2, 4)
