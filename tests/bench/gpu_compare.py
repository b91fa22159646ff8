#!/usr/bin/env python3
# gpu_compare.py - the same tile_kernels.py through Triton and through our packs, beside cuBLAS, cuDNN and PyTorch.
#
#   gpu_prepare.py ...                      # where the compiler is: packs gpu.toml
#   gpu_compare.py --library libnereid.so   # in that folder, on a machine with an H100, PyTorch and Triton
#
# Both sides take the best of the same list of configs. Then all sides run in turns, round after round, each launch
# after a write of 256 MB that empties the cache; what is printed are medians. Outputs are filled with NaN before the
# check against float64. --only TEXT narrows the list; the last line counts the bars that were held. The work is done by
# a process of its own: a config that hangs or loses the device costs itself, and the work goes on behind it.
import argparse
import ctypes
import importlib
import json
import math
import os
import pathlib
import re
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
import zlib
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "conformance")]
sys.dont_write_bytecode = True

STARTED = time.time()
ROUNDS, TRIES = 15, 3
SILENCE, LOST = 60, 77  # seconds after which a worker hangs; the status of one whose device is lost
REPETITIONS = 200
NOT_KERNEL_ARGUMENTS = ("num_warps", "num_stages", "ours")
# Serialised wgmma and ignored register budgets, as ptxas calls them.
BAD_NOTES = re.compile(r"C75\d\d|wgmma.*serializ|setmaxnreg.*ignored", re.I)


def note(text):
    print(f"[{time.time() - STARTED:4.0f} s] {text}", flush=True)


def constants(config):
    return {name: value for name, value in config.items() if name not in NOT_KERNEL_ARGUMENTS}


def options_of(config):
    return {name: config[name] for name in ("num_warps", "num_stages") if name in config}


def words(config):
    return " ".join(f"{name}={value}" for name, value in config.items() if name != "ours")


# --- Triton ---------------------------------------------------------------------


def triton_kernels():
    import torch
    import triton
    module = importlib.import_module("tile_kernels")
    triton.set_allocator(lambda size, align, stream: torch.empty(size, device="cuda", dtype=torch.int8))
    return module


TORCH_TYPES = {"fp16": "float16", "bf16": "bfloat16", "fp32": "float32", "fp8e4nv": "float8_e4m3fn"}


def warm(task):
    """In a process of its own: compiles one config into Triton's cache on disk, for the sizes that are measured."""
    function, signature, config = task
    import torch
    kernel = getattr(triton_kernels(), function)
    arguments = {}
    for name, text in signature.items():
        if isinstance(text, int):
            arguments[name] = text
        elif text.startswith("*"):
            arguments[name] = getattr(torch, TORCH_TYPES[text[1:]])
        else:
            arguments[name] = 4096 if text == "i32" else 0.125
    try:
        kernel.warmup(**arguments, **constants(config), **options_of(config), grid=(1,))
    except Exception as error:  # what Triton cannot compile is not run later either
        return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
    return None


class TritonSide:
    def __init__(self):
        self.module = triton_kernels()

    def launcher(self, kernel, number, problem):
        config = kernel["config"][number]
        function = getattr(self.module, kernel["function"])[problem.grid(config)]
        keywords = dict(problem.args, **constants(config), **options_of(config))
        return lambda: function(**keywords)


# --- Ours -----------------------------------------------------------------------


