#!/usr/bin/env python3
# run.py - the conformance suite: builds the packs, runs every case on every device, prints one table.
#
# Needs Python 3 with numpy, the `nereid` tool and libnereid.so. Each device has
# worker processes of its own, so that a crash, a hang or a fault of the device
# costs one case and is reported as that case's failure.
#
# A GPU elsewhere: `--prepare FOLDER --target sm_90a` packs everything and stops;
# there, `--prepared FOLDER --device cuda:0` runs it without the tool.
import argparse
import importlib
import json
import os
import pathlib
import select
import subprocess
import sys
import threading
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
    parser.add_argument("--target", action="append", help="compile for this; may be repeated (default: the devices' "
                        "own)")
    parser.add_argument("--prepare", metavar="FOLDER", help="write the packs and the plan there, and run nothing")
    parser.add_argument("--prepared", metavar="FOLDER", help="run what --prepare wrote, on --device")
    parser.add_argument("--shards", type=int, default=0, help="processes per device (default: 1 for a CPU, else 8 or "
                        "as many as there are processors)")
    parser.add_argument("--topic", action="append", help="only these topics; may be repeated")
    parser.add_argument("--filter", default="", help="only cases whose label holds this text")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="N random shapes per case function instead")
    parser.add_argument("--seed", type=int, default=0, help="of every random number (default 0)")
    parser.add_argument("--jobs", "-j", type=int, default=os.cpu_count())
    parser.add_argument("--failures", type=int, default=40, help="how many failures to print in full")
    parser.add_argument("--brief", action="store_true", help="one line per failure")
    parser.add_argument("--list", action="store_true", help="print the cases and stop")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--shard", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--start", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.prepared:
        # The cases must be those that were packed.
        options.folder = options.prepared
        plan = json.loads((pathlib.Path(options.prepared) / "plan.json").read_text())["options"]
        options.random, options.seed = plan["random"], plan["seed"]
        options.topic = options.topic or plan["topic"]
        options.filter = options.filter or plan["filter"]
    return options


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
        case = harness.Case(topic, label, options.seed, "")
        try:
            function(case, **parameters)
            sys.exit(f"error: {topic}: {label}: the case does not launch")
        except harness.Planned:
            rows.append((topic, label, case.spec))
    return rows


# --- Worker: one device, one line of JSON per case ------------------------------

# What a device's context does not survive: the worker begins again after these.
FATAL = ("DRIVER_ERROR", "KERNEL_FAILED")
AGAIN = 77


def work(options):
    library = nrd.Library(options.library)
    device = library.device(options.worker)
    folder = pathlib.Path(options.folder)
    found = json.loads((folder / "plan.json").read_text())
    open_packs = {}
    for number, (topic, label, function, parameters) in enumerate(all_cases(options)):
        if number < options.start or number % options.shards != options.shard:
            continue
        print(json.dumps({"begin": number}), flush=True)
        problems, fatal = [], False
        for at_end in (False, True):
            case = harness.Case(topic, label, options.seed, options.worker)
            try:
                case.runner = device
                function(case, **parameters)
                path = found["packs"].get(case.spec.name)
                if path is None:
                    problems.append("not compiled")
                    break
                if path not in open_packs:
                    open_packs[path] = library.pack(folder / path)
                kernel = open_packs[path].kernel(device, case.spec.name)
                said, target = case.run(kernel, at_end)
                problems += [text + (" (data at the end of its page)" if at_end else "") for text in said]
                if target not in found["targets"] or (options.worker.startswith("cpu:") and
                                                      target != options.worker[4:]):
                    problems.append(f"the variant for {target} ran instead of the device's own")
            except nrd.Error as error:
                problems.append(f"NRD_{error.status}: {error}")
                fatal = error.status in FATAL
            if problems:
                break
        print(json.dumps({"end": number, "problems": problems}), flush=True)
        if fatal:
            os._exit(AGAIN)


