"""Liger-Kernel's kernels, launched as its Python does and compared with numpy.

Nothing of Liger-Kernel is stored here: run.py takes the package at test time.
Each function in these files is one case. Its decorator names the file and the kernel;
`t` launches that kernel (positional and keyword arguments as in Triton) and
compares arrays. References are float64 and written from each operation's
definition.
"""

from liger import elementwise, experts, losses, normalisations, positions, products, reinforcement, residuals, softmax  # noqa: F401
