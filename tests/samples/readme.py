#!/usr/bin/env python3
# readme.py - what the top README tells a new user to type works as it stands there.
#
#   readme.py README.md PREFIX FOLDER
#
# Of the section "A kernel from source to launch", each fenced block is the file that the line above it names, and the
# indented lines are typed into one shell, in a folder where the installed Nereid at PREFIX is what a build would leave.
import os
import pathlib
import re
import shutil
import subprocess
import sys

readme, prefix, folder = sys.argv[1:]
shutil.rmtree(folder, ignore_errors=True)
folder = pathlib.Path(folder)
(folder / "build").mkdir(parents=True)
(folder / "build/install").symlink_to(pathlib.Path(prefix).resolve())
text = pathlib.Path(readme).read_text()
section = re.search(r"^## A kernel from source to launch$(.*?)^## ", text, re.M | re.S).group(1)
files = re.findall(r"^[^\n`]*`([^`]+)`[^\n]*\n\n```\w+\n(.*?)^```$", section, re.M | re.S)
assert [name for name, _ in files] == ["add.py", "pack.toml", "main.c"], files
for name, content in files:
    (folder / name).write_text(content)
commands = re.findall(r"^    (.*)$", re.sub(r"^```.*?^```$", "", section, flags=re.M | re.S), re.M)
environment = dict(os.environ, NRD_DEVICE="cpu")
done = subprocess.run(["sh", "-ec", "\n".join(commands)], cwd=folder, env=environment, text=True,
                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
print(done.stdout)
wanted = [r"demo\.nrd: 1 kernel, \d+ variants, 3 targets", r"^add +add\.py:add",
          r"out_ptr +fp32\[1000\] +min 1, mean 500\.5, max 1000", r": out\[999\] = 1000$"]
missing = [pattern for pattern in wanted if not re.search(pattern, done.stdout, re.M)]
if done.returncode or missing:
    sys.exit(f"error: status {done.returncode}; not found: {missing}")
