# Control flow: loops of every kind, conditions known early and late, early return, ternaries, tuples.
import triton
import triton.language as tl


@triton.jit
def ranges(out_ptr, start, stop, step, STEP: tl.constexpr):
    # Loop bounds known only when it runs; a step known early, forwards and backwards.
    total = 0
    for i in range(start, stop, step):
        total += i
    tl.store(out_ptr + 0, total)
    total = 0
    for i in range(stop):
        total = total * 3 + i
    tl.store(out_ptr + 1, total)
    total = 0
    for i in range(stop, start, -STEP):
        total = total * 2 + i
    tl.store(out_ptr + 2, total)
    total = 0
    for i in tl.range(start, stop, STEP, num_stages=2):
        total += i * i
    tl.store(out_ptr + 3, total)
    count = 0
    for i in range(stop, start):
        count += 1
    tl.store(out_ptr + 4, count)
    total = 0
    for i in range(3):
        for j in range(i, stop):
            total += i * j
    tl.store(out_ptr + 5, total)


@triton.jit
def unrolled(x_ptr, out_ptr, n, TIMES: tl.constexpr, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    total = tl.zeros((BLOCK,), dtype=tl.float32)
    for i in tl.static_range(TIMES):
        x = tl.load(x_ptr + i * n + offs, mask=offs < n, other=0.0)
        if i % 2 == 0:
            total += x
        else:
            total -= x
    for i in tl.static_range(TIMES, 0, -2):
        total += i
    tl.store(out_ptr + offs, total, mask=offs < n)


@triton.jit
def collatz(x_ptr, steps_ptr, n):
    # A while loop whose length depends on the data.
    pid = tl.program_id(0)
    value = tl.load(x_ptr + pid)
    steps = 0
    while value != 1:
        if value % 2 == 0:
            value = value // 2
        else:
            value = 3 * value + 1
        steps += 1
    tl.store(steps_ptr + pid, steps)


@triton.jit
def while_blocks(x_ptr, out_ptr, n, limit, BLOCK: tl.constexpr):
    # A while loop that carries a block and a scalar and stops on either.
    offs = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n, other=0.0)
    rounds = 0
    size = tl.max(tl.abs(x), axis=0)
    while (size > 1.0) & (rounds < limit):
        x = x * 0.5
        size = tl.max(tl.abs(x), axis=0)
        rounds += 1
    tl.store(out_ptr + offs, x, mask=offs < n)
    tl.store(out_ptr + n, rounds.to(tl.float32))


@triton.jit
def branches(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    # if, elif, else on run-time scalars, with blocks alive across them.
    pid = tl.program_id(0)
    offs = pid * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask, other=0.0)
    if pid % 4 == 0:
        y = x + 1.0
        scale = 2.0
    elif pid % 4 == 1:
        y = x * x
        scale = 3.0
    elif pid % 4 == 2:
        y = -x
        scale = 0.5
    else:
        y = x
        scale = 1.0
        if n > 100:
            y = y - 1.0
    tl.store(out_ptr + offs, y * scale, mask=mask)


@triton.jit
def early_return(x_ptr, out_ptr, n, skip, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    if pid == skip:
        return
    offs = pid * BLOCK + tl.arange(0, BLOCK)
    if pid * BLOCK >= n:
        return
    x = tl.load(x_ptr + offs, mask=offs < n)
    tl.store(out_ptr + offs, x + 1, mask=offs < n)


@triton.jit
def _sign(x):
    if x > 0:
        return 1
    if x < 0:
        return -1
    return 0


@triton.jit
def returns(x_ptr, out_ptr):
    # A helper that returns from several places.
    pid = tl.program_id(0)
    tl.store(out_ptr + pid, _sign(tl.load(x_ptr + pid)))


@triton.jit
def ternary(out_ptr, a, b, FLAG: tl.constexpr, NAME: tl.constexpr):
    larger = a if a > b else b
    known = 10 if FLAG else 20
    named = 1 if NAME == "relu" else 2
    tl.store(out_ptr, larger * 1000 + known * 10 + named)


@triton.jit
def optional(x_ptr, bias_ptr, out_ptr, n, HAS_BIAS: tl.constexpr, BLOCK: tl.constexpr):
    # The dead branch is never looked at: it would not type.
    offs = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n)
    if HAS_BIAS:
        x += tl.load(bias_ptr + offs, mask=offs < n)
    else:
        tl.static_assert(not HAS_BIAS)
    tl.store(out_ptr + offs, x, mask=offs < n)


@triton.jit
def _divmod(a, b):
    return a // b, a % b


