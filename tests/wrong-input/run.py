#!/usr/bin/env python3
# run.py - wrong inputs, each with the exact message it must give.
#
# A .txt file holds cases:
#
#   === what is wrong                  starts a case; `=== setup` comes first
#   --- file pack.toml                 a file of the case's folder
#   --- bytes bad.nrd good.nrd         a file made of another one's bytes:
#   cut 100                              its first 100
#   set 8 ff00                           these bytes (hexadecimal) at 8
#   add 16 01                            this much more in the bytes at 16
#   --- run                            commands, one a line, until one fails
#   nereid build pack.toml -o k.nrd
#   --- calls                          lines for calls.c
#   device cpu
#   --- says 1                         the exit status and everything printed
#   pack.toml:2:1: error: ...
#
# Every case runs in a folder of its own that begins as a copy of the setup's.
# A signal is a failure whatever was expected. `--update` writes what was said
# into the file, to be read as a diff; it never writes a crash.
import argparse
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 120


class Section:
    def __init__(self, kind, words, begin):
        self.kind, self.words, self.begin, self.lines = kind, words, begin, []

    @property
    def text(self):
        return "".join(line + "\n" for line in self.lines)


class Case:
    def __init__(self, name, line):
        self.name, self.line, self.sections = name, line, []

    def section(self, kind):
        return next((section for section in self.sections if section.kind == kind), None)


def parse(path):
    cases = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("=== "):
            cases.append(Case(line[4:].strip(), number))
        elif line.startswith("--- "):
            kind, *words = line[4:].split()
            if kind not in ("file", "bytes", "run", "calls", "says") or not cases:
                sys.exit(f"{path}:{number}: unexpected section '{line}'")
            cases[-1].sections.append(Section(kind, words, number))
        elif cases and cases[-1].sections:
            cases[-1].sections[-1].lines.append(line)
        elif line and not line.startswith("#"):
            sys.exit(f"{path}:{number}: text outside a section")
    for case in cases:
        for section in case.sections:  # blank lines between cases belong to nobody
            while section.lines and not section.lines[-1]:
                section.lines.pop()
    return cases


def edit_bytes(data, lines):
    data = bytearray(data)
    for line in lines:
        what, place, *rest = line.split()
        place = int(place, 0)
        if what == "cut":
            del data[place if place >= 0 else len(data) + place:]
        elif what == "set":
            value = bytes.fromhex(rest[0])
            data[place:place + len(value)] = value
        elif what == "add":
            value = bytes.fromhex(rest[0])
            old = int.from_bytes(data[place:place + len(value)], "little")
            new = (old + int.from_bytes(value, "little")) % (1 << 8 * len(value))
            data[place:place + len(value)] = new.to_bytes(len(value), "little")
        else:
            sys.exit(f"unknown edit '{line}'")
    return bytes(data)


