#!/usr/bin/env python3
# launch_cost.py - host cost of one launch, one run, one kernel: the raw driver call, ours, and Triton's launcher.
#
# The kernel is compiled by Triton where this runs; its own cubin is put into a
# pack (by gpu-pack-image), so that all sides launch the very same code. The pack
# has an aligned and a generic variant, as `nereid build` makes them. Everything
# runs on one CPU; launch_cost.c says how the ways are compared. What is printed is
# the median over several passes, with the least and the largest of them.
import argparse
import ctypes
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "conformance")]

import nrd  # noqa: E402

COUNTS = (4, 16, 58)
WAYS = ("raw", "raw_buffer", "bound", "set_one", "set_all", "store_all")
BAR_NS = 50


def triton_kernel(count, folder):
    """A kernel of `count` pointers, in a file, because Triton reads its source."""
    import importlib.util
    names = ", ".join(f"a{i}" for i in range(count))
    path = folder / f"many{count}.py"
    path.write_text("import triton\nimport triton.language as tl\n\n\n@triton.jit\n"
                    f"def many{count}({names}):\n    tl.store(a0, 1.0)\n")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, f"many{count}")


def median_ns(work, drain, rounds=21, repeats=100):
    spent = []
    for _ in range(rounds):
        begin = time.perf_counter_ns()
        for _ in range(repeats):
            work()
        spent.append((time.perf_counter_ns() - begin) / repeats)
        drain()
    return statistics.median(spent)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", default=str(HERE / "lib/libnereid.so.0"))
    parser.add_argument("--measure", default=str(HERE / "liblaunch_cost.so"))
    parser.add_argument("--pack-image", default=str(HERE / "gpu-pack-image"))
    parser.add_argument("--json")
    parser.add_argument("--rounds", type=int, default=20000)
    parser.add_argument("--passes", type=int, default=5)
    options = parser.parse_args()
    import torch
    library = nrd.Library(options.library)
    measure = ctypes.CDLL(options.measure).measure_launches
    doubles = ctypes.c_double * len(WAYS)
    measure.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32,
                        ctypes.c_uint32, ctypes.c_int, doubles]
    device = library.device("cuda:0")
    cpu = max(os.sched_getaffinity(0))
    print(f"{device.description}; on CPU {cpu}, {options.passes} passes of {options.rounds} rounds; ns")
    print(f"{'arguments':>9}  {'raw':>16}  {'bound - raw':>16}  {'buffer - raw':>12}  {'set 1 - raw':>11}  "
          f"{'set all - raw':>13}  {'store all - raw':>15}  {'Triton compiled':>18}  {'Triton jit':>10}")
    rows, failed = [], 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for count in COUNTS:
            kernel = triton_kernel(count, folder)
            memory = torch.zeros(4096 + 64 * count, device="cuda")
            tensors = [memory[64 * (i % 8):] for i in range(count)]
            compiled = kernel[(1,)](*tensors)
            torch.cuda.synchronize()
            assert memory[0].item() == 1.0
            cubin, pack = folder / "k.cubin", folder / "k.nrd"
            cubin.write_bytes(compiled.asm["cubin"])
            threads = 32 * compiled.metadata.num_warps
            subprocess.run([options.pack_image, "-o", pack, "--name", f"many{count}", "--target", "sm_90a", "--symbol",
                            compiled.metadata.name, "--threads", str(threads), "--shared",
                            str(compiled.metadata.shared), "--pad", "16", "--aligned", "--image", cubin,
                            *[f"a{i}=*fp32" for i in range(count)]], check=True)
            opened = library.pack(pack)
            call = opened.kernel(device, f"many{count}").call()
            for i, tensor in enumerate(tensors):
                call.set_pointer(i, tensor.data_ptr())
            call.set_grid(1)
            memory.zero_()
            torch.cuda.synchronize()
            call.launch()
            assert memory[0].item() == 1.0, "our launch of the same cubin"
            os.sched_setaffinity(0, {cpu})
            passes = []
            runner = compiled[(1, 1, 1)]
            for _ in range(options.passes):
                medians = doubles()
                if measure(device.handle, call.handle, count, memory.data_ptr(), threads, compiled.metadata.shared,
                           options.rounds, medians):
                    sys.exit(f"error: a launch failed: {library.error_message().decode()}")
                passes.append({"raw": medians[0],
                               **{f"{way}-raw": value - medians[0] for way, value in zip(WAYS[1:], medians[1:])},
                               "triton_compiled": median_ns(lambda: runner(*tensors), torch.cuda.synchronize),
                               "triton_jit": median_ns(lambda: kernel[(1,)](*tensors), torch.cuda.synchronize)})
            row = {key: statistics.median(one[key] for one in passes) for key in passes[0]}

            def spread(key, sign=""):
                values = [one[key] for one in passes]
                return f"{row[key]:{sign}.0f} ({min(values):{sign}.0f}..{max(values):{sign}.0f})"
            is_met = row["bound-raw"] <= BAR_NS
            failed += not is_met
            rows.append(dict(row, arguments=count, passes=passes))
            print(f"{count:9}  {spread('raw'):>16}  {spread('bound-raw', '+'):>16}  {row['raw_buffer-raw']:+12.0f}  "
                  f"{row['set_one-raw']:+11.0f}  {row['set_all-raw']:+13.0f}  {row['store_all-raw']:+15.0f}  "
                  f"{spread('triton_compiled'):>18}  {row['triton_jit']:10.0f}   {'ok' if is_met else f'ABOVE {BAR_NS}'}",
                  flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows, indent=1))
    print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
