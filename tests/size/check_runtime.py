#!/usr/bin/env python3
# check_runtime.py - libnereid.so: at most 100 KiB stripped, needs only what it may, runs nothing when loaded.
import argparse
import os
import re
import subprocess
import sys
import tempfile

LIMIT = 100 * 1024
# libc, libm and libzstd, the OpenMP library where it is enabled, and the
# dynamic linker itself.
ALLOWED = re.compile(r"lib(c|m)\.so\.6|libzstd\.so\.1|lib(omp|gomp|iomp)[-0-9]*\.so\.\d+|ld-linux-x86-64\.so\.2")

parser = argparse.ArgumentParser()
parser.add_argument("library")
parser.add_argument("--readelf", default="readelf")
parser.add_argument("--strip", default="strip")
options = parser.parse_args()
problems = []


def readelf(*arguments):
    return subprocess.run([options.readelf, *arguments, options.library], check=True, capture_output=True,
                          text=True).stdout


with tempfile.TemporaryDirectory() as folder:
    stripped = os.path.join(folder, "stripped.so")
    subprocess.run([options.strip, "--strip-unneeded", options.library, "-o", stripped], check=True)
    size = os.path.getsize(stripped)
if size > LIMIT:
    problems.append(f"{size} bytes stripped, more than {LIMIT}")

needed = re.findall(r"\(NEEDED\).*?\[(.*?)\]", readelf("-d"))
problems += [f"needs {name}" for name in needed if not ALLOWED.fullmatch(name)]

# One entry is the C start-up file's own (frame_dummy); a constructor of ours
# would be a second one.
array = re.search(r"\.init_array\s+\S+\s+\S+\s+\S+\s+([0-9a-f]+)", readelf("-S", "-W"))
if array and int(array.group(1), 16) > 8:
    problems.append(f"runs {int(array.group(1), 16) // 8 - 1} constructors when it is loaded")

forbidden = {"exit", "_exit", "abort", "__assert_fail"}
undefined = re.findall(r" UND (\w+)", readelf("--dyn-syms", "-W"))
problems += [f"calls {name}" for name in undefined if name in forbidden]
exported = re.findall(r" (?:FUNC|OBJECT)\s+GLOBAL\s+DEFAULT\s+\d+ (\w+)", readelf("--dyn-syms", "-W"))
problems += [f"exports {name}" for name in exported if not name.startswith("nrd_")]

print(f"{size} bytes stripped (at most {LIMIT}), needs {', '.join(needed)}, exports {len(exported)} functions")
for problem in problems:
    print(f"error: {options.library} {problem}")
sys.exit(1 if problems else 0)