class Worker:
    """Drives one process of a device to the end of its share, starting it again after a crash, a hang or a fault."""

    def __init__(self, options, device, shard, problems):
        self.options, self.device, self.shard = options, device, shard
        self.problems = problems  # one entry per case, shared by the device's workers
        self.mine = [i for i in range(len(problems)) if i % options.shards == shard]
        self.start = 0
        self.error = None
        self.thread = threading.Thread(target=self._drive)
        self.thread.start()

    def finish(self):
        self.thread.join()
        if self.error:
            sys.exit(self.error)

    def _done(self):
        return not self.mine or self.start > self.mine[-1]

    def _drive(self):
        while not self._done():
            self._run_once()
            if self.error:
                return

    def _run_once(self):
        arguments = [sys.executable, str(HERE / "run.py"), *sys.argv[1:], "--worker", self.device, "--start",
                     str(self.start), "--shard", str(self.shard), "--shards", str(self.options.shards)]
        threads = "1" if self.options.shards > 1 else "2"
        environment = dict({"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}, **os.environ)
        current, hung = None, False
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        pending = b""
        while True:
            if not select.select([process.stdout], [], [], CASE_SECONDS)[0]:
                hung = True
                process.kill()
                break
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                row = json.loads(line)
                if "begin" in row:
                    current = row["begin"]
                else:
                    self.problems[row["end"]] = row["problems"]
                    self.start = row["end"] + 1
        error = process.stderr.read().decode(errors="replace").strip()
        status = process.wait()
        if status == AGAIN or (status == 0 and self._done()):
            return
        if current is None or current < self.start:
            if status == 0:  # nothing of the last share was left
                self.start = len(self.problems)
            else:
                self.error = f"error: the worker for {self.device} ended with status {status}\n{error[-3000:]}"
            return
        what = (f"HUNG: nothing for {CASE_SECONDS} s" if hung else f"CRASHED with signal {-status}" if status < 0 else
                f"the worker ended with status {status}")
        self.problems[current] = [f"{what}: {error[-1500:]}"]
        self.start = current + 1


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


def prepare(options, builder, targets, built, errors):
    """One pack, and what --prepared has to know."""
    folder = pathlib.Path(options.prepare)
    folder.mkdir(parents=True, exist_ok=True)
    pack = folder / "conformance.nrd"
    if built:
        builder.merge(set(built.values()), pack)
    chosen = {"random": options.random, "seed": options.seed, "topic": options.topic, "filter": options.filter}
    (folder / "plan.json").write_text(json.dumps({"packs": dict.fromkeys(built, pack.name), "errors": errors,
                                                  "targets": targets, "options": chosen}))
    for name, error in list(errors.items())[:options.failures]:
        print(f"NOT COMPILED {name}\n  " + error.replace("\n", "\n  "))
    size = pack.stat().st_size / 1024 if built else 0
    print(f"{len(built)} kernels packed in {size:.0f} KiB, {len(errors)} not compiled")
    return 1 if errors else 0


def main():
    options = parse_arguments()
    if options.worker:
        return work(options)
    began = time.time()
    rows = plan(options)
    if not rows:
        sys.exit("error: no case has that topic and text")
    if options.list:
        print("\n".join(f"{topic}: {label}" for topic, label, _ in rows))
        return 0
    folder = pathlib.Path(options.folder)
    devices, notes = ([], []) if options.prepare else accepted_devices(options)
    if options.prepared:
        known = json.loads((folder / "plan.json").read_text())
        targets, errors, builder = known["targets"], known["errors"], None
        print(f"{len(rows)} cases for {' '.join(targets)}, seed {options.seed}", flush=True)
    else:
        targets = options.target or sorted({device.split(":")[-1] for device in devices})
        specs = list({spec.name: spec for _, _, spec in rows}.values())
        print(f"{len(rows)} cases, {len(specs)} kernels for {' '.join(targets)}, seed {options.seed}", flush=True)
        builder = packs.Builder(options.tool, options.folder, targets, options.jobs)
        built, errors = builder.build(specs)
        if options.prepare:
            return prepare(options, builder, targets, built, errors)
        (folder / "plan.json").write_text(json.dumps({"packs": built, "targets": targets}))
        print(f"packed in {time.time() - began:.1f} s ({builder.built} packs built, the rest kept)", flush=True)
    packed = time.time()

    results, asked = {}, options.shards
    for device in devices:
        options.shards = asked or (1 if device.startswith("cpu") else min(8, os.cpu_count()))
        problems = [None] * len(rows)
        for worker in [Worker(options, device, shard, problems) for shard in range(options.shards)]:
            worker.finish()
        results[device] = problems
        bad = sum(1 for said in problems if said)
        print(f"{device}: {len(rows) - bad} of {len(rows)} passed", flush=True)

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
    wanted = {spec.name for _, _, spec in rows}
    errors = {name: error for name, error in errors.items() if name in wanted}
    for name, error in errors.items():
        labels = [f"{topic}: {label}" for topic, label, spec in rows if spec.name == name]
        if printed < options.failures:
            print(f"\nNOT COMPILED {labels[0]}" + (f" and {len(labels) - 1} more" if len(labels) > 1 else ""))
            print("  " + (error.split("\n")[0][:300] if options.brief else error.replace("\n", "\n  ")))
        printed += 1
    for device in devices:
        for (topic, label, spec), problems in zip(rows, results[device]):
            if problems and spec.name not in errors:
                if printed < options.failures and options.brief:
                    text = " / ".join(problems).replace("\n", " ")
                    print(f"FAILED {topic}: {label}: {text[:300]}")
                elif printed < options.failures:
                    print(f"\nFAILED {topic}: {label} on {device}\n  " + "\n  ".join(problems))
                printed += 1
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
