#!/usr/bin/env python3
# gpu_repeat.py - is a kernel's result the same every time? Every config of gpu.toml, 200 launches, bit for bit.
#
# In a folder that gpu_prepare.py filled, on a machine with a GPU and PyTorch. A missing barrier or wait seldom shows in
# one launch; it shows as a difference between many. Sizes are those of gpu_compare's cases that repeat, and odd ones
# where a kernel takes any. --only TEXT narrows the kernels. Each config runs in turn in this process; a
# fault ends it and names the config. The last line counts the configs.
import argparse
import pathlib
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]
sys.dont_write_bytecode = True


def problems(cases, kernel):
    """(words, problem) of one kernel: the case that repeats, and a small one of odd sizes."""
    import gpu_cases
    import torch
    for case in cases:
        if case.kernel == kernel["name"] and case.repeat:
            yield case.name, case.make()
    element = kernel["signature"].get("a_ptr", "").lstrip("*")
    types = {"fp16": torch.float16, "bf16": torch.bfloat16}
    if element in types and kernel["function"] == "matmul":
        yield f"matmul {element} 1000 pointers", gpu_cases.matmul(1000, types[element], False)


def main():
    parser = argparse.ArgumentParser(description="Launches every config 200 times and compares the results' bits.")
    parser.add_argument("--library", default=str(HERE.parent / "lib/libnereid.so.0"), help="the runtime")
    parser.add_argument("--folder", default=str(HERE), help="what gpu_prepare.py filled")
    parser.add_argument("--only", action="append", help="kernels whose name holds this text; may be repeated")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)
    import gpu_cases
    import gpu_compare
    import torch
    ours = gpu_compare.OurSide(options.library, folder)
    passed = failed = 0
    for kernel in tomllib.loads((folder / "gpu.toml").read_text())["kernel"]:
        if options.only and not any(text in kernel["name"] for text in options.only):
            continue
        for name, problem in problems(gpu_cases.all_cases(), kernel):
            for number, config in enumerate(kernel["config"]):
                label = f"{name}: {gpu_compare.words(config)}"
                try:
                    run = ours.launcher(kernel, number, problem)
                    differing = gpu_compare.repeated(run, problem)
                    error = problem.error()
                    torch.cuda.synchronize()
                except (LookupError, RuntimeError, ours.error) as reason:
                    failed += 1
                    print(f"FAILED {label}: {str(reason).splitlines()[0][:200]}", flush=True)
                    if "CUDA" in str(reason):  # the device is lost for this process
                        print(f"{passed} passed, {failed} failed (ended early)")
                        return 1
                    continue
                if differing or not error <= problem.bound:
                    failed += 1
                    print(f"FAILED {label}: {differing} of {gpu_compare.REPETITIONS} differ, error {error:.1e}", flush=True)
                else:
                    passed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
