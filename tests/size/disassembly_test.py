#!/usr/bin/env python3
# disassembly_test.py - the spill checker sees a spill where there is one, and only there.
import sys

import disassembly

NESTED = """
0000000000001000 <kernel>:
    1000:       pushq   %rbp
    1001:       subq    $0x40, %rsp
    1005:       movq    %rdi, 0x8(%rsp)
    100a:       xorl    %eax, %eax
    100c:       movq    0x10(%rsp), %rcx
    1011:       vaddps  (%rsi,%rax,4), %zmm0, %zmm0
    1018:       {inner}
    1020:       incq    %rax
    1023:       cmpq    %rcx, %rax
    1026:       jb      0x1011 <kernel+0x11>
    1028:       decq    %rdx
    102b:       jne     0x100c <kernel+0xc>
    102d:       addq    $0x40, %rsp
    1031:       popq    %rbp
    1032:       retq
"""
FRAME = """
0000000000002000 <framed>:
    2000:       pushq   %rbp
    2001:       movq    %rsp, %rbp
    2004:       {inner}
    200c:       decq    %rdx
    200f:       jne     0x2004 <framed+0x4>
    2011:       retq
"""
# A loop whose body the compiler put behind the rest of the function.
ROTATED = """
0000000000003000 <rotated>:
    3000:       jmp     0x3020 <rotated+0x20>
    3002:       movl    %eax, (%rsp)
    3006:       retq
    3010:       vmovups {slot}, %ymm3
    3016:       jmp     0x3024 <rotated+0x24>
    3020:       testl   %eax, %eax
    3022:       je      0x3002 <rotated+0x2>
    3024:       decl    %eax
    3026:       jne     0x3010 <rotated+0x10>
    3028:       retq
"""
# What it is, the text, and how many spills and reloads there are.
CASES = [
    ("no stack in the inner loop", NESTED.format(inner="vmovups %zmm0, (%rdi)"), 0, 0),
    ("reload in the inner loop", NESTED.format(inner="vmovups 0x40(%rsp), %zmm5  # 64-byte Reload"), 0, 1),
    ("store in the inner loop", NESTED.format(inner="vmovups %zmm5, -0x40(%rsp)"), 1, 0),
    ("memory operand of arithmetic", NESTED.format(inner="addq 0x18(%rsp), %rax"), 0, 1),
    ("arithmetic on a slot", NESTED.format(inner="incq 0x18(%rsp)"), 1, 0),
    ("comparison with a slot", NESTED.format(inner="cmpq %rax, 0x18(%rsp)"), 0, 1),
    ("an array on the stack is indexed", NESTED.format(inner="vmovups %zmm5, 0x40(%rsp,%rax,4)"), 0, 0),
    ("an address is taken", NESTED.format(inner="leaq 0x40(%rsp), %r8"), 0, 0),
    ("rbp as a general register", NESTED.format(inner="vmovups (%rbp), %zmm1"), 0, 0),
    ("rbp as frame pointer", FRAME.format(inner="movq %rax, -0x8(%rbp)"), 1, 0),
    ("frame pointer, clean", FRAME.format(inner="movq -0x8(%rdi), %rax"), 0, 0),
    ("loop out of line", ROTATED.format(slot="0x20(%rsp)"), 0, 1),
    ("loop out of line, clean", ROTATED.format(slot="0x20(%rsi)"), 0, 0),
]

failed = 0
for name, text, *expected in CASES:
    loops = list(disassembly.loops_with_stack_traffic(text))
    found = [sum(len(loop.spills) for loop in loops), sum(len(loop.reloads) for loop in loops)]
    if found != expected:
        print(f"error: {name}: {found} spills and reloads found, expected {expected}")
        failed += 1
loops = [disassembly.innermost_loops(body) for _, body in disassembly.functions(NESTED.format(inner="nop"))]
if [len(part) for part in loops[0]] != [5]:
    print(f"error: the nested loops' inner one has {[len(part) for part in loops[0]]} instructions, expected [5]")
    failed += 1
print(f"{len(CASES) + 1 - failed} of {len(CASES) + 1} passed")
sys.exit(1 if failed else 0)
