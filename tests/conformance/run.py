#!/usr/bin/env python3
# run.py - the conformance suite: builds the packs, runs every case on every device, prints one table.
#
# Needs Python 3 with numpy, the `nereid` tool and libnereid.so. Each device has
# a worker process of its own, so that a crash costs one case and is reported
# as that case's failure.
import argparse
import importlib
import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
REPO = HERE.parent.parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import harness  # noqa: E402
import nrd  # noqa: E402
import packs  # noqa: E402

# Forced levels: each runs the variants of its own target, not a better one.
CPU_DEVICES = ["cpu:x86-64-v2", "cpu:x86-64-v3", "cpu:x86-64-v4", "cpu:x86-64-amx"]
CASE_SECONDS = 120


def parse_arguments():
    parser = argparse.ArgumentParser(description="Runs kernels on every device and compares with float64 references.")
    parser.add_argument("--tool", default=str(REPO / "build/bin/nereid"), help="the nereid tool")
    parser.add_argument("--library", default=str(REPO / "build/lib/libnereid.so"), help="the runtime")
    parser.add_argument("--folder", default=str(REPO / "build/tests/conformance"), help="where packs are kept")
    parser.add_argument("--device", action="append", help='such as "cpu:x86-64-v3"; may be repeated (default: every '
                        "CPU level this machine has)")
    parser.add_argument("--topic", action="append", help="only these topics; may be repeated")
    parser.add_argument("--filter", default="", help="only cases whose label holds this text")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="N random shapes per case function instead")
    parser.add_argument("--seed", type=int, default=0, help="of every random number (default 0)")
    parser.add_argument("--jobs", "-j", type=int, default=os.cpu_count())
    parser.add_argument("--failures", type=int, default=40, help="how many failures to print in full")
    parser.add_argument("--list", action="store_true", help="print the cases and stop")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--start", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def topics(options):
    names = sorted(path.stem for path in (HERE / "cases").glob("*.py"))
    for name in options.topic or []:
        if name not in names:
            sys.exit(f"error: no topic '{name}'; there are: {', '.join(names)}")
    return [name for name in names if not options.topic or name in options.topic]


def all_cases(options):
    """(topic, label, function, parameters) in a fixed order."""
    for topic in topics(options):
        module = importlib.import_module(f"cases.{topic}")
        for label, function, parameters in harness.cases_of(topic, module, options.seed, options.random):
            if options.filter in f"{topic}: {label}":
                yield topic, label, function, parameters


def plan(options):
    """[(topic, label, spec)]: runs every case up to its launch."""
    rows = []
    for topic, label, function, parameters in all_cases(options):
        case = harness.Case(topic, label, options.seed)
        try:
            function(case, **parameters)
            sys.exit(f"error: {topic}: {label}: the case does not launch")
        except harness.Planned:
            rows.append((topic, label, case.spec))
    return rows


# --- Worker: one device, one line of JSON per case ------------------------------


def work(options):
    library = nrd.Library(options.library)
    device = library.device(options.worker)
    host_memory = options.worker.startswith("cpu")
    found = json.loads((pathlib.Path(options.folder) / "plan.json").read_text())
    open_packs = {}
    for number, (topic, label, function, parameters) in enumerate(all_cases(options)):
        if number < options.start:
            continue
        print(json.dumps({"begin": number}), flush=True)
        case = harness.Case(topic, label, options.seed)
        problems = []
        for at_end in (False, True):
            case = harness.Case(topic, label, options.seed)
            try:
                case.runner = device
                function(case, **parameters)
                path = found["packs"].get(case.spec.name)
                if path is None:
                    problems.append("not compiled")
                    break
                if path not in open_packs:
                    open_packs[path] = library.pack(path)
                kernel = open_packs[path].kernel(device, case.spec.name)
                said, target = case.run(kernel, at_end, host_memory)
                problems += [text + (" (data at the end of its page)" if at_end else "") for text in said]
                if options.worker.startswith("cpu:") and target != options.worker[4:]:
                    problems.append(f"the variant for {target} ran instead of the device's own")
            except nrd.Error as error:
                problems.append(f"NRD_{error.status}: {error}")
            if problems:
                break
        print(json.dumps({"end": number, "problems": problems}), flush=True)