class OurSide:
    def __init__(self, library, folder):
        import nrd
        self.error = nrd.Error
        self.plan = json.loads((folder / "plan.json").read_text())
        self.library = nrd.Library(library)
        self.device = self.library.device("cuda:0")
        pack = folder / "gpu_compare.nrd"
        self.pack = self.library.pack(pack) if pack.exists() else None
        self.names = set(self.pack.names()) if self.pack else set()
        self.launch = self.library._dll.nrd_call_launch

    def bound(self, kernel, number, problem):
        name = f"{kernel['name']}_c{number}"
        if name not in self.names:
            raise LookupError(self.plan["errors"].get(name, "not in the pack"))
        call = self.pack.kernel(self.device, name).call()
        for argument, value in problem.args.items():
            if hasattr(value, "data_ptr"):
                call.set_pointer(argument, value.data_ptr())
            elif isinstance(value, float):
                call.set_float(argument, value)
            else:
                call.set_int(argument, value)
        call.set_grid(*problem.grid(kernel["config"][number]))
        call.bind()
        return call

    def launcher(self, kernel, number, problem):
        call = self.bound(kernel, number, problem)
        launch, handle = self.launch, call.handle

        def run(call=call):
            if launch(handle, None):
                raise RuntimeError(self.library.error_message().decode())

        return run

    def facts(self, kernel, number, problem):
        """Registers and spills of the variant that the arguments choose."""
        call = self.bound(kernel, number, problem)
        index = ctypes.c_uint32()
        self.library.call_variant(call.handle, ctypes.byref(index))
        variant = self.pack.kernel(self.device, f"{kernel['name']}_c{number}").variants()[index.value]
        return dict(registers=variant.registers, spill_bytes=variant.spill_bytes, shared=variant.shared_size,
                    variant=index.value, threads=variant.block[0] * variant.block[1] * variant.block[2])


# --- Timing ---------------------------------------------------------------------


class Clock:
    """Microseconds of one launch by events, behind a write that empties the cache and hides the host's time."""

    def __init__(self):
        import torch
        self.torch = torch
        self.cache = torch.empty(256 << 20, dtype=torch.int8, device="cuda")
        self.pairs = []

    def record(self, run):
        begin, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        self.cache.zero_()
        begin.record()
        run()
        end.record()
        self.pairs.append((begin, end))

    def read(self):
        self.torch.cuda.synchronize()
        times = [begin.elapsed_time(end) * 1e3 for begin, end in self.pairs]
        self.pairs = []
        return times

    def quick(self, run):
        run()
        for _ in range(TRIES):
            self.record(run)
        return statistics.median(self.read())

    def interleaved(self, runs):
        names = list(runs)
        for round in range(ROUNDS):
            for i in range(len(names)):
                self.record(runs[names[(i + round) % len(names)]])
        times = self.read()
        found = {name: [] for name in names}
        for round in range(ROUNDS):
            for i in range(len(names)):
                found[names[(i + round) % len(names)]].append(times[round * len(names) + i])
        return {name: statistics.median(values) for name, values in found.items()}


def best_config(who, side, kernel, problem, clock, lost):
    """(time, config number, launcher) of the fastest right one, and what is to be said of the others."""
    best, why, times = None, [], {}
    for number in range(len(kernel["config"])):
        if [who, kernel["name"], number] in lost:
            why.append(f"{words(kernel['config'][number])}: WRONG, it hangs or loses the device")
            continue
        tell(trying=[who, kernel["name"], number])
        try:
            run = side.launcher(kernel, number, problem)
            time_us = clock.quick(run)
            poison(problem)
            run()
            error = problem.error()
        except Exception as error:
            if re.search("illegal|misaligned|launch failure", f"{error!r}", re.I):
                os._exit(LOST)
            text = str(error).strip() or repr(error)
            why.append(f"{words(kernel['config'][number])}: {text.splitlines()[0][:150]}")
            continue
        if not error <= problem.bound:
            why.append(f"{words(kernel['config'][number])}: WRONG, error {error:.1e}, {time_us:.0f} us")
            continue
        times[words(kernel["config"][number])] = time_us
        if best is None or time_us < best[0]:
            best = (time_us, number, run)
    return best, why, times


def tell(**row):
    """To the parent, a line of JSON."""
    print(json.dumps(row, default=str), flush=True)


def poison(problem):
    for name in problem.outputs:
        problem.args[name].fill_(math.nan)


def repeated(run, problem):
    """How many of the repetitions are not bit for bit the first one."""
    import torch
    kept, bad = None, torch.zeros((), dtype=torch.int64, device="cuda")
    for _ in range(REPETITIONS):
        poison(problem)
        run()
        bits = [problem.args[name].view(torch.uint8) for name in problem.outputs]
        if kept is None:
            kept = [b.clone() for b in bits]
        else:
            bad += torch.stack([(b != k).any() for b, k in zip(bits, kept)]).any()
    return int(bad.item())


