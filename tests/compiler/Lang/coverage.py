#!/usr/bin/env python3
"""Where each function of triton.language works, found out by compiling it.

    coverage.py --tool nereid --frontend nereid-frontend [--update] [--target T]

The rows are the op table's (`nereid-frontend --list-ops`); EXAMPLES holds a use
of each, which is compiled for one target of every family. The table in
compiler/Lang/README.md must say the same; --update writes it. A row without an
example, and an example without a row, is a failure.

A target family whose code generation is not built has no marks. Only what the
table claims is held against GPU targets, so that a back end may grow without
this file; --update takes its new marks in.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[3]
README = ROOT / "compiler" / "Lang" / "README.md"
BEGIN, END = "<!-- coverage: written by tests/compiler/Lang/coverage.py --update -->", "<!-- end of coverage -->"

# Heading, target, what is emitted, whether a missing mark is a stale table.
COLUMNS = [("front end", "x86-64-v3", "tt", True), ("interpreter", "interpret", "obj", False),
           ("CPU", "x86-64-v3", "obj", True),
           ("NVPTX", "sm_90a", "asm", False), ("AMDGPU", "gfx942", "asm", False)]

HEAD = '''import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def add(a, b):
    return a + b


@triton.jit
def keep(a):
    return a


@triton.jit
def k(x, y, i, j, h, b, n):
    o = tl.arange(0, 32)
    r = tl.arange(0, 16)[:, None] * 16 + tl.arange(0, 16)[None, :]
'''
# What the examples' one-letter names are; only those that an example uses.
NAMES = {
    "f": "tl.load(x + o)", "g": "tl.load(x + 32 + o)", "v": "tl.load(i + o)", "w": "tl.load(i + 32 + o)",
    "F": "tl.load(x + r)", "H": "tl.load(h + r)", "B": "tl.load(b + r)", "s": "tl.load(x)",
    "d": "tl.make_tensor_descriptor(x, [n, n], [n, 1], [16, 16])",
    "D": "tl.make_tensor_descriptor(i, [n, n], [n, 1], [16, 16])",
    "G": "tl.make_tensor_descriptor(x, [n, n], [n, 1], [1, 16])",
    "p": "tl.make_block_ptr(x, (n, n), (n, 1), (0, 0), (16, 16), (1, 0))",
}
# `=> E` stores a vector of 32, `=> [] E` a scalar, `=> [[]] E` a 16x16 tile; other lines are statements.
EXAMPLES = {
    "program_id": "=> [] tl.program_id(0)", "num_programs": "=> [] tl.num_programs(1)", "arange": "=> tl.arange(0, 32)",
    "full": "=> tl.full([32], 1.5, tl.float32)", "zeros": "=> tl.zeros([32], tl.float32)",
    "zeros_like": "=> tl.zeros_like(f)", "to_tensor": "=> [] tl.to_tensor(2)", "cast": "=> tl.cast(f, tl.int32)",
    "broadcast": "=> tl.broadcast(f, s)[0]", "broadcast_to": "=> [[]] tl.broadcast_to(tl.arange(0, 16)[:, None], [16, 16])",
    "trans": "=> [[]] tl.trans(F)", "permute": "=> [[]] tl.permute(F, (1, 0))",
    "reshape": "=> [[]] tl.reshape(tl.load(x + tl.arange(0, 256)), [16, 16])",
    "view": "=> [[]] tl.view(tl.load(x + tl.arange(0, 256)), [16, 16])", "ravel": "tl.store(y + tl.arange(0, 256), tl.ravel(F))",
    "expand_dims": "=> [[]] tl.expand_dims(tl.arange(0, 16), 0) + tl.zeros([16, 16], tl.int32)",
    "squeeze": "=> tl.squeeze(f[None, :], 0)", "unsqueeze": "=> tl.squeeze(tl.unsqueeze(f, 0), 0)",
    "join": "a, c = tl.split(tl.join(f, g))\n=> a + c", "split": "a, c = tl.split(tl.join(f, g))\n=> a - c",
    "interleave": "tl.store(y + tl.arange(0, 64), tl.interleave(f, g))",
    "cat": "tl.store(y + tl.arange(0, 64), tl.cat(f, g))", "item": "=> [] tl.reshape(tl.load(x + tl.arange(0, 1)), [1]).item()",
    "swizzle2d": "a, c = tl.swizzle2d(tl.program_id(0), tl.program_id(1), 8, 8, 4)\n=> [] a + c", "flip": "=> tl.flip(f)",
    "load": "=> tl.load(x + o, mask=o < n, other=0.0)", "store": "tl.store(y + o, f, mask=o < n)",
    "make_block_ptr": "=> [[]] tl.load(p, boundary_check=(0, 1))",
    "advance": "=> [[]] tl.load(tl.advance(p, (16, 0)), boundary_check=(0,), padding_option='zero')",
    "make_tensor_descriptor": "=> [[]] d.load([0, 0])",
    "_experimental_make_tensor_descriptor":
        "=> [[]] tl._experimental_make_tensor_descriptor(x, [n, n], [n, 1], [16, 16]).load([0, 0])",
    "load_tensor_descriptor": "=> [[]] tl.load_tensor_descriptor(d, [0, 0])",
    "store_tensor_descriptor": "tl.store_tensor_descriptor(d, [0, 0], F)",
    "_experimental_descriptor_load": "=> [[]] tl._experimental_descriptor_load(d, [0, 0], [16, 16], tl.float32)",
    "_experimental_descriptor_store": "tl._experimental_descriptor_store(d, F, [0, 0])",
    ".load": "=> [[]] d.load([0, 0])", ".store": "d.store([0, 0], F)",
    ".gather": "=> [[]] G.gather(tl.arange(0, 16), 0)", ".scatter": "G.scatter(F, tl.arange(0, 16), 0)",
    ".atomic_add": "d.atomic_add([0, 0], F)", ".atomic_min": "D.atomic_min([0, 0], r.to(tl.uint32))",
    ".atomic_max": "D.atomic_max([0, 0], r.to(tl.uint32))", ".atomic_and": "D.atomic_and([0, 0], r)",
    ".atomic_or": "D.atomic_or([0, 0], r)", ".atomic_xor": "D.atomic_xor([0, 0], r)",
    "atomic_add": "tl.atomic_add(x + o, f, mask=o < n)", "atomic_max": "tl.atomic_max(i + o, v)",
    "atomic_min": "tl.atomic_min(i + o, v)", "atomic_and": "tl.atomic_and(i + o, v)", "atomic_or": "tl.atomic_or(i + o, v)",
    "atomic_xor": "tl.atomic_xor(i + o, v)", "atomic_xchg": "tl.atomic_xchg(x + o, f)",
    "atomic_cas": "=> [] tl.atomic_cas(i, 0, 1)", "atomic_poll": "=> [] tl.atomic_poll(i, 1)",
    "exp": "=> tl.exp(f)", "exp2": "=> tl.exp2(f)", "log": "=> tl.log(f)", "log2": "=> tl.log2(f)", "cos": "=> tl.cos(f)",
    "sin": "=> tl.sin(f)", "sqrt": "=> tl.sqrt(f)", "rsqrt": "=> tl.rsqrt(f)", "erf": "=> tl.erf(f)", "floor": "=> tl.floor(f)",
    "ceil": "=> tl.ceil(f)", "sqrt_rn": "=> tl.sqrt_rn(f)", "div_rn": "=> tl.div_rn(f, g)", "abs": "=> tl.abs(f) + tl.abs(v)",
    "fdiv": "=> tl.fdiv(f, g)", "fma": "=> tl.fma(f, g, f)", "umulhi": "=> tl.umulhi(v, w)", "clamp": "=> tl.clamp(f, 0.0, 1.0)",
    "maximum": "=> tl.maximum(f, g, propagate_nan=tl.PropagateNan.ALL)", "minimum": "=> tl.minimum(f, g)",
    "sigmoid": "=> tl.sigmoid(f)", "softmax": "=> tl.softmax(f)", "cdiv": "=> tl.cdiv(v, 3)", "add": "=> tl.add(f, g)",
    "sub": "=> tl.sub(f, g)", "mul": "=> tl.mul(f, g)", "logical_and": "=> (f > 0).logical_and(g > 0)",
    "logical_or": "=> (f > 0).logical_or(g > 0)", "reduce": "=> [] tl.reduce(f, 0, add)", "sum": "=> [] tl.sum(f)",
    "max": "=> [] tl.max(f)", "min": "=> [] tl.min(f)", "argmax": "=> [] tl.argmax(f, 0)", "argmin": "=> [] tl.argmin(f, 0)",
    "xor_sum": "=> [] tl.xor_sum(v)", "reduce_or": "=> [] tl.reduce_or(v, 0)",
    "associative_scan": "=> tl.associative_scan(f, 0, add)", "cumsum": "=> tl.cumsum(f)", "cumprod": "=> tl.cumprod(f)",
    "sort": "=> tl.sort(f)", "topk": "tl.store(y + tl.arange(0, 4), tl.topk(f, 4))", "bitonic_merge": "=> tl.bitonic_merge(f)",
    "histogram": "=> tl.histogram(v, 32)", "gather": "=> tl.gather(f, v, 0)", "map_elementwise": "=> tl.map_elementwise(keep, f)",
    "dot": "=> [[]] tl.dot(H, H)", "dot_scaled":
        "e = tl.full([16, 64], 0, tl.uint8)\nq = tl.full([16, 2], 127, tl.uint8)\n"
        "=> [[]] tl.dot_scaled(e, q, 'e4m3', tl.trans(e), q, 'e4m3')",
    "where": "=> tl.where(f > 0, f, g)", "philox": "a, c, e, q = tl.philox(7, v, v, v, v)\n=> a ^ q",
    "philox_impl": "a, c, e, q = tl.philox_impl(v.to(tl.uint32), v.to(tl.uint32), v.to(tl.uint32), v.to(tl.uint32), "
                   "tl.full([32], 1, tl.uint32), tl.full([32], 2, tl.uint32))\n=> a ^ q",
    "randint": "=> tl.randint(1, o)", "randint4x": "a, c, e, q = tl.randint4x(1, o)\n=> a ^ q", "rand": "=> tl.rand(1, o)",
    "rand4x": "a, c, e, q = tl.rand4x(1, o)\n=> a + q", "randn": "=> tl.randn(1, o)",
    "randn4x": "a, c, e, q = tl.randn4x(1, o)\n=> a + q",
    "pair_uniform_to_normal": "a, c = tl.pair_uniform_to_normal(tl.rand(1, o), tl.rand(2, o))\n=> a + c",
    "uint_to_uniform_float": "=> tl.uint_to_uniform_float(tl.randint(1, o))",
    "range": "a = f\nfor t in tl.range(0, n, num_stages=2):\n    a += g\n=> a",
    "static_range": "a = f\nfor t in tl.static_range(3):\n    a += t\n=> a",
    "condition": "a = n\nwhile tl.condition(a > 0):\n    a -= 2\n=> [] a", "multiple_of": "=> tl.multiple_of(v, 16)",
    "max_contiguous": "=> tl.max_contiguous(v, 16)", "max_constancy": "=> tl.max_constancy(v, 16)",
    "assume": "tl.assume(n > 0)\n=> f", "expect_zero": "=> tl.expect_zero(f, f > 0)", "debug_barrier": "tl.debug_barrier()\n=> f",
    "static_print": "tl.static_print('')\n=> f", "static_assert": "tl.static_assert(1 == 1)\n=> f",
    "device_print": "tl.device_print('f', f)\n=> f", "device_assert": "tl.device_assert(f > 0, 'f')\n=> f",
    "inline_asm_elementwise": "=> tl.inline_asm_elementwise('{asm}', '=r,r', [v], tl.int32, True, 1)",
    "gdc_wait": "tl.extra.cuda.gdc_wait()\n=> f", "gdc_launch_dependents": "tl.extra.cuda.gdc_launch_dependents()\n=> f",
    "globaltimer": "=> [] tl.extra.cuda.globaltimer()", "smid": "=> [] tl.extra.cuda.smid()",
    "extern_elementwise": "=> tl.core.extern_elementwise('', '', [f], {{(tl.float32,): ('__nv_expf', tl.float32)}}, True)",
}
ASSEMBLY = {"sm_90a": "mov.b32 $0, $1;", "gfx942": "v_mov_b32 $0, $1", "x86-64-v3": "mov $0, $1"}
WORD = {"Float32": "f", "Float64": "f.to(tl.float64)", "Int32": "v", "UInt32": "v.to(tl.uint32)", "Int64": "v.to(tl.int64)",
        "UInt64": "v.to(tl.uint64)"}


def program(text, target):
    """The example as a kernel."""
    body = []
    text = text.format(asm=ASSEMBLY.get(target, ''))
    used = set(re.findall(r"\b([A-Za-z])\b", text))
    body += [f"{name} = {value}" for name, value in NAMES.items() if name in used]
    for line in text.split("\n"):
        for mark, place in (("=> [[]] ", "y + r"), ("=> [] ", "y"), ("=> ", "y + o")):
            if line.startswith(mark):
                line = f"tl.store({place}, {line[len(mark):]})"
        body.append(line)
    return HEAD + "".join(f"    {line}\n" for line in body)


class Compiler:
    def __init__(self, tool, folder):
        self.tool, self.folder, self.serial = tool, folder, 0

    def works(self, key, text, target, kind, unknown=1):
        """(compiles, first line of the message); `unknown`: a status that also says no"""
        path = os.path.join(self.folder, f"{re.sub(r'[^A-Za-z0-9_]', '_', key)}_{target}_{kind}.py")
        with open(path, "w") as file:
            file.write(program(text, target))
        done = subprocess.run(
            [self.tool, "compile", path + ":k", "--signature",
             "x=*fp32, y=*fp32, i=*i32, j=*i32, h=*fp16, b=*bf16, n=i32", "--target", target, "--emit", kind, "-o",
             "/dev/null"], capture_output=True, text=True)
        if done.returncode not in (0, 1, unknown):
            sys.exit(f"{key} for {target}: exit {done.returncode}\n{done.stderr}")
        return done.returncode == 0, next(iter(done.stderr.splitlines()), "")


def measure(tool, frontend, only):
    listed = subprocess.run([frontend, "--list-ops"], capture_output=True, text=True, check=True).stdout
    rows, library = [], {}
    for line in listed.splitlines():
        group, name, *rest = line.split("\t")
        if group == "libdevice":
            if name not in library or "Float32" in rest[1] and "Float32" not in library[name]:
                library[name] = rest[1].split(", ")  # its first variant, or the first on fp32
        else:
            rows.append((group, ("." if rest[0] == "descriptor" else "") + name, rest[0], rest[1]))
    names = {name for _, name, _, _ in rows}
    for name in sorted(names ^ set(EXAMPLES)):
        sys.exit(f"'{name}' has " + ("no example in EXAMPLES" if name in names else "an example and no row in Ops.def"))
    jobs = [(name, EXAMPLES[name]) for _, name, _, _ in rows]
    jobs += [("libdevice." + name, f"=> libdevice.{name}({', '.join(WORD[type] for type in types)})")
             for name, types in library.items()]
    marks, messages = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        compiler = Compiler(tool, folder)
        columns = []
        for column in COLUMNS:
            works, message = compiler.works("probe", "=> f", column[1], column[2], unknown=2)
            if not works:
                print(f"{column[0]}: no code for {column[1]} yet ({message})")
            elif not only or column[0] in only:
                columns.append(column)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for heading, target, kind, _ in reversed(columns):
                # What any back end takes, the front end takes.
                rest = [job for job in jobs if kind != "tt" or
                        not any(marks.get((column[0], job[0])) for column in columns)]
                marks.update({(heading, name): True for name, _ in jobs})
                for (name, _), (works, message) in zip(rest, pool.map(
                        lambda job: compiler.works(job[0], job[1], target, kind), rest)):
                    marks[heading, name] = works
                    if not works:
                        messages[heading, name] = message
    return rows, list(library), marks, messages


def table(rows, library, marks):
    headings = [heading for heading, *_ in COLUMNS]
    cell = lambda heading, name: {True: "yes", False: "no", None: ""}[marks.get((heading, name))]
    lines, group = [], None
    for row_group, name, receiver, written in rows:
        if row_group != group:
            group = row_group
            lines += ["", f"**{group}**", "", "| name | method of | written in | " + " | ".join(headings) + " |",
                      "|---|---|---|" + "---|" * len(headings)]
        of = {"method": "tensors", "descriptor": "descriptors", "function": ""}[receiver]
        lines.append(f"| `{name.lstrip('.')}` | {of} | {written} | " +
                     " | ".join(cell(heading, name) for heading in headings) + " |")
    lines += ["", "**libdevice**", "",
              f"The front end knows {len(library)} functions. Without code (in fp32, where they have a variant for it) on", ""]
    for heading in headings[1:]:
        missing = [name for name in library if marks.get((heading, "libdevice." + name)) is False]
        if any((heading, "libdevice." + name) in marks for name in library):
            lines.append(f"- {heading}: " + (", ".join(f"`{name}`" for name in missing) or "none of them"))
    return "\n".join(lines).strip() + "\n"


def claims(text):
    """What a table says: (heading, row) -> mark, and the sentences about libdevice."""
    found, headings, group = {}, [], ""
    for line in text.splitlines():
        if line.startswith("**"):
            group = line
        cells = [cell.strip() for cell in line[1:-1].split("|")] if line.startswith("|") else []
        if cells and cells[0] == "name":
            headings = cells[3:]
        elif cells and cells[0].startswith("`"):
            found[group, cells[0], cells[1]] = (cells[2], dict(zip(headings, cells[3:])))
    return found, {line.split(":")[0]: set(re.findall(r"`(\w+)`", line)) for line in text.splitlines()
                   if line.startswith("- ")}


def compare(old, new):
    """What is wrong with the old table, and what it does not say yet."""
    (was, was_library), (now, now_library) = claims(old), claims(new)
    wrong = [f"row {key[1]} of {key[0]} is missing" for key in now if key not in was]
    wrong += [f"row {key[1]} of {key[0]} is of no operation" for key in was if key not in now]
    later = []
    for key in was.keys() & now.keys():
        if was[key][0] != now[key][0]:
            wrong.append(f"{key[1]} is written in {now[key][0]}")
        for heading, _, _, strict in COLUMNS:
            old_mark, new_mark = was[key][1].get(heading, ""), now[key][1][heading]
            if old_mark != new_mark:
                bad = strict or old_mark == "yes" and new_mark == "no"
                (wrong if bad else later).append(f"{key[1]}: {heading} '{old_mark}' is now '{new_mark}'")
    for line, names in now_library.items():
        extra = names - was_library.get(line, names)
        if extra or (line == "- CPU" and names != was_library.get(line)):
            wrong.append(f"libdevice {line}: {sorted(names ^ was_library.get(line, set()))}")
        elif line not in was_library or names != was_library[line]:
            later.append(f"libdevice {line}")
    return wrong, later


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--frontend", required=True)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--only", action="append", help="measure this column only, and print what does not work")
    options = parser.parse_args()
    rows, library, marks, messages = measure(options.tool, options.frontend, options.only)
    if options.only:
        for (heading, name), message in messages.items():
            print(f"{heading} {name}: {message}")
        return 0
    for heading, *_ in COLUMNS:
        measured = [works for (column, _), works in marks.items() if column == heading]
        print(f"{heading}: {sum(measured)} of {len(measured)} work")
    text = README.read_text()
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    new = table(rows, library, marks)
    if options.update:
        README.write_text(text[:begin] + "\n\n" + new + "\n" + text[end:])
        return 0
    wrong, later = compare(text[begin:end], new)
    for line in sorted(later):
        print("not in the table yet: " + line)
    for line in sorted(wrong):
        print("STALE " + line)
    if wrong:
        print(f"compiler/Lang/README.md is stale; run {os.path.relpath(__file__, ROOT)} with --update")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
