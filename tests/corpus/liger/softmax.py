"""Softmax and sparsemax."""

import numpy as np

from harness import case, softmax


@case("softmax.py", "_softmax_single_block_forward_kernel")
def softmax_single_forward(t):
    x, y = t.normal(5, 777), t.poison(5, 777)
    t.launch((5,), y, 777, x, 777, 777, BLOCK_SIZE=1024)
    t.close(y, softmax(t.f64(x)))


@case("softmax.py", "_softmax_multi_block_forward_kernel",
      refused="calls tl.float32(...), which Triton's compiler refuses too")
def softmax_multi_forward(t):
    x, y = t.normal(5, 3000), t.poison(5, 3000)
    t.launch((5,), y, 3000, x, 3000, 3000, BLOCK_SIZE=1024)


@case("softmax.py", "_softmax_single_block_backward_kernel")
def softmax_single_backward(t):
    dy, y, dx = t.normal(5, 777), t.array(softmax(t.f64(t.normal(5, 777)))), t.poison(5, 777)
    t.launch((5,), dy, 777, y, 777, dx, 777, 777, BLOCK_SIZE=1024)
    p, d = t.f64(y), t.f64(dy)
    t.close(dx, p * (d - (p * d).sum(1, keepdims=True)), scale=np.abs(p).max())


@case("softmax.py", "_softmax_multi_block_backward_kernel",
      refused="calls tl.float32(...), which Triton's compiler refuses too")
def softmax_multi_backward(t):
    dy, y, dx = t.normal(5, 3000), t.normal(5, 3000), t.poison(5, 3000)
    t.launch((5,), dy, 3000, y, 3000, dx, 3000, 3000, BLOCK_SIZE=1024)


@case("sparsemax.py", "_sparsemax_forward_kernel")
def sparsemax_forward(t):
    x, o = t.normal(5, 200), t.poison(5, 200)
    ordered = t.array(np.sort(x, axis=1)[:, ::-1])
    t.launch((5,), x, 200, ordered, 200, o, 200, 200, BLOCK_SIZE=256, num_warps=4)
    z = t.f64(ordered)
    r = np.arange(1, 201)
    support = z > (np.cumsum(z, 1) - 1) / r
    k = support.sum(1, keepdims=True)
    tau = ((z * support).sum(1, keepdims=True) - 1) / k
    t.close(o, np.maximum(t.f64(x) - tau, 0), terms=200)


@case("sparsemax.py", "_sparsemax_backward_kernel")
def sparsemax_backward(t):
    o, go, gi = t.array(np.maximum(t.normal(5, 300), 0)), t.normal(5, 300), t.poison(5, 300)
    t.launch((5,), o, go, gi, 300, 300, BLOCK_SIZE=128, num_warps=4)
    support, d = t.f64(o) > 0, t.f64(go)
    mean = (d * support).sum(1, keepdims=True) / support.sum(1, keepdims=True)
    t.close(gi, np.where(support, d - mean, 0), terms=300)