def measure(case, kernel, ours, triton, clock, lost):
    import torch
    torch.manual_seed(zlib.crc32(case.name.encode()))
    problem, rows = case.make(), []
    theirs, their_why, their_times = best_config("Triton", triton, kernel, problem, clock, lost)
    mine, why, my_times = best_config("ours", ours, kernel, problem, clock, lost)
    if mine:
        tell(trying=["ours", kernel["name"], mine[1]])
    runs = {"Triton": theirs[2]} if theirs else {}
    if problem.library:
        try:
            problem.library[1]()
            runs[problem.library[0]] = problem.library[1]
        except Exception as error:
            their_why.append(f"{problem.library[0]} does not run: {str(error)[:80]}")
    result = dict(case=case.name, why=why, triton_why=their_why, times=my_times, triton_times=their_times)
    if mine:
        poison(problem)
        mine[2]()
        torch.cuda.synchronize()
        result["error"] = problem.error()
        result["bound"] = problem.bound
        result["config"] = kernel["config"][mine[1]]
        result["kernel"] = f"{kernel['name']}_c{mine[1]}"
        result.update(ours.facts(kernel, mine[1], problem))
        runs["ours"] = mine[2]
        if case.repeat:
            result["differing"] = repeated(mine[2], problem)
    if theirs:
        poison(problem)
        theirs[2]()
        torch.cuda.synchronize()
        result["triton_error"] = problem.error()
        result["triton_config"] = kernel["config"][theirs[1]]
    times = clock.interleaved(runs)
    speed = {name: case.work / us / (1e3 if case.unit == "GB/s" else 1e6) for name, us in times.items()}
    result["speed"], result["us"] = speed, times
    for peer, value in speed.items():
        if peer != "ours":
            mine_value = speed.get("ours")
            rows.append({"name": case.name, "ours": mine_value, "peer": value, "peer_name": peer, "unit": case.unit,
                         "ratio": mine_value / value if mine_value else None, "bar": case.bars.get(peer),
                         "error": result.get("error")})
    return result, rows


# --- Disassembly ----------------------------------------------------------------


def look_at_code(folder, results, plan):
    """What the images of the chosen configs hold: matrix and copy instructions, registers refilled between HGMMAs,
    spills, and what ptxas said."""
    tool = shutil.which("cuobjdump") or "/usr/local/cuda/bin/cuobjdump"
    if not pathlib.Path(tool).exists() or not (folder / "images.tgz").exists():
        note("no cuobjdump or no images: the disassembly is not looked at")
        return []
    where = tempfile.TemporaryDirectory()
    subprocess.run(["tar", "-C", where.name, "-xzf", str(folder / "images.tgz")], check=True)
    names = sorted({r["kernel"] for r in results if "kernel" in r})
    files = {name: next(pathlib.Path(where.name).glob(f"images/{name}.*.bin"), None) for name in names}

    def disassemble(name):
        done = subprocess.run([tool, "-sass", str(files[name])], capture_output=True, text=True)
        return done.stdout

    rows = []
    with ThreadPoolExecutor(8) as pool:
        for name, text in zip(names, pool.map(disassemble, names)):
            opcodes = re.findall(r"^\s+/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+ )?([A-Z][A-Z0-9_.]*)", text, re.M)
            base = [op.split(".")[0] for op in opcodes]
            gmma = [i for i, op in enumerate(base) if op in ("HGMMA", "QGMMA", "IGMMA")]
            between = 0
            for a, b in zip(gmma, gmma[1:]):
                between += base[a:b].count("R2UR")
            row = dict(kernel=name, instructions=len(base), gmma=len(gmma), mma=base.count("HMMA") + base.count("QMMA"),
                       tma_loads=base.count("UTMALDG"), tma_stores=base.count("UTMASTG"), async_copies=base.count("LDGSTS"),
                       r2ur_between=between, local_loads=base.count("LDL"), local_stores=base.count("STL"),
                       vector_loads=sum(op.startswith("LDG") and ".128" in op for op in opcodes),
                       notes=[line for line in plan["notes"].get(name, "").splitlines() if BAD_NOTES.search(line)])
            row["problems"] = row["notes"][:]
            if row["local_loads"] or row["local_stores"]:
                row["problems"].append(f"{row['local_loads']} LDL and {row['local_stores']} STL: spilled")
            if name.startswith("matmul") and not row["gmma"]:
                row["problems"].append("no HGMMA or QGMMA")
            if name.startswith("matmul_desc") and not row["tma_loads"]:
                row["problems"].append("no UTMALDG")
            rows.append(row)
    print(f"\n{'image':28} {'instr':>6} {'GMMA':>5} {'MMA':>5} {'UTMALDG':>7} {'UTMASTG':>7} {'LDGSTS':>6} {'LDG128':>6} "
          f"{'R2UR between':>12} {'LDL/STL':>8}")
    for r in rows:
        print(f"{r['kernel']:28} {r['instructions']:6} {r['gmma']:5} {r['mma']:5} {r['tma_loads']:7} {r['tma_stores']:7} "
              f"{r['async_copies']:6} {r['vector_loads']:6} {r['r2ur_between']:12} "
              f"{r['local_loads']:4}/{r['local_stores']:<3} {'; '.join(r['problems'])}")
    return rows