@triton.jit
def tuples(out_ptr, a, b):
    q, r = _divmod(a, b)
    q, r = r, q
    pair = (q, r)
    first = pair[0]
    (c, d) = pair
    tl.store(out_ptr + 0, first)
    tl.store(out_ptr + 1, pair[1])
    tl.store(out_ptr + 2, c - d)
    tl.store(out_ptr + 3, len(pair))


@triton.jit
def fibonacci(out_ptr, n):
    # Swapped loop-carried values.
    a = 0
    b = 1
    for _ in range(n):
        a, b = b, a + b
    tl.store(out_ptr, a)


@triton.jit
def loop_of_blocks(x_ptr, out_ptr, rows, cols, BLOCK: tl.constexpr):
    # Carried: a block, its maximum, a scalar, an index and a pointer.
    offs = tl.arange(0, BLOCK)
    mask = offs < cols
    best = tl.full((BLOCK,), -1.0e30, dtype=tl.float32)
    where = tl.zeros((BLOCK,), dtype=tl.int32)
    seen = 0.0
    ptrs = x_ptr + offs
    for row in range(rows):
        x = tl.load(ptrs, mask=mask, other=0.0)
        better = x > best
        best = tl.where(better, x, best)
        where = tl.where(better, row, where)
        seen += tl.sum(x)
        if seen > 1.0e6:
            seen = 0.0
        ptrs += cols
    tl.store(out_ptr + offs, best, mask=mask)
    tl.store(out_ptr + cols + offs, where.to(tl.float32), mask=mask)
    tl.store(out_ptr + 2 * cols, seen)


@triton.jit
def nested_branches(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    # Loops inside branches inside loops.
    total = tl.zeros((BLOCK,), dtype=tl.int32)
    offs = tl.arange(0, BLOCK)
    for i in range(n):
        x = tl.load(x_ptr + i)
        if x > 0:
            for j in range(x):
                total += offs * j
                if j == 2:
                    total += 1
        else:
            while x < 0:
                total -= offs
                x += 1
    tl.store(out_ptr + offs, total)


@triton.jit
def wide_counter(out_ptr, start, n):
    # A 64-bit induction variable.
    total = start
    for i in range(start, start + n):
        total = total ^ i
    tl.store(out_ptr, total)


@triton.jit
def repeated(x_ptr, out_ptr, start, stop, step, n, FACTOR: tl.constexpr, BLOCK: tl.constexpr):
    # The order of the iterations counts, and a remainder is left for most bounds.
    offs = tl.arange(0, BLOCK)
    total = tl.zeros((BLOCK,), dtype=tl.int32)
    for i in tl.range(start, stop, step, loop_unroll_factor=FACTOR):
        total = total * 3 + tl.load(x_ptr + i * n + offs, mask=offs < n, other=0) + i
    tl.store(out_ptr + offs, total, mask=offs < n)


@triton.jit
def two_loops(x_ptr, out_ptr, first, middle, end, cols, BM: tl.constexpr, BN: tl.constexpr):
    # The second loop goes on where the first ends, and computes otherwise; either may be empty.
    i, j = tl.arange(0, BM)[:, None], tl.arange(0, BN)[None, :]
    total = tl.zeros((BM, BN), dtype=tl.float32)
    count = tl.zeros((BM, BN), dtype=tl.float32)
    for start in range(first * BN, middle * BN, BN):
        x = tl.load(x_ptr + i * cols + start + j)
        total += x * x
        count += 1.0
    for start in range(middle * BN, end, BN):
        x = tl.load(x_ptr + i * cols + start + j)
        total += x * tl.where(start + j < end, x + count, 3.0)
        count += 1.0
    tl.store(out_ptr + i * BN + j, total)


@triton.jit
def kept_in_branches(x_ptr, out_ptr, flips, times, BLOCK: tl.constexpr):
    # A tile that only a branch, or a loop that may be empty, needs in memory is used behind it too.
    i, j = tl.arange(0, BLOCK)[:, None], tl.arange(0, BLOCK)[None, :]
    x = tl.load(x_ptr + i * BLOCK + j).to(tl.int32)
    y = x
    if flips > 0:
        y = tl.flip(x, 0)
    tl.store(out_ptr + i * BLOCK + j, x + y)
    z = tl.load(x_ptr + j * BLOCK + i).to(tl.int32)
    total = tl.zeros((BLOCK, BLOCK), dtype=tl.int32)
    for _ in range(times):
        total += tl.flip(z, 0)
    tl.store(out_ptr + BLOCK * BLOCK + i * BLOCK + j, z + total)
