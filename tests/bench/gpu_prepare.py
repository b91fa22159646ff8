#!/usr/bin/env python3
# gpu_prepare.py - packs gpu.toml for gpu_compare.py and fills the folder that goes to the machine with the GPU.
#
# Every config becomes a kernel NAME_cN of one pack; one that does not compile is listed in plan.json with the reason.
# The images of the aligned variants lie beside the pack, for the check of the disassembly.
import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
CARRIED = ("gpu_compare.py", "gpu_repeat.py", "gpu_cases.py", "gpu.toml")


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, str) else repr(value)


def manifest(kernel, config, number, target, folder):
    source = os.path.relpath((HERE / kernel["source"]).resolve(), folder)
    lines = ["[pack]", 'name = "gpu_compare"', f'targets = ["{target}"]', "[[kernel]]", f'source = "{source}"',
             f'function = "{kernel["function"]}"', f'name = "{kernel["name"]}_c{number}"', "[kernel.signature]"]
    lines += [f"{name} = {toml(value)}" for name, value in kernel["signature"].items()]
    lines += ["[[kernel.config]]"] + [f"{name} = {toml(value)}" for name, value in config.items() if name != "ours"]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description="Packs the kernels of gpu_compare.")
    parser.add_argument("--tool", required=True, help="the nereid tool")
    parser.add_argument("--extract", required=True, help="gpu-extract-images")
    parser.add_argument("--folder", required=True)
    parser.add_argument("--target", default="sm_90a")
    parser.add_argument("--only", action="append", help="kernels whose name holds this text; may be repeated")
    parser.add_argument("--jobs", "-j", type=int, default=os.cpu_count())
    options = parser.parse_args()
    folder = pathlib.Path(options.folder).resolve()
    work = folder / "work"
    shutil.rmtree(folder, ignore_errors=True)
    work.mkdir(parents=True)
    kernels = tomllib.loads((HERE / "gpu.toml").read_text())["kernel"]
    tasks = [(kernel, number, config) for kernel in kernels for number, config in enumerate(kernel["config"])
             if not options.only or any(text in kernel["name"] for text in options.only)]

    def build(task):
        kernel, number, config = task
        base = work / f"{kernel['name']}_c{number}"
        text, pack = base.with_suffix(".toml"), base.with_suffix(".nrd")
        text.write_text(manifest(kernel, config, number, options.target, work))
        try:
            done = subprocess.run([options.tool, "build", str(text), "-o", str(pack), "-j", "1"], capture_output=True,
                                  text=True, errors="replace", timeout=300)
        except subprocess.TimeoutExpired:
            return None, "the tool ran for 300 s", ""
        if done.returncode:
            return None, done.stderr.strip() or f"status {done.returncode}", ""
        return pack, None, done.stderr.strip()

    packs, plan = [], {"target": options.target, "errors": {}, "notes": {}}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for (kernel, number, _), (pack, error, notes) in zip(tasks, pool.map(build, tasks)):
            name = f"{kernel['name']}_c{number}"
            if error:
                plan["errors"][name] = error
                print(f"not compiled: {name}: {error.splitlines()[0][:160]}")
            else:
                packs.append(pack)
                if notes:
                    plan["notes"][name] = notes
    (folder / "plan.json").write_text(json.dumps(plan, indent=1))
    if packs:
        whole, pack = work / "whole.nrd", folder / "gpu_compare.nrd"
        subprocess.run([options.tool, "merge", *map(str, packs), "-o", str(whole)], check=True, capture_output=True)
        subprocess.run([options.tool, "strip", "--no-ir", str(whole), "-o", str(pack)], check=True, capture_output=True)
        (folder / "images").mkdir()
        subprocess.run([options.extract, str(pack), str(folder / "images")], check=True)
        subprocess.run(["tar", "-C", str(folder), "-czf", str(folder / "images.tgz"), "images"], check=True)
        shutil.rmtree(folder / "images")
    for name in CARRIED:
        shutil.copy(HERE / name, folder)
    for name in ("nrd.py", "kernels/tile_kernels.py"):
        shutil.copy(HERE.parent / "conformance" / name, folder)
    shutil.rmtree(work)
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1024
    print(f"{len(packs)} of {len(tasks)} configs packed, {size:.0f} KiB")
    return 0 if len(packs) == len(tasks) else 1


if __name__ == "__main__":
    sys.exit(main())