# --- Main -----------------------------------------------------------------------


def number(value, width, digits=0):
    return f"{value:{width}.{digits}f}" if value is not None and math.isfinite(value) else f"{'-':>{width}}"


def print_table(results, rows):
    print(f"\n{'':34} {'ours':>7} {'Triton':>7} {'ratio':>6} {'bar':>5}   {'library':>14} {'ratio':>6} {'bar':>5}   "
          f"{'error':>8} {'Triton':>8}  {'regs':>4} {'spill':>5}  best configs (ours | Triton)")
    held = missed = 0
    for r in results:
        mine = {row["peer_name"]: row for row in rows if row["name"] == r["case"]}
        line = f"{r['case']:34} {number(r['speed'].get('ours'), 7)} "
        triton = mine.pop("Triton", None)
        verdicts = []
        for row, peer in ((triton, None), (next(iter(mine.values()), None), True)):
            if row is None:
                line += f"{'-':>{14 if peer else 7}} {'':6} {'':5}   "
                continue
            value = f"{row['peer_name']} {row['peer']:.0f}" if peer else f"{row['peer']:.0f}"
            line += f"{value:>{14 if peer else 7}} {number(row['ratio'], 6, 3)} "
            line += f"{row['bar']:5.2f}   " if row["bar"] else f"{'':5}   "
            if row["bar"]:
                ok = row["ratio"] is not None and row["ratio"] >= row["bar"]
                verdicts.append(ok)
        wrong = []
        if "error" in r and not r["error"] <= r["bound"]:
            wrong.append(f"WRONG: error above {r['bound']}")
        if r.get("differing"):
            wrong.append(f"{r['differing']} of {REPETITIONS} repetitions DIFFER")
        if r.get("spill_bytes"):
            wrong.append("SPILLS")
        wrong += [f"config {text}" for text in r["why"] if ": WRONG" in text]
        held += sum(verdicts)
        missed += len(verdicts) - sum(verdicts) + len(wrong)
        error = f"{r['error']:8.1e}" if "error" in r else f"{'-':>8}"
        their = f"{r['triton_error']:8.1e}" if "triton_error" in r else f"{'-':>8}"
        line += f"{error} {their}  {r.get('registers', 0):4} {r.get('spill_bytes', 0):5}  "
        brief = lambda c: ",".join(str(v) for n, v in c.items() if n not in ("ours", "HEAD_DIM", "CAUSAL", "GROUP_M",  # noqa: E731,E501
                                                                             "NUM_SMS")) if c else "-"
        line += f"{brief(r.get('config'))} | {brief(r.get('triton_config'))}"
        print(line + ("   " + "; ".join(wrong) if wrong else "") + ("" if all(verdicts) else "   BELOW"))
    return held, missed


def work(options, folder, kernels, cases, done, lost):
    import torch
    ours, triton, clock = OurSide(options.library, folder), TritonSide(), Clock()
    for case in cases:
        if case.name in done:
            continue
        tell(begin=case.name)
        result, rows = measure(case, kernels[case.kernel], ours, triton, clock, lost)
        tell(end=case.name, result=result, rows=rows)
        torch.cuda.empty_cache()


