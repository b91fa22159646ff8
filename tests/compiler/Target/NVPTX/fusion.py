# A product and a sum become one fma, unless a config says that they may not.
# RUN: nereid compile %s:fused -s "*fp32,*fp32" --target sm_90a --emit asm | FileCheck %s --check-prefix=FUSED
# RUN: nereid compile %s:apart -s "*fp32,*fp32" --target sm_90a --emit asm | FileCheck %s --check-prefix=APART
# RUN: nereid compile %s:apart -s "*fp32,*fp32" --target x86-64-v3 --emit llvm | FileCheck %s --check-prefix=CPU
# FUSED: fma.rn.f32
# APART-NOT: fma.rn
# APART: mul.rn.f32
# APART-NOT: fma.rn
# APART: add.rn.f32
# CPU-NOT: contract
import triton
import triton.language as tl


@triton.jit
def fused(x_ptr, out_ptr):
    i = tl.arange(0, 128)
    x = tl.load(x_ptr + i)
    tl.store(out_ptr + i, x * x + x)


@triton.autotune(configs=[triton.Config({"enable_fp_fusion": False})], key=[])
@triton.jit
def apart(x_ptr, out_ptr):
    i = tl.arange(0, 128)
    x = tl.load(x_ptr + i)
    tl.store(out_ptr + i, x * x + x)
