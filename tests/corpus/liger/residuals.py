"""Residual attention and hyper-connections."""

import numpy as np

from harness import case, sigmoid, softmax
from liger.normalisations import rms


@case("attn_res.py", "_attn_res_fwd_kernel")
def attn_res_forward(t):
    blocks, tokens, d = 3, 5, 40
    v, wq, wn = t.normal(blocks, tokens, d), t.normal(d), t.normal(d)
    out, alpha, rstd = t.poison(tokens, d), t.poison(tokens, blocks), t.poison(tokens, blocks)
    t.launch((tokens,), v, wq, wn, out, alpha, rstd, blocks, tokens, d, eps=1e-6, BLOCK_D=64,
             MAX_BLOCKS=4)
    x = t.f64(v)
    r = rms(x)
    score = (x * r[..., None] * t.f64(wn) * t.f64(wq)).sum(2)
    weight = softmax(score.T)
    t.close(rstd, r.T, terms=d)
    t.close(alpha, weight, terms=d)
    t.close(out, np.einsum("tb,btd->td", weight, x), terms=d)


@case("attn_res.py", "_attn_res_bwd_kernel")
def attn_res_backward(t):
    blocks, tokens, d = 3, 5, 40
    v, wq, wn, dout = t.normal(blocks, tokens, d), t.normal(d), t.normal(d), t.normal(tokens, d)
    x, q, w, dh = t.f64(v), t.f64(wq), t.f64(wn), t.f64(dout)
    r = rms(x)
    alpha = softmax((x * r[..., None] * w * q).sum(2).T)
    dv, dq, dn = t.poison(blocks, tokens, d), t.zeros(d), t.zeros(d)
    t.launch((tokens,), dout, v, wq, wn, t.array(alpha), t.array(r.T), dv, dq, dn, blocks, tokens, d,
             1e-6, BLOCK_D=64, MAX_BLOCKS=4)
    da = np.einsum("td,btd->tb", dh, x)
    ds = (alpha * (da - (alpha * da).sum(1, keepdims=True))).T[..., None]
    rk = r[..., None]
    dk = ds * q * w
    expected = alpha.T[..., None] * dh + rk * dk - rk**3 * (dk * x).mean(2, keepdims=True) * x
    t.close(dv, expected, terms=d)
    t.close(dq, (ds * x * rk * w).sum((0, 1)), terms=tokens * d)
    t.close(dn, (ds * q * x * rk).sum((0, 1)), terms=tokens * d)


@case("mhc.py", "_mhc_pre_fwd_kernel")
def mhc_pre_forward(t):
    n, hc, c = 9, 4, 50
    x, h, out = t.normal(n, hc, c), t.normal(n, hc), t.poison(n, c)
    t.launch((2, 1), x, h, out, N=n, HC=hc, C=c, stride_xn=hc * c, stride_xh=c, stride_xc=1,
             stride_hn=hc, stride_hh=1, stride_on=c, stride_oc=1, BLOCK_N=8, BLOCK_C=64)
    t.close(out, np.einsum("nhc,nh->nc", t.f64(x), t.f64(h)), terms=hc)


@case("mhc.py", "_mhc_pre_bwd_kernel")
def mhc_pre_backward(t):
    n, hc, c = 9, 4, 50
    x, h, go = t.normal(n, hc, c), t.normal(n, hc), t.normal(n, c)
    gx, gh = t.poison(n, hc, c), t.zeros(n, hc)
    t.launch((2, 1), x, h, go, gx, gh, N=n, HC=hc, C=c, stride_xn=hc * c, stride_xh=c, stride_xc=1,
             stride_hn=hc, stride_hh=1, stride_gon=c, stride_goc=1, stride_gxn=hc * c, stride_gxh=c,
             stride_gxc=1, stride_ghn=hc, stride_ghh=1, BLOCK_N=8, BLOCK_C=64)
    t.close(gx, t.f64(go)[:, None] * t.f64(h)[..., None])
    t.close(gh, np.einsum("nc,nhc->nh", t.f64(go), t.f64(x)), terms=c)


