# packs.py - builds the packs that the cases need, with the `nereid` tool, and keeps them between runs.
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
CHUNK = 24  # kernels of one pack: small enough that an error costs little to find


def toml_value(value):
    """Constexpr values as the manifest writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, int) and not -2**63 <= value < 2**63:  # TOML's integers end there
        return f'{{ python = "{value}" }}'
    return repr(value)


def manifest(name, specs, targets, folder):
    lines = ["[pack]", f'name = "{name}"', f"targets = {json.dumps(list(targets))}"]
    for spec in specs:
        source = os.path.relpath(HERE / "kernels" / spec.source, folder)
        lines += ["", "[[kernel]]", f'source = "{source}"', f'function = "{spec.function}"', f'name = "{spec.name}"',
                  "[kernel.signature]"]
        lines += [f'{parameter} = "{text}"' for parameter, text in spec.signature]
        lines += [f"{parameter} = {toml_value(value)}" for parameter, value in spec.fixed]
        lines += ["[[kernel.config]]", f"num_warps = {spec.warps}"]
        lines += [f"{parameter} = {toml_value(value)}" for parameter, value in spec.constants]
    return "\n".join(lines) + "\n"


class Builder:
    """Packs under `folder`, named by the hash of everything they depend on."""

    def __init__(self, tool, folder, targets, jobs):
        self.tool, self.folder, self.targets, self.jobs = tool, pathlib.Path(folder), list(targets), jobs
        self.folder.mkdir(parents=True, exist_ok=True)
        self.tool_hash = hashlib.sha256(pathlib.Path(tool).read_bytes()).hexdigest()
        self.built = 0

    def _run(self, specs):
        """(path, None) or (None, what the tool said)."""
        sources = b"".join((HERE / "kernels" / source).read_bytes() for source in sorted({s.source for s in specs}))
        text = manifest("conformance", specs, self.targets, self.folder)
        key = hashlib.sha256(self.tool_hash.encode() + sources + text.encode()).hexdigest()[:20]
        pack, path = self.folder / f"{key}.nrd", self.folder / f"{key}.toml"
        if pack.exists():
            return pack, None
        path.write_text(text)
        partial = self.folder / f"{key}.partial"
        try:
            done = subprocess.run([self.tool, "build", str(path), "-o", str(partial), "-j", "1"],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                                  timeout=600)
        except subprocess.TimeoutExpired:
            return None, "the tool ran for 600 s"
        self.built += 1
        if done.returncode == 0:
            partial.rename(pack)
            return pack, None
        if done.returncode < 0 or done.returncode > 2:
            return None, f"the tool CRASHED with status {done.returncode}: {done.stderr.strip()[-2000:]}"
        return None, done.stderr.strip() or f"status {done.returncode} without a message"

    def build(self, specs):
        """{spec name: pack path}, {spec name: error}, by as many processes as `jobs`. The kernels of a pack that fails
        are built one by one."""
        by_source = {}
        for spec in specs:
            by_source.setdefault(spec.source, []).append(spec)
        parts = [rows[begin:begin + CHUNK] for rows in by_source.values() for begin in range(0, len(rows), CHUNK)]
        packs, errors = {}, {}

        def attempt(parts):
            failed = []
            with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
                for part, (pack, error) in zip(parts, pool.map(self._run, parts)):
                    if pack is not None:
                        packs.update((spec.name, str(pack)) for spec in part)
                    elif len(part) == 1:
                        errors[part[0].name] = error
                    else:
                        failed += [[spec] for spec in part]
            return failed

        attempt(attempt(parts))
        return packs, errors

    def merge(self, packs, output):
        """All packs in one file, without the IR that only the interpreter needs."""
        whole = output.with_suffix(".whole")
        for command in (["merge", *sorted(packs), "-o", str(whole)], ["strip", "--no-ir", str(whole), "-o", str(output)]):
            done = subprocess.run([self.tool, *command], capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"error: nereid {command[0]}: {done.stderr.strip()}")
        whole.unlink()