class Worker:
    """Drives one device's process to the end, starting it again after a crash."""

    def __init__(self, options, device, count):
        self.options, self.device, self.count = options, device, count
        self.problems = [None] * count
        self.start = 0
        self._spawn()

    def _spawn(self):
        arguments = [sys.executable, str(HERE / "run.py"), *sys.argv[1:], "--worker", self.device, "--start",
                     str(self.start)]
        environment = dict(os.environ, OMP_NUM_THREADS=os.environ.get("OMP_NUM_THREADS", "2"))
        self.current = None
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=environment)

    def finish(self):
        while True:
            for line in self.process.stdout:
                row = json.loads(line)
                if "begin" in row:
                    self.current = row["begin"]
                else:
                    self.problems[row["end"]] = row["problems"]
                    self.start = row["end"] + 1
            error = self.process.stderr.read().strip()
            status = self.process.wait()
            if status == 0 and self.start >= self.count:
                return
            if self.current is None or self.current < self.start:
                sys.exit(f"error: the worker for {self.device} ended with status {status}\n{error[-3000:]}")
            what = f"CRASHED with signal {-status}" if status < 0 else f"the worker ended with status {status}"
            self.problems[self.current] = [f"{what}: {error[-1500:]}"]
            self.start = self.current + 1
            if self.start >= self.count:
                return
            self._spawn()


# --- Main ------------------------------------------------------------------------


def accepted_devices(options):
    library = nrd.Library(options.library)
    devices, notes = [], []
    for name in options.device or CPU_DEVICES:
        try:
            library.device(name)
            devices.append(name)
        except nrd.Error as error:
            if options.device:
                sys.exit(f"error: device {name}: {error}")
            notes.append(f"not run here: {name}: {error}")
    return devices, notes


def main():
    options = parse_arguments()
    if options.worker:
        return work(options)
    began = time.time()
    rows = plan(options)
    if options.list:
        print("\n".join(f"{topic}: {label}" for topic, label, _ in rows))
        return 0
    devices, notes = accepted_devices(options)
    targets = sorted({device.split(":")[-1] for device in devices})
    specs = list({spec.name: spec for _, _, spec in rows}.values())
    print(f"{len(rows)} cases, {len(specs)} kernels for {' '.join(targets)}, seed {options.seed}", flush=True)

    builder = packs.Builder(options.tool, options.folder, targets, options.jobs)
    built, errors = builder.build(specs)
    (pathlib.Path(options.folder) / "plan.json").write_text(json.dumps({"packs": built}))
    packed = time.time()
    print(f"packed in {packed - began:.1f} s ({builder.built} packs built, the rest kept)", flush=True)

    results = {}
    for begin in range(0, len(devices), max(options.jobs // 2, 1)):
        workers = [Worker(options, device, len(rows)) for device in devices[begin:begin + max(options.jobs // 2, 1)]]
        for worker in workers:
            worker.finish()
            results[worker.device] = worker.problems
            bad = sum(1 for problems in worker.problems if problems)
            print(f"{worker.device}: {len(rows) - bad} of {len(rows)} passed", flush=True)

    print()
    width = max([len(topic) for topic, _, _ in rows] + [5])
    print(f"{'topic':{width}}  {'cases':>5}" + "".join(f"  {device:>16}" for device in devices))
    for topic in dict.fromkeys(topic for topic, _, _ in rows):
        mine = [i for i, row in enumerate(rows) if row[0] == topic]
        cells = []
        for device in devices:
            passed = sum(1 for i in mine if not results[device][i])
            cells.append("all passed" if passed == len(mine) else f"{len(mine) - passed} FAILED")
        print(f"{topic:{width}}  {len(mine):5}" + "".join(f"  {cell:>16}" for cell in cells))
    for note in notes:
        print(note)

    printed = 0
    for name, error in errors.items():
        labels = [f"{topic}: {label}" for topic, label, spec in rows if spec.name == name]
        if printed < options.failures:
            print(f"\nNOT COMPILED {labels[0]}" + (f" and {len(labels) - 1} more" if len(labels) > 1 else ""))
            print("  " + error.replace("\n", "\n  "))
        printed += 1
    failed = len(errors)
    for device in devices:
        for (topic, label, spec), problems in zip(rows, results[device]):
            if problems and spec.name not in errors:
                if printed < options.failures:
                    print(f"\nFAILED {topic}: {label} on {device}\n  " + "\n  ".join(problems))
                printed += 1
                failed += 1
    if printed > options.failures:
        print(f"\n... and {printed - options.failures} more (--failures)")
    total = len(rows) * len(devices)
    bad = sum(1 for device in devices for problems in results[device] if problems)
    print(f"\n{total - bad} of {total} passed, {len(errors)} kernels not compiled; {packed - began:.0f} s packing, "
          f"{time.time() - packed:.0f} s running")
    if not devices:
        print("error: no device to run on")
        return 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
