#!/usr/bin/env python3
"""Compiles and runs the kernels of open projects, unchanged, and counts.

    tests/corpus/run.py --nereid build/bin/nereid --library build/lib/libnereid.so

Liger-Kernel comes from its PyPI package, fetched into --cache at the first
run. Triton's tutorials are in no package: they are the folder that --tutorials
names, or else come from the repository, by git, into --cache. What could not be
had is said, and the exit status is 77 when nothing could. Nothing of these
projects is stored here.
"""

import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile

import numpy as np

import harness

LIGER = "liger-kernel==0.8.5"
TRITON_GIT, TRITON_TAG = "https://github.com/triton-lang/triton", "v3.6.0"


def fetch_liger(cache):
    """The unpacked package's folder, or None and the reason."""
    root = os.path.join(cache, LIGER.replace("==", "-"))
    if not os.path.isdir(os.path.join(root, "liger_kernel")):
        os.makedirs(root, exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", root, LIGER],
            capture_output=True, text=True)
        wheels = glob.glob(os.path.join(root, "*.whl"))
        if done.returncode or not wheels:
            return None, (done.stderr.strip().splitlines() or ["pip brought no wheel"])[-1]
        with zipfile.ZipFile(wheels[0]) as wheel:
            wheel.extractall(root)
    return root, None


def fetch_tutorials(cache, url, tag):
    """The folder of a tag's tutorials, or None and the reason."""
    root = os.path.join(cache, "triton-" + tag.replace("/", "-"))
    folder = os.path.join(root, "python", "tutorials")
    if os.path.isdir(folder):
        return folder, None

    def git(*words):
        done = subprocess.run(["git", *words], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "GIT_TERMINAL_PROMPT": "0"})
        if done.returncode:
            raise OSError((done.stderr.strip().splitlines() or ["git failed"])[-1])

    with tempfile.TemporaryDirectory(dir=cache) as checkout:
        try:
            git("clone", "--quiet", "--depth=1", "--filter=blob:none", "--sparse", "--branch", tag, url, checkout)
            git("-C", checkout, "sparse-checkout", "set", "python/tutorials")
        except (OSError, subprocess.TimeoutExpired) as error:
            return None, f"{url} {tag}: {error}"
        if not os.path.isdir(os.path.join(checkout, "python", "tutorials")):
            return None, f"{url} {tag} has no python/tutorials"
        shutil.copytree(os.path.join(checkout, "python"), os.path.join(root, "python"))
    return folder, None


def jit_functions(folder):
    """(file, name) of every @triton.jit function below a folder, by text: an
    independent count, so that a kernel our own lister misses is noticed."""
    found = []
    for path in sorted(glob.glob(os.path.join(folder, "**", "*.py"), recursive=True)):
        text = open(path, encoding="utf-8").read()
        for match in re.finditer(r"^@triton\.jit\b.*?^def\s+(\w+)", text, re.M | re.S):
            found.append((os.path.relpath(path, folder), match.group(1)))
    return found


def run_cases(session, only, verbose):
    results = {"compared": [], "refused": [], "absent": [], "failed": []}
    for case in harness.CASES:
        if case.corpus != session.corpus or (only and only not in case.label):
            continue
        trial = harness.Trial(session, case)
        start = time.perf_counter()
        try:
            with np.errstate(all="ignore"):
                case.function(trial)
            if case.refused:
                raise harness.Mismatch("compiled, but was expected to be refused: " + case.refused)
            kind, note = "compared", ""
        except harness.Absent as error:
            # Tutorials come and go; a package is of one version, and lacks nothing.
            kind, note = "absent" if case.corpus == "tutorials" else "failed", str(error)
        except harness.Refused as error:
            kind = "refused" if case.refused else "failed"
            note = str(error).splitlines()[0] if str(error) else "no message"
        except (harness.Mismatch, AssertionError, RuntimeError, OSError, KeyError, ValueError) as error:
            kind, note = "failed", f"{type(error).__name__}: {error}"
        results[kind].append(case)
        if verbose or kind != "compared":
            seconds = time.perf_counter() - start
            print(f"  {kind:8}  {case.label}  {seconds:.2f} s  {note}", flush=True)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nereid", required=True, help="the nereid tool")
    parser.add_argument("--library", required=True, help="libnereid.so")
    parser.add_argument("--cache", default=os.path.join(
        os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "nereid-corpus"))
    parser.add_argument("--tutorials", help="folder with Triton's python/tutorials")
    parser.add_argument("--triton-git", default=TRITON_GIT, help="repository to take the tutorials from")
    parser.add_argument("--triton-tag", default=TRITON_TAG, help="its tag or branch")
    parser.add_argument("--target", default="x86-64-v3")
    parser.add_argument("--only", help="run only cases whose label contains this")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()

    import nrd

    library = nrd.Library(options.library)
    corpora = []
    root, why = fetch_liger(options.cache)
    if root:
        import liger  # noqa: F401 (registers its cases)

        corpora.append(("liger", LIGER, os.path.join(root, "liger_kernel", "ops"), [root]))
    else:
        print(f"{LIGER} could not be had, its kernels were not tested: {why}")
    folder, why = options.tutorials, None
    if not folder:
        os.makedirs(options.cache, exist_ok=True)
        folder, why = fetch_tutorials(options.cache, options.triton_git, options.triton_tag)
    if folder:
        import tutorials  # noqa: F401

        corpora.append(("tutorials", "Triton's tutorials", folder, []))
    else:
        print("Triton's tutorials could not be had, their kernels were not tested; "
              f"--tutorials may name a folder that holds them: {why}")
    if not corpora:
        return 77

    failed = False
    for corpus, name, folder, search_paths in corpora:
        with tempfile.TemporaryDirectory() as packs:
            session = harness.Session(corpus, options.nereid, folder, packs, options.target, library,
                                      search_paths)
            print(f"{name} on {options.target}:", flush=True)
            results = run_cases(session, options.only, options.verbose)
            every = jit_functions(folder)
            cased = {(case.file, case.kernel) for case in harness.CASES if case.corpus == corpus}
            print(f"{name}: {len(every)} jit functions; {len(session.compiled)} kernels compiled, "
                  f"{len(results['compared'])} cases compared with their references, "
                  f"{len(results['refused'])} refused as expected, {len(results['failed'])} failed, "
                  f"{len(results['absent'])} not in this version; "
                  f"{len([k for k in every if k not in cased])} functions without a case of their own")
            failed |= bool(results["failed"])
            if corpus == "liger" and not options.only:
                import guess

                compiled, helpers, refused, unexpected = guess.compile_all(session, cased)
                print(f"{name}: of the functions without a case {compiled} compile to tile IR with a guessed signature, "
                      f"{helpers} are helpers that others inline, {refused} are refused as expected, "
                      f"{len(unexpected)} failed")
                for function, message in unexpected:
                    print(f"  failed    {function.path}:{function.name}  {message.splitlines()[0]}")
                failed |= bool(unexpected)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
