"""Cross entropies, divergences and distances."""

import numpy as np

from harness import case, softmax


def log_softmax(v):
    top = v.max(-1, keepdims=True)
    return v - top - np.log(np.exp(v - top).sum(-1, keepdims=True))


def cross_entropy_reference(x, y, ignore, smoothing=0.0, lse_scale=0.0, weight=None, softcap=None):
    """Mean cross entropy and its gradient, by the definition in float64."""
    v = x if softcap is None else softcap * np.tanh(x / softcap)
    logp = log_softmax(v)
    lse = (v - logp)[:, 0]
    n, count = x.shape[1], (y != ignore).sum()
    w = np.ones(n) if weight is None else weight
    keep = y != ignore
    safe = np.where(keep, y, 0)
    norm = count if weight is None else w[safe][keep].sum()
    rows = np.arange(len(y))
    nll = -logp[rows, safe] * w[safe]
    smooth = -(logp * w).sum(1)
    z = lse_scale * lse * lse / count
    loss = ((1 - smoothing) * nll + smoothing / n * smooth) / norm + z
    p = np.exp(logp)
    onehot = np.zeros_like(p)
    onehot[rows, safe] = 1
    grad = (1 - smoothing) * w[safe][:, None] * (p - onehot)
    grad += smoothing / n * (p * w.sum() - w)
    grad = grad / norm + 2 * lse_scale * lse[:, None] * p / count
    if softcap is not None:
        grad *= 1 - np.tanh(x / softcap) ** 2
    return np.where(keep, loss, np.nan), np.where(keep[:, None], grad, 0), z


CE_OPTIONS = {
    "plain": {},
    "smoothing and z loss": dict(smoothing=0.1, lse_scale=1e-2),
    "weights": dict(weighted=True, smoothing=0.1),
    "softcap": dict(softcap=5.0),
}
for label, options in CE_OPTIONS.items():

    @case("cross_entropy.py", "liger_cross_entropy_kernel", variant=label)
    def cross_entropy(t, options=options):
        rows, n, ignore = 8, 700, -100
        smoothing, lse_scale = options.get("smoothing", 0.0), options.get("lse_scale", 0.0)
        softcap, weighted = options.get("softcap"), options.get("weighted", False)
        x, y = t.normal(rows, n), t.integers(0, n, rows, dtype=np.int64)
        y[3] = ignore
        weight = t.array(np.abs(t.normal(n)) + 0.1) if weighted else None
        loss, z = t.array(np.full(rows, np.nan)), t.array(np.full(rows, np.nan))
        accuracy, predicted = t.poison(rows), t.integers(0, n, rows, dtype=np.int64)
        expected = cross_entropy_reference(t.f64(x), y, ignore, smoothing, lse_scale,
                                           None if weight is None else t.f64(weight), softcap)
        best = t.f64(x).argmax(1)
        keep = y != ignore
        t.launch((rows,), x, n, y, 1, weight, loss, z, 1, accuracy, 1, predicted, 1, n,
                 int(keep.sum()),
                 float(t.f64(weight)[y[keep]].sum()) if weighted else 1.0,
                 float(t.f64(weight).sum()) if weighted else 1.0, ignore,
                 lse_square_scale=lse_scale, label_smoothing=smoothing, reduction="mean",
                 softcap=softcap, RETURN_Z_LOSS=True, RETURN_TOKEN_ACCURACY=True,
                 RETURN_PREDICTED_TOKENS=True, BLOCK_SIZE=256, HAS_WEIGHT=weighted,
                 HAS_SOFTCAPPING=softcap is not None, HAS_GRADIENTS=True)
        t.close(loss[keep], expected[0][keep], terms=n)
        t.close(z[keep], expected[2][keep], scale=1e-2, terms=n)
        t.close(x, expected[1], scale=np.abs(expected[1]).max(), terms=n)
        t.equal(predicted, np.where(keep, best, -1))
        t.equal(accuracy, np.where(keep, best == y, 0).astype(np.float32))


