# imported by kernels.py