def drive(cases, every_config):
    """The results of all cases, from as many workers as it takes."""
    done, lost, results, rows = [], [], [], []
    units = {case.name: case.unit for case in cases}
    while len(done) < len(cases):
        worker = subprocess.Popen([sys.executable, str(HERE / "gpu_compare.py"), *sys.argv[1:], "--worker",
                                   json.dumps(dict(done=done, lost=lost))], stdout=subprocess.PIPE)
        pending, current, trying = b"", None, None
        while True:
            if not select.select([worker.stdout], [], [], SILENCE)[0]:
                worker.kill()
                break
            data = os.read(worker.stdout.fileno(), 1 << 16)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in map(json.loads, lines):
                if "begin" in line:
                    current, trying = line["begin"], None
                elif "trying" in line:
                    trying = line["trying"]
                else:
                    done.append(line["end"])
                    results.append(line["result"])
                    rows += line["rows"]
                    shown = ", ".join(f"{name} {value:.0f}" for name, value in line["result"]["speed"].items())
                    note(f"{line['end']}: {shown} {units[line['end']]}" +
                         "".join(f"\n         ours: {w}" for w in line["result"]["why"]))
                    mine, theirs = line["result"]["times"], line["result"]["triton_times"]
                    for config in dict.fromkeys([*mine, *theirs]) if every_config else ():
                        print(f"         {number(mine.get(config), 8, 1)} {number(theirs.get(config), 8, 1)} us  {config}")
        status = worker.wait()
        if status == 0:
            break
        if trying is None or trying in lost or current is None:
            sys.exit(f"error: the worker ended with status {status} at '{current}'")
        note(f"{current}: {trying[0]}, config {trying[2]} of {trying[1]} hangs or loses the device (status {status})")
        lost.append(trying)
    return results, rows


def main():
    parser = argparse.ArgumentParser(description="Our kernels beside Triton's, cuBLAS and cuDNN, on this GPU.")
    parser.add_argument("--library", default=str(HERE.parent / "lib/libnereid.so.0"), help="the runtime")
    parser.add_argument("--folder", default=str(HERE), help="what gpu_prepare.py filled")
    parser.add_argument("--only", action="append", help="cases whose name holds this text; may be repeated")
    parser.add_argument("--json", metavar="FILE", help="rows {name, ours, peer, peer_name, unit, ratio, bar, error}")
    parser.add_argument("--details", metavar="FILE", help="everything that was found, as JSON")
    parser.add_argument("--jobs", "-j", type=int, default=os.cpu_count(), help="of Triton's compilations")
    parser.add_argument("--configs", action="store_true", help="print the time of every config: ours, Triton's")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)

    from gpu_cases import all_cases
    kernels = {k["name"]: k for k in tomllib.loads((folder / "gpu.toml").read_text())["kernel"]}
    cases = [c for c in all_cases() if not options.only or any(text in c.name for text in options.only)]
    if not cases:
        sys.exit("error: no case has that text in its name")
    if options.worker:
        return work(options, folder, kernels, cases, **json.loads(options.worker))
    import torch
    note(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {len(cases)} cases")
    needed = [kernels[name] for name in dict.fromkeys(case.kernel for case in cases)]
    tasks = [(k["function"], k["signature"], config) for k in needed for config in k["config"]]
    if options.jobs > 1:
        import multiprocessing
        with ProcessPoolExecutor(min(options.jobs, 12), multiprocessing.get_context("spawn")) as pool:
            list(pool.map(warm, tasks))
        note(f"Triton compiled {len(tasks)} configs")

    results, rows = drive(cases, options.configs)
    code = look_at_code(folder, results, json.loads((folder / "plan.json").read_text()))
    held, missed = print_table(results, rows)
    missed += sum(len(row["problems"]) for row in code)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows, indent=1))
    if options.details:
        pathlib.Path(options.details).write_text(json.dumps(dict(results=results, code=code), indent=1, default=str))
    note("done")
    print(f"{held} passed, {missed} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