@case("mhc.py", "_mhc_post_res_fwd_kernel")
def mhc_post_forward(t):
    n, hc, c = 9, 4, 50
    x, f, hp, hr, out = (t.normal(n, hc, c), t.normal(n, c), t.normal(n, hc), t.normal(n, hc, hc),
                         t.poison(n, hc, c))
    t.launch((2, 1), x, f, hp, hr, out, N=n, HC=hc, C=c, stride_xn=hc * c, stride_xh=c, stride_xc=1,
             stride_fn=c, stride_fc=1, stride_hpn=hc, stride_hph=1, stride_hrn=hc * hc, stride_hri=hc,
             stride_hrj=1, stride_on=hc * c, stride_oh=c, stride_oc=1, BLOCK_N=8, BLOCK_C=64)
    expected = t.f64(f)[:, None] * t.f64(hp)[..., None] + t.f64(hr) @ t.f64(x)
    t.close(out, expected, terms=hc)


@case("mhc.py", "_mhc_post_res_bwd_kernel")
def mhc_post_backward(t):
    n, hc, c = 9, 4, 50
    x, f, hp, hr, go = (t.normal(n, hc, c), t.normal(n, c), t.normal(n, hc), t.normal(n, hc, hc),
                        t.normal(n, hc, c))
    gx, gf, ghp, ghr = t.poison(n, hc, c), t.poison(n, c), t.zeros(n, hc), t.zeros(n, hc, hc)
    t.launch((2, 1), x, f, hp, hr, go, gx, gf, ghp, ghr, N=n, HC=hc, C=c, stride_xn=hc * c,
             stride_xh=c, stride_xc=1, stride_fn=c, stride_fc=1, stride_hpn=hc, stride_hph=1,
             stride_hrn=hc * hc, stride_hri=hc, stride_hrj=1, stride_gon=hc * c, stride_goh=c,
             stride_goc=1, stride_gxn=hc * c, stride_gxh=c, stride_gxc=1, stride_gfn=c, stride_gfc=1,
             stride_ghpn=hc, stride_ghph=1, stride_ghrn=hc * hc, stride_ghri=hc, stride_ghrj=1,
             BLOCK_N=8, BLOCK_C=64)
    g, v = t.f64(go), t.f64(x)
    t.close(gf, np.einsum("nhc,nh->nc", g, t.f64(hp)), terms=hc)
    t.close(ghp, np.einsum("nhc,nc->nh", g, t.f64(f)), terms=c)
    t.close(gx, np.einsum("noc,noi->nic", g, t.f64(hr)), terms=hc)
    t.close(ghr, np.einsum("noc,nic->noi", g, v), terms=c)


@case("mhc.py", "_mhc_mm_norm_fwd_kernel")
def mhc_mm_norm_forward(t):
    n, k, m = 20, 100, 24
    x, phi, mix, invr = t.normal(n, k), t.normal(k, m), t.poison(n, m), t.poison(n)
    t.launch((2, 1), x, phi, mix, invr, N=n, K=k, M=m, stride_xn=k, stride_xk=1, stride_phik=m,
             stride_phim=1, stride_mn=m, stride_mm=1, eps=1e-6, BLOCK_N=16, BLOCK_K=64, BLOCK_M=32,
             CAST_FP32=True)
    r = rms(t.f64(x))
    t.close(invr, r, terms=k)
    t.close(mix, t.f64(x) @ t.f64(phi) * r[:, None], terms=k)


@case("mhc.py", "_mhc_mm_norm_bwd_fused_kernel")
def mhc_mm_norm_backward(t):
    n, k, m = 20, 48, 24
    x, phi, mix, gmix = t.normal(n, k), t.normal(k, m), t.normal(n, m), t.normal(n, m)
    invr, gx, gphi = t.array(rms(t.f64(x))), t.poison(n, k), t.zeros(k, m)
    t.launch((2, 1), x, phi, mix, invr, gmix, gx, gphi, N=n, K=k, M=m, stride_xn=k, stride_xk=1,
             stride_phik=m, stride_phim=1, stride_mn=m, stride_mm=1, stride_invr=1, stride_gmn=m,
             stride_gmm=1, stride_gxn=k, stride_gxk=1, stride_gpk=m, stride_gpm=1, BLOCK_N=16,
             BLOCK_K=64, BLOCK_M=16, CAST_FP32=True)
    r = t.f64(invr)[:, None]
    g = (t.f64(gmix) * t.f64(mix)).sum(1, keepdims=True) / r
    gz = t.f64(gmix) * r
    t.close(gx, gz @ t.f64(phi).T - g * r**3 / k * t.f64(x), terms=m + k)
    t.close(gphi, t.f64(x).T @ gz, terms=n)