def kl_cases():
    for log_target in (False, True):

        @case("kl_div.py", "_kldiv_kernel_forward", variant=f"log_target={log_target}")
        def forward(t, log_target=log_target):
            rows, n = 5, 600
            y = t.array(log_softmax(t.f64(t.normal(rows, n))))
            truth = log_softmax(t.f64(t.normal(rows, n)))
            target = t.array(truth if log_target else np.exp(truth))
            loss = t.poison(rows)
            # reduction 1 of the library: a sum per row
            t.launch((rows,), y, n, target, n, loss, 1, n, 1e-10, BLOCK_SIZE=256, reduction=1,
                     log_target=log_target)
            p = t.f64(target)
            each = np.exp(p) * (p - t.f64(y)) if log_target else p * (np.log(np.maximum(p, 1e-10)) - t.f64(y))
            t.close(loss, each.sum(1), scale=np.abs(each).sum(1).max(), terms=n)

        @case("kl_div.py", "_kldiv_kernel_backward", variant=f"log_target={log_target}")
        def backward(t, log_target=log_target):
            rows, n = 5, 600
            target, grads = t.normal(rows, n), t.poison(rows, n)
            t.launch((rows,), target, n, grads, n, n, BLOCK_SIZE=256, log_target=log_target)
            t.close(grads, -np.exp(t.f64(target)) if log_target else -t.f64(target))


kl_cases()

for beta in (0.0, 0.3, 1.0):

    @case("jsd.py", "_jsd_kernel", variant=f"beta={beta}")
    def jsd(t, beta=beta):
        rows, n = 5, 600
        x = t.array(log_softmax(t.f64(t.normal(rows, n))))
        y = t.array(log_softmax(t.f64(t.normal(rows, n))))
        label = t.integers(0, n, rows, dtype=np.int64)
        label[2] = -100
        loss, dx = t.zeros(rows, n), t.poison(rows, n)
        t.launch((rows,), x, n, y, n, loss, n, dx, n, label, beta=beta, n_non_ignore=4,
                 ignore_index=-100, n_cols=n, BLOCK_SIZE=256, HAS_LABEL=True)
        q, p, lx, ly = np.exp(t.f64(x)), np.exp(t.f64(y)), t.f64(x), t.f64(y)
        if beta == 0.0:
            value, grad = p * (ly - lx), -p
        elif beta == 1.0:
            value, grad = q * (lx - ly), q * (lx - ly) + q
        else:
            lm = np.log(beta * p + (1 - beta) * q)
            value = beta * p * (ly - lm) + (1 - beta) * q * (lx - lm)
            grad = (1 - beta) * q * (lx - lm)
        keep = (label != -100)[:, None]
        t.close(loss, np.where(keep, value / 4, 0), scale=np.abs(q + p).max())
        t.close(dx, np.where(keep, grad / 4, 0), scale=np.abs(q + p).max())


@case("tvd.py", "_tv_distance_kernel")
def tvd(t):
    rows, n = 5, 600
    p, q = t.array(softmax(t.f64(t.normal(rows, n)))), t.array(softmax(t.f64(t.normal(rows, n))))
    label = t.integers(0, n, rows, dtype=np.int64)
    label[1] = -100
    loss, grads = t.zeros(rows), t.poison(rows, n)
    t.launch((rows,), p, n, q, n, loss, 1, grads, n, label, ignore_index=-100, n_cols=n, scale=0.25,
             BLOCK_SIZE=256, HAS_LABEL=True, reduction=1)
    keep = label != -100
    difference = t.f64(p) - t.f64(q)
    t.close(loss, np.where(keep, 0.5 * np.abs(difference).sum(1) * 0.25, 0), terms=n)
    t.close(grads, np.where(keep[:, None], 0.125 * np.sign(difference), 0))


@case("fused_linear_kl_div.py", "_kl_div_kernel")
def fused_linear_kl_div(t):
    rows, n = 5, 600
    x, q = t.normal(rows, n), t.array(softmax(t.f64(t.normal(rows, n))))
    label = t.integers(0, n, rows, dtype=np.int64)
    label[4] = -100
    loss = t.zeros(rows)
    v, target, temperature, scale = t.f64(x), t.f64(q), 2.0, 0.25
    t.launch((rows,), x, n, q, n, loss, 1, label, ignore_index=-100, n_cols=n,
             temperature=temperature, eps=1e-10, scale=scale, BLOCK_SIZE=256, HAS_LABEL=True)
    keep = label != -100
    logp = log_softmax(v / temperature)
    each = target * (np.log(target) - logp)
    t.close(loss, np.where(keep, each.sum(1) * scale, 0), terms=n)
    grad = -scale * (target - np.exp(logp) * target.sum(1, keepdims=True)) / temperature
    t.close(x, np.where(keep[:, None], grad, 0), scale=np.abs(grad).max(), terms=n)


