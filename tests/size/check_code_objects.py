#!/usr/bin/env python3
# check_code_objects.py - the six common kernels for AMD: packed beside the CPU's, and each code object is what HIP
# loads: its target, its arguments where the pack has them and none besides, no relocation or undefined symbol, only
# instructions that the chip has, nothing spilled to memory, and matrix instructions within the loops of products.
import argparse
import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True
import check_kernels  # noqa: E402
from check_kernels import KERNELS, SOURCE, run  # noqa: E402

MACHINES = {"gfx90a": 0x3F, "gfx942": 0x4C}  # low byte of the ELF header's flags
PRODUCTS = {"matmul", "matmul_desc", "attention_fwd"}


def header_field(text, name):
    return re.search(rf"^ *{name}: *(.*)$", text, re.M).group(1)


def metadata(notes):
    """The kernel's entries of the note, and its arguments as (offset, size, kind)."""
    facts = dict(re.findall(r"^    \.(\w+): +(.+)$", notes, re.M))
    facts.update(re.findall(r"^  - \.(\w+): +(.+)$", notes, re.M))
    arguments = []
    for block in re.findall(r"^      - ((?:.*\n        )*.*)", notes, re.M):
        entry = dict(re.findall(r"\.(\w+): +(\S+)", block))
        arguments.append((int(entry["offset"]), int(entry["size"]), entry["value_kind"]))
    return facts, arguments


def loops(text):
    """(first, last) addresses of what backward branches enclose."""
    start = int(re.search(r"^([0-9a-f]+) <", text, re.M).group(1), 16)
    for address, offset in re.findall(r"s_c?branch\S*.*// ([0-9A-F]+): \S+ <[^+>]+\+0x([0-9a-f]+)>", text):
        target = start + int(offset, 16)
        if target < int(address, 16):
            yield target, int(address, 16)


def check(image, target, variant, tools, problem):
    header = run(tools["readelf"], "-h", image)
    if "AMDGPU" not in header_field(header, "OS/ABI") or header_field(header, "ABI Version") != "3":
        problem("is not a code object of version 5")
    if int(header_field(header, "Flags").split(",")[0], 16) & 0xFF != MACHINES[target]:
        problem(f"is for another machine: {header_field(header, 'Flags')}")
    if "no relocations" not in run(tools["readelf"], "-r", image):
        problem("has relocations")
    undefined = re.findall(r" UND (\S+)", run(tools["readelf"], "--dyn-syms", image))
    if undefined:
        problem(f"needs {undefined}")

    notes = run(tools["readelf"], "--notes", image)
    if f"amdhsa.target:   amdgcn-amd-amdhsa--{target}\n" not in notes:
        problem("has another target in its metadata")
    facts, arguments = metadata(notes)
    hidden = [kind for _, _, kind in arguments if kind.startswith("hidden")]
    if hidden:
        problem(f"has hidden arguments {hidden}")
    packed = [(field["offset"], field["size"]) for field in variant["fields"]]
    if [place[:2] for place in arguments] != packed:
        problem(f"has its arguments at {arguments}, the pack at {packed}")
    wanted = {
        "kernarg_segment_size": variant["param_size"],
        "max_flat_workgroup_size": variant["block"][0],
        "wavefront_size": 64,
        "private_segment_fixed_size": 0,
        "vgpr_spill_count": 0,
    }
    for name, value in wanted.items():
        if facts.get(name) != str(value):
            problem(f"has {name} {facts.get(name)}, not {value}")

    text = run(tools["objdump"], "-d", image)
    if re.search(r"<unknown>|illegal", text):
        problem("has instructions that cannot be decoded")
    products = [int(at, 16) for at in re.findall(r"v_mfma_f32_16x16x16\S* .*// ([0-9A-F]+):", text)]
    inside = [at for at in products if any(first <= at <= last for first, last in loops(text))]
    if variant["kernel"] in PRODUCTS and not inside:
        problem(f"has no matrix instruction within a loop ({len(products)} in all)")
    return len(inside)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--objdump", default="llvm-objdump")
    parser.add_argument("--readelf", default="llvm-readelf")
    parser.add_argument("--folder", default=".")
    options = parser.parse_args()
    tools = {"objdump": options.objdump, "readelf": options.readelf}
    folder = pathlib.Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    problems = []

    check_kernels.LEVELS = ["x86-64-v3", *MACHINES]
    (folder / "amd.toml").write_text(check_kernels.manifest("fp16"))
    run(options.tool, "build", folder / "amd.toml", "-o", folder / "amd.nrd", "--no-cache")
    pack = json.loads(run(options.tool, "inspect", "--json", folder / "amd.nrd"))
    variants = {}
    for kernel in pack["kernels"]:
        for variant in kernel["variants"]:
            variants[kernel["function"], variant["target"]] = dict(variant, kernel=kernel["function"])

    for dtype in ["fp16", "bf16"]:
        for function, (signature, constants) in KERNELS.items():
            types = ", ".join(f"{name}={kind.format(t=dtype) if isinstance(kind, str) else kind}"
                              for name, kind in signature.items())
            flags = [f"--const={name}={value}" for name, value in constants.items()]
            for target in MACHINES:
                image = folder / f"{function}-{dtype}-{target}.hsaco"
                run(options.tool, "compile", f"{SOURCE}:{function}", "--signature", types, *flags, "--target", target,
                    "--emit", "obj", "-o", image)
                inside = check(image, target, variants[function, target], tools,
                               lambda text: problems.append(f"{function} {dtype} {target} {text}"))
                print(f"{function} {dtype} {target}: {inside} matrix instructions in loops")
    for problem in problems:
        print(f"error: {problem}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