def sinkhorn(logits, eps, rounds):
    """Every matrix of the iteration: rows by softmax, then columns and rows in turn."""
    mat = softmax(logits) + eps
    mat = mat / (mat.sum(1, keepdims=True) + eps)
    history = [mat]
    for _ in range(rounds - 1):
        mat = mat / (mat.sum(2, keepdims=True) + eps)
        mat = mat / (mat.sum(1, keepdims=True) + eps)
        history.append(mat)
    return np.stack(history, 1)


@case("mhc.py", "_mhc_split_sinkhorn_fwd_kernel")
def mhc_sinkhorn_forward(t):
    n, hc, rounds, eps = 5, 4, 3, 1e-4
    m = 2 * hc + hc * hc
    mix, b = t.normal(n, m), t.normal(m)
    pre, post, res = t.poison(n, hc), t.poison(n, hc), t.poison(n, hc, hc)
    history, alpha = t.poison(n, rounds, hc, hc), [t.normal(1) for _ in range(3)]
    t.launch((n,), mix, b, pre, post, res, history, N=n, HC=hc, M=m, stride_mn=m, stride_mm=1,
             stride_hp_n=hc, stride_hp_h=1, stride_hq_n=hc, stride_hq_h=1, stride_hr_n=hc * hc,
             stride_hr_i=hc, stride_hr_j=1, stride_hn=rounds * hc * hc, stride_ht=hc * hc,
             stride_hi=hc, stride_hj=1, alpha_pre_ptr=alpha[0], alpha_post_ptr=alpha[1],
             alpha_res_ptr=alpha[2], pre_eps=0.01, sinkhorn_eps=eps, post_mult=2.0, TMAX=rounds,
             STORE_HIST=True)
    v, bias = t.f64(mix), t.f64(b)
    a = [t.f64(x)[0] for x in alpha]
    t.close(pre, sigmoid(v[:, :hc] * a[0] + bias[:hc]) + 0.01)
    t.close(post, sigmoid(v[:, hc:2 * hc] * a[1] + bias[hc:2 * hc]) * 2)
    want = sinkhorn((v[:, 2 * hc:] * a[2] + bias[2 * hc:]).reshape(n, hc, hc), eps, rounds)
    t.close(history, want, terms=8 * rounds)
    t.close(res, want[:, -1], terms=8 * rounds)


for stored in (False, True):

    @case("mhc.py", "_mhc_sinkhorn_bwd_hist_kernel" if stored else "_mhc_sinkhorn_bwd_kernel")
    def mhc_sinkhorn_backward(t, stored=stored):
        n, hc, rounds, eps = 3, 4, 3, 1e-3
        m = 2 * hc + hc * hc
        mix, b, alpha, gout = t.normal(n, m), t.normal(m), t.normal(1), t.normal(n, hc, hc)
        out = t.poison(n, hc, hc)
        logits = (t.f64(mix)[:, 2 * hc:] * t.f64(alpha)[0] + t.f64(b)[2 * hc:]).reshape(n, hc, hc)
        strides = dict(stride_mn=m, stride_mm=1, stride_go_n=hc * hc, stride_go_i=hc, stride_go_j=1,
                       stride_gl_n=hc * hc, stride_gl_i=hc, stride_gl_j=1)
        extra = {}
        if stored:
            extra = dict(hist_ptr=t.array(sinkhorn(logits, eps, rounds)), stride_hn=rounds * hc * hc,
                         stride_ht=hc * hc, stride_hi=hc, stride_hj=1)
        t.launch((n,), mix_ptr=mix, b_ptr=b, grad_out_ptr=gout, grad_logits_ptr=out, N=n, HC=hc,
                 alpha_res_ptr=alpha, sinkhorn_eps=eps, TMAX=rounds, **strides, **extra)
        # The derivative of sum(gout * result), by central differences in float64.
        g, step = t.f64(gout), 1e-6
        want = np.zeros_like(logits)
        for i in range(hc):
            for j in range(hc):
                shift = np.zeros_like(logits)
                shift[:, i, j] = step
                above = sinkhorn(logits + shift, eps, rounds)[:, -1]
                below = sinkhorn(logits - shift, eps, rounds)[:, -1]
                want[:, i, j] = ((above - below) * g).sum((1, 2)) / (2 * step)
        t.close(out, want, terms=64 * rounds, scale=np.abs(g).max())
