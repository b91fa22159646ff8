# Vectors of an embedding index, scaled to length 1.
import triton
import triton.language as tl


@triton.jit
def normalize(x_ptr, y_ptr, rows, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    sum = tl.zeros((BLOCK,), dtype=tl.float32)
    for start in range(0, cols, BLOCK):
        offs = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * cols + offs, mask=offs < cols, other=0.0)
        sum += x * x
    scale = 1.0 / tl.sqrt(tl.sum(sum, axis=0) + 1e-12)
    for start in range(0, cols, BLOCK):
        offs = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * cols + offs, mask=offs < cols, other=0.0)
        tl.store(y_ptr + row * cols + offs, x * scale, mask=offs < cols)