class Runner:
    def __init__(self, options):
        self.environment = dict(os.environ)
        self.environment["PATH"] = os.pathsep.join([os.path.dirname(os.path.abspath(options.tool)),
                                                    self.environment["PATH"]])
        self.environment.update(LC_ALL="C", NO_COLOR="1", ASAN_OPTIONS="detect_leaks=0:exitcode=99",
                                UBSAN_OPTIONS="halt_on_error=1:exitcode=99", XDG_CACHE_HOME=options.cache)
        self.calls = os.path.abspath(options.calls)

    def run(self, case, folder):
        """(exit status, output, crash or None)."""
        status, output = 0, ""
        for section in case.sections:
            if section.kind == "file":
                path = folder / section.words[0]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(section.text)
            elif section.kind == "bytes":
                (folder / section.words[0]).write_bytes(
                    edit_bytes((folder / section.words[1]).read_bytes(), section.lines))
            elif section.kind in ("run", "calls"):
                commands = [[self.calls]] if section.kind == "calls" else [shlex.split(l) for l in section.lines if l]
                for command in commands:
                    try:
                        done = subprocess.run(command, cwd=folder, env=self.environment, text=True, errors="replace",
                                              input=section.text if section.kind == "calls" else "",
                                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
                    except subprocess.TimeoutExpired:
                        return 124, output, f"ran for {SECONDS} s: {shlex.join(command)}"
                    except FileNotFoundError as error:
                        return 127, output, str(error)
                    status = done.returncode
                    output += done.stdout.replace(str(folder) + "/", "")
                    if status < 0:
                        return status, output, f"CRASHED with {signal.Signals(-status).name}"
                    if status > 2:
                        return status, output, f"CRASHED with status {status}"
                    if status:
                        return status, output, None
        return status, output, None


def normal(text):
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def with_sizes(text, folder):
    """`<size of F>` and `<size of F - N>` in an expectation stand for a file's bytes: those of a pack follow the code
    that is in it."""

    def size(match):
        return str((folder / match.group(1)).stat().st_size - int(match.group(2) or 0))

    return re.sub(r"<size of (\S+?)(?: - (\d+))?>", size, text)


def write_expectation(path, updates):
    """Replaces or adds the `says` sections of cases, from the last to the first."""
    lines = path.read_text().splitlines()
    for case, status, output in sorted(updates, key=lambda row: -row[0].line):
        block = [f"--- says {status}"] + normal(output).splitlines()
        says = case.section("says")
        if says:
            lines[says.begin - 1:says.begin + len(says.lines)] = block
        else:
            last = case.sections[-1]
            end = last.begin + len(last.lines)
            lines[end:end] = block
    path.write_text("\n".join(lines) + "\n")


def run_file(path, runner, options):
    cases = parse(path)
    failed, updates, count = 0, [], 0
    with tempfile.TemporaryDirectory(prefix="nereid-wrong-") as scratch:
        setup = pathlib.Path(scratch) / "setup"
        setup.mkdir()
        if cases and cases[0].name == "setup":
            status, output, crash = runner.run(cases[0], setup)
            if status != 0:
                print(f"FAILED {path.name}: setup: status {status} {crash or ''}\n{output}")
                return 1, 1
            cases = cases[1:]
        for number, case in enumerate(cases):
            if options.filter not in f"{path.stem}: {case.name}":
                continue
            count += 1
            folder = pathlib.Path(scratch) / str(number)
            shutil.copytree(setup, folder)
            status, output, crash = runner.run(case, folder)
            says = case.section("says")
            expected = (int(says.words[0]), with_sizes(normal(says.text), folder)) if says else None
            if crash:
                failed += 1
                print(f"FAILED {path.name}:{case.line}: {case.name}: {crash}\n{output[-3000:]}")
            elif status == 0 and expected is None:
                failed += 1
                print(f"FAILED {path.name}:{case.line}: {case.name}: was accepted\n{output}")
            elif expected != (status, normal(output)):
                if options.update:
                    updates.append((case, status, output))
                else:
                    failed += 1
                    print(f"FAILED {path.name}:{case.line}: {case.name}: status {status}, said\n{output}\nexpected "
                          + (f"status {expected[0]} and\n{expected[1]}" if expected else "nothing yet (--update)"))
    if updates:
        write_expectation(path, updates)
    print(f"{path.name}: {count - failed} of {count} passed" + (f", {len(updates)} rewritten" if updates else ""))
    return count, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True, help="the nereid tool")
    parser.add_argument("--calls", required=True, help="the program of calls.c")
    parser.add_argument("--cache", default="", help="folder for the tool's cache")
    parser.add_argument("--filter", default="")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("files", nargs="*", help="default: every .txt beside this script")
    options = parser.parse_args()
    runner = Runner(options)
    total = bad = 0
    everything = sorted(path for path in HERE.glob("*.txt") if path.name != "CMakeLists.txt")
    for path in [pathlib.Path(f) for f in options.files] or everything:
        count, failed = run_file(path, runner, options)
        total, bad = total + count, bad + failed
    print(f"{total - bad} of {total} wrong inputs gave the message they should")
    return 1 if bad or not total else 0


if __name__ == "__main__":
    sys.exit(main())
