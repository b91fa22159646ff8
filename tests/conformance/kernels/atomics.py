# Atomics: every operation and type, with masks, with all programs on the same element, and their old values.
import triton
import triton.language as tl


@triton.jit
def update(x_ptr, index_ptr, out_ptr, n, OP: tl.constexpr, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    index = tl.load(index_ptr + offs, mask=mask, other=0)
    x = tl.load(x_ptr + offs, mask=mask)
    if OP == "add":
        tl.atomic_add(out_ptr + index, x, mask=mask)
    elif OP == "max":
        tl.atomic_max(out_ptr + index, x, mask=mask)
    elif OP == "min":
        tl.atomic_min(out_ptr + index, x, mask=mask)
    elif OP == "and":
        tl.atomic_and(out_ptr + index, x, mask=mask)
    elif OP == "or":
        tl.atomic_or(out_ptr + index, x, mask=mask)
    elif OP == "xor":
        tl.atomic_xor(out_ptr + index, x, mask=mask)
    else:
        tl.static_assert(False, "unknown OP")


@triton.jit
def ordered(out_ptr, n, SEM: tl.constexpr, SCOPE: tl.constexpr, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    tl.atomic_add(out_ptr + offs, 1, mask=offs < n, sem=SEM, scope=SCOPE)


@triton.jit
def old_values(counter_ptr, out_ptr):
    # Every program draws a ticket; no two get the same.
    ticket = tl.atomic_add(counter_ptr, 1)
    tl.store(out_ptr + ticket, ticket * 10)


@triton.jit
def exchange(x_ptr, old_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    old = tl.atomic_xchg(x_ptr + offs, offs.to(x_ptr.dtype.element_ty), mask=mask)
    tl.store(old_ptr + offs, old, mask=mask)


@triton.jit
def compare_and_swap(x_ptr, old_ptr, n, BLOCK: tl.constexpr):
    # Even values are replaced by -1: the comparison is with the value rounded down to even.
    offs = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs)
    old = tl.atomic_cas(x_ptr + offs, x // 2 * 2, tl.full((BLOCK,), -1, x.dtype))
    tl.store(old_ptr + offs, old)


@triton.jit
def lock(lock_ptr, sum_ptr, count_ptr, x_ptr, n, BLOCK: tl.constexpr):
    # A spin lock around a read-modify-write, as in layer norm's backward pass.
    offs = tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + tl.program_id(0) * n + offs, mask=mask, other=0.0)
    while tl.atomic_cas(lock_ptr, 0, 1) == 1:
        pass
    count = tl.load(count_ptr)
    if count > 0:
        x += tl.load(sum_ptr + offs, mask=mask)
    tl.store(sum_ptr + offs, x, mask=mask)
    tl.store(count_ptr, count + 1)
    tl.debug_barrier()
    tl.atomic_xchg(lock_ptr, 0)


@triton.jit
def reduce_to_one(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n, other=0.0)
    tl.atomic_add(out_ptr, tl.sum(x, axis=0))
    tl.atomic_max(out_ptr + 1, tl.max(x, axis=0))


@triton.jit
def two_dimensions(x_ptr, out_ptr, m, n, BM: tl.constexpr, BN: tl.constexpr):
    # Columns summed by all row programs.
    i = tl.program_id(0) * BM + tl.arange(0, BM)
    j = tl.arange(0, BN)
    mask = (i[:, None] < m) & (j[None, :] < n)
    x = tl.load(x_ptr + i[:, None] * n + j[None, :], mask=mask, other=0.0)
    tl.atomic_add(out_ptr + j[None, :] + tl.zeros((BM, BN), dtype=tl.int32), x, mask=mask)


@triton.jit
def hand_over(flag_ptr, x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    # The others wait for what program 0 writes.
    offs = tl.arange(0, BLOCK)
    mask = offs < n
    if tl.program_id(0) == 0:
        tl.store(x_ptr + offs, offs * 3, mask=mask)
        tl.debug_barrier()
        tl.atomic_xchg(flag_ptr, 7, sem="release")
    else:
        seen = tl.atomic_poll(flag_ptr, 7)
        x = tl.load(x_ptr + offs, mask=mask, other=0)
        tl.store(out_ptr + (tl.program_id(0) - 1) * n + offs, x + seen.to(tl.int32), mask=mask)


@triton.jit
def give_up(flag_ptr, out_ptr, value, timeout, SEM: tl.constexpr):
    seen = tl.atomic_poll(flag_ptr, value, sem=SEM, timeout_ns=timeout)
    tl.store(out_ptr, seen.to(tl.int32))
