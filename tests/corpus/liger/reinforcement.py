"""Losses of reinforcement learning."""

import numpy as np

from harness import case
from liger.losses import log_softmax


def grpo_inputs(t, b=2, length=3, n=900):
    logits, ids = t.normal(b, length + 1, n), t.integers(0, n, (b, length), dtype=np.int64)
    logp = log_softmax(t.f64(logits)[:, :length] / 0.9)
    chosen = np.take_along_axis(logp, ids[..., None], 2)[..., 0]
    lse = (t.f64(logits)[:, :length] / 0.9 - logp)[..., 0]
    return logits, ids, logp, chosen, lse


@case("grpo_loss.py", "_selective_log_softmax_kernel")
def selective_log_softmax(t):
    logits, ids, _, chosen, _ = grpo_inputs(t)
    out = t.poison(2, 3)
    t.launch((2, 3), logits, ids, out, None, TEMPERATURE=0.9, stride_input_ids_b=3,
             stride_input_ids_l=1, stride_mask_b=0, stride_mask_l=0, L=3, N=900, BLOCK_N=256)
    t.close(out, chosen, terms=900)


@case("grpo_loss.py", "_grpo_loss_fwd_kernel")
def grpo_forward(t):
    logits, ids, _, chosen, lse = grpo_inputs(t)
    old, ref = t.array(chosen + 0.2 * t.normal(2, 3)), t.array(chosen + 0.2 * t.normal(2, 3))
    advantage = t.normal(2)
    loss, out_lse, kl, clipped = (t.poison(2, 3) for _ in range(4))
    t.launch((2, 3), logits, old, ref, ids, None, advantage, None, 1, None, loss, out_lse, kl,
             clipped, TEMPERATURE=0.9, BETA=0.04, EPS_LOW=0.2, EPS_HIGH=0.3, LOSS_TYPE=0,
             SAPO_TEMP_POS=1.0, SAPO_TEMP_NEG=1.05, DELTA=0.0, USE_BIAS_CORRECTION_KL=False, L=3,
             N=900, BLOCK_N=256)
    c1, a = np.exp(chosen - t.f64(old)), t.f64(advantage)[:, None]
    delta = t.f64(ref) - chosen
    penalty = np.exp(delta) - delta - 1
    t.close(out_lse, lse, terms=900)
    t.close(kl, penalty, scale=1.0, terms=900)
    t.close(loss, -np.minimum(c1 * a, np.clip(c1, 0.8, 1.3) * a) + 0.04 * penalty, terms=900)
    t.equal(clipped, (((c1 < 0.8) & (a < 0)) | ((c1 > 1.3) & (a > 0))).astype(np.float32))


@case("grpo_loss.py", "_grpo_loss_bwd_kernel")
def grpo_backward(t):
    logits, ids, logp, chosen, lse = grpo_inputs(t)
    old, ref = t.array(chosen + 0.2 * t.normal(2, 3)), t.array(chosen + 0.2 * t.normal(2, 3))
    advantage, dloss, grad = t.normal(2), t.normal(2, 3), t.poison(2, 4, 900)
    t.launch((2, 3), dloss, grad, logits, old, ref, ids, advantage, None, t.array(lse), None, 1,
             None, TEMPERATURE=0.9, BETA=0.04, EPS_LOW=0.2, EPS_HIGH=0.3, LOSS_TYPE=0,
             SAPO_TEMP_POS=1.0, SAPO_TEMP_NEG=1.05, DELTA=0.0, USE_BIAS_CORRECTION_KL=False,
             loss_stride0=3, loss_stride1=1, L=3, N=900, BLOCK_N=256)
    c1, a = np.exp(chosen - t.f64(old)), t.f64(advantage)[:, None]
    live = np.clip(c1, 0.8, 1.3) * a >= c1 * a
    factor = (-c1 * a * live + 0.04 * (1 - np.exp(t.f64(ref) - chosen))) * t.f64(dloss) / 0.9
    onehot = np.zeros_like(logp)
    np.put_along_axis(onehot, ids[..., None], 1, 2)
    t.close(grad[:, :3], (onehot - np.exp(logp)) * factor[..., None], scale=1.0, terms=900)


@case("grpo_loss.py", "_grpo_loss_fwd_kernel_seq")
def grpo_forward_sequence(t):
    logits, ids, _, chosen, lse = grpo_inputs(t)
    ref = t.array(chosen + 0.2 * t.normal(2, 3))
    c1, c2 = t.array(np.abs(t.normal(2))), t.array(np.abs(t.normal(2)))
    advantage, clipped_in = t.normal(2), t.zeros(2)
    loss, out_lse, kl, clipped = (t.poison(2, 3) for _ in range(4))
    t.launch((2, 3), logits, None, ref, ids, None, advantage, c1, c1, c2, clipped_in, None, 1, loss,
             out_lse, kl, clipped, TEMPERATURE=0.9, BETA=0.04, USE_BIAS_CORRECTION_KL=True, L=3,
             N=900, BLOCK_N=256)
    delta = t.f64(ref) - chosen
    penalty = (np.exp(delta) - delta - 1) * t.f64(c1)[:, None]
    a = t.f64(advantage)
    t.close(out_lse, lse, terms=900)
    t.close(loss, -np.minimum(t.f64(c1) * a, t.f64(c2) * a)[:, None] + 0.04 * penalty, terms=900)
    t.equal(clipped, np.zeros((2, 3), np.float32))


@case("grpo_loss.py", "_grpo_loss_bwd_kernel_seq")
def grpo_backward_sequence(t):
    logits, ids, logp, chosen, lse = grpo_inputs(t)
    ref = t.array(chosen + 0.2 * t.normal(2, 3))
    c1, advantage, dloss = t.array(np.abs(t.normal(2))), t.normal(2), t.normal(2, 3)
    total, lengths, grad = t.array(t.f64(dloss).sum(1)), t.array(np.full(2, 3.0)), t.poison(2, 4, 900)
    t.launch((2, 3), dloss, total, None, grad, logits, None, ref, ids, advantage, None, t.array(lse),
             c1, lengths, TEMPERATURE=0.9, BETA=0.04, USE_BIAS_CORRECTION_KL=False, EPS_LOW=0.2,
             EPS_HIGH=0.3, DELTA=0.0, loss_stride0=3, loss_stride1=1, L=3, N=900, BLOCK_N=256)
    c, a = t.f64(c1), t.f64(advantage)
    live = np.clip(c, 0.8, 1.3) * a >= c * a
    factor = (-c * a / 3 * live * t.f64(total))[:, None]
    factor = (factor + 0.04 * (1 - np.exp(t.f64(ref) - chosen)) * t.f64(dloss)) / 0.9
    onehot = np.zeros_like(logp)
    np.put_along_axis(onehot, ids[..., None], 1, 2)
    t.close(grad[:, :3], (onehot - np.exp(logp)) * factor[..., None], scale=1.0, terms=900)
