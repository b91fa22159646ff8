# One layer of a ranking model: a dense layer with bias and GELU over a batch of requests.
import triton
import triton.language as tl


@triton.jit
def gelu(x):
    # The tanh form, with tanh spelled by the exponential.
    inner = 0.7978845608028654 * (x + 0.044715 * x * x * x)
    return x * tl.sigmoid(2.0 * inner)


@triton.jit
def dense(x_ptr, w_ptr, b_ptr, y_ptr, batch, inputs, outputs,
          BLOCK_B: tl.constexpr, BLOCK_O: tl.constexpr, BLOCK_I: tl.constexpr):
    rows = tl.program_id(0) * BLOCK_B + tl.arange(0, BLOCK_B)
    cols = tl.program_id(1) * BLOCK_O + tl.arange(0, BLOCK_O)
    acc = tl.zeros((BLOCK_B, BLOCK_O), dtype=tl.float32)
    for start in range(0, inputs, BLOCK_I):
        k = start + tl.arange(0, BLOCK_I)
        x = tl.load(x_ptr + rows[:, None] * inputs + k[None, :],
                    mask=(rows[:, None] < batch) & (k[None, :] < inputs), other=0.0)
        w = tl.load(w_ptr + k[:, None] * outputs + cols[None, :],
                    mask=(k[:, None] < inputs) & (cols[None, :] < outputs), other=0.0)
        acc = tl.dot(x, w, acc)
    bias = tl.load(b_ptr + cols, mask=cols < outputs, other=0.0)
    y = gelu(acc + bias[None, :])
    tl.store(y_ptr + rows[:, None] * outputs + cols[None, :], y,
             mask=(rows[:, None] < batch) & (cols[None, :] < outputs))