@case("fused_ce_tvd.py", "_fused_ce_tvd_forward_kernel")
def fused_ce_tvd_forward(t):
    rows, n = 6, 600
    s, teacher = t.normal(rows, n), t.normal(rows, n)
    target = t.integers(0, n, rows, dtype=np.int64)
    target[0] = -100
    ce, tv, slse, tlse, sigma = (t.poison(rows) for _ in range(5))
    t.launch((rows,), s, n, teacher, n, target, ce, tv, slse, tlse, sigma, n, ignore_index=-100,
             BLOCK_SIZE=256)
    keep = target != -100
    lp, lq = log_softmax(t.f64(s)), log_softmax(t.f64(teacher))
    p, q = np.exp(lp), np.exp(lq)
    sign = np.sign(p - q)
    t.close(ce, np.where(keep, -lp[np.arange(rows), np.where(keep, target, 0)], 0), terms=n)
    t.close(tv, np.where(keep, 0.5 * np.abs(p - q).sum(1), 0), terms=n)
    t.close(sigma, np.where(keep, (p * sign).sum(1), 0), scale=1.0, terms=n)
    t.close(slse, np.where(keep, (t.f64(s) - lp)[:, 0], 0), terms=n)


@case("fused_ce_tvd.py", "_fused_ce_tvd_backward_kernel")
def fused_ce_tvd_backward(t):
    rows, n = 6, 600
    s, teacher, grad = t.normal(rows, n), t.normal(rows, n), t.poison(rows, n)
    target = t.integers(0, n, rows, dtype=np.int64)
    target[0] = -100
    gce, gtv = t.normal(rows), t.normal(rows)
    lp, lq = log_softmax(t.f64(s)), log_softmax(t.f64(teacher))
    p, q = np.exp(lp), np.exp(lq)
    sign = np.sign(p - q)
    sigma = t.array((p * sign).sum(1))
    slse, tlse = t.array((t.f64(s) - lp)[:, 0]), t.array((t.f64(teacher) - lq)[:, 0])
    t.launch((rows,), s, n, teacher, n, target, gce, gtv, slse, tlse, sigma, grad, n, n,
             ignore_index=-100, BLOCK_SIZE=256)
    keep = target != -100
    onehot = np.zeros_like(p)
    onehot[np.arange(rows), np.where(keep, target, 0)] = 1
    expected = t.f64(gce)[:, None] * (p - onehot)
    expected += t.f64(gtv)[:, None] * 0.5 * p * (sign - t.f64(sigma)[:, None])
    t.close(grad, np.where(keep[:, None], expected, 0), scale=1.0)


@case("vocab_parallel_cross_entropy.py", "liger_vocab_parallel_ce_forward_kernel")
def vocab_parallel_forward(t):
    rows, n, start = 6, 500, 1000
    x, e = t.normal(rows, n), t.poison(rows, n)
    top = t.array(x.max(1) + 0.5)
    y = np.array([1000, 1499, 999, 1500, -100, 1234], dtype=np.int64)
    predicted, total = t.poison(rows), t.poison(rows)
    t.launch((rows,), x, n, e, n, top, y, predicted, total, start, n, -100, BLOCK_SIZE=128)
    shifted = t.f64(x) - t.f64(top)[:, None]
    t.close(e, np.exp(shifted))
    t.close(total, np.exp(shifted).sum(1), terms=n)
    inside = (y >= start) & (y < start + n)
    t.close(predicted, np.where(inside, shifted[np.arange(rows), np.where(inside, y - start, 0)], 0))


@case("vocab_parallel_cross_entropy.py", "liger_vocab_parallel_ce_backward_kernel")
def vocab_parallel_backward(t):
    rows, n, start = 6, 500, 1000
    e = t.array(np.abs(t.normal(rows, n)))
    y = np.array([1000, 1499, 999, 1500, -100, 1234], dtype=np.int64)
    total, grad_out = t.array(t.f64(e).sum(1) * 2), t.normal(rows)
    before = t.f64(e)
    t.launch((rows,), e, n, total, y, grad_out, start, n, -100, 0.1, 0.1 / n,
             HAS_LABEL_SMOOTHING=True, BLOCK_SIZE=128)
    inside = (y >= start) & (y < start + n)
    grad = before / t.f64(total)[:, None] - 0.1 / n
    grad[np.flatnonzero(inside), (y - start)[inside]] -= 0.9
    grad *= t.f64(grad_out)[:, None]
    t.close(e, np.where((y != -100)[:, None], grad, 0), scale=1.0)
