"""Signatures for kernels that no case launches, guessed from names and use, so
that at least their compilation to tile IR is tried. A guess may be wrong: what
does not compile is printed with the compiler's reason, for a person to judge."""

import ast
import os
import re
import warnings
from concurrent.futures import ThreadPoolExecutor

import harness

# What no guess can compile, and why that is right.
EXPECTED = {
    "_softmax_multi_block_forward_kernel": "calls the type tl.float32, as Triton refuses too",
    "_softmax_multi_block_backward_kernel": "calls the type tl.float32, as Triton refuses too",
    "_token_gather_weighted_sum_kernel": "for Ascend, with an arange of 1.5 times a block: Triton takes powers of two",
}
HELPERS = {  # compiled inside the kernels that call them
    "_keyed_add", "_l2_swizzle", "silu", "_rotate_half", "_get_work_tile_coord", "_load_cos_sin", "_apply_rope_halves",
    "_apply_rope_fullrow", "_apply_rope_flat", "_rope_bnsd_tile",
}
FLOATS = re.compile(r"eps|scale|alpha|beta|gamma|dropout_p|_p$|temperature|lr\b|momentum|smoothing|softcap|threshold|coeff|"
                    r"weight_decay|sm_scale|lam|offset$|factor|limit|value$|^inv_|multiplier|delta$")
FLAGS = re.compile(r"^(HAS|USE|IS|NEED|RETURN|COMPUTE|REDUCE|WITH|ENABLE|CAUSAL|TRANS|APPLY|SAVE|STORE|INPUT_IS|BACKWARD|SHOULD)"
                   r"|^(is|has|use)_|causal|affine|_flag$|inplace|training|backward", re.I)


def compile_all(session, cased):
    """Tries what has no case. Returns (compiled, helpers, refused as expected,
    [(function, message)] that a person must look at)."""
    counts, unexpected = {"compiled": 0, "helpers": 0, "refused": 0}, []

    def attempt(function):
        first = None
        for signature, constants in guesses(function):
            try:
                session.run("compile", f"{os.path.join(session.root, function.path)}:{function.name}", "--signature",
                            ", ".join(f"{name}={type}" for name, type in signature.items()),
                            *[word for pair in constants.items() for word in ("--const", "=".join(pair))],
                            "--target", session.target, "--emit", "tt", "-o", os.devnull, *session.includes())
                return None
            except RuntimeError as error:  # a wrong guess of a name: exit status 2
                first = first or str(error)
            except harness.Refused as error:
                first = first or str(error)
        return first

    todo = [function for function in functions(session.root) if (function.path, function.name) not in cased]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for function, message in zip(todo, pool.map(attempt, todo)):
            if message is None:
                counts["compiled"] += 1
            elif function.name in HELPERS:
                counts["helpers"] += 1
            elif function.name in EXPECTED:
                counts["refused"] += 1
                print(f"  refused   {function.path}:{function.name}  {EXPECTED[function.name]}")
            else:
                unexpected.append((function, message))
    return counts["compiled"], counts["helpers"], counts["refused"], unexpected


class Function:
    def __init__(self, path, node, text):
        self.path, self.name, self.node = path, node.name, node
        self.source = ast.get_source_segment(text, node) or ""


def functions(folder):
    """Every @triton.jit function below a folder."""
    found = []
    for root, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if not name.endswith(".py"):
                continue
            path = os.path.join(root, name)
            with open(path, encoding="utf-8") as file, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                text = file.read()
                tree = ast.parse(text)
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef) and any("triton.jit" in ast.unparse(d) for d in node.decorator_list):
                    found.append(Function(os.path.relpath(path, folder), node, text))
    return found


def pointers(function):
    """The parameters that reach a load, a store or an atomic through additions."""
    reaches = {}
    memory = set()

    def names(node):
        """Names that a pointer expression may stand on."""
        if isinstance(node, ast.Name):
            return {node.id}
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            return names(node.left) | names(node.right)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("to", "cast"):
            return names(node.func.value)
        if isinstance(node, ast.IfExp):
            return names(node.body) | names(node.orelse)
        return set()

    for node in ast.walk(function.node):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            reaches.setdefault(node.targets[0].id, set()).update(names(node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args and re.match(
                r"load$|store$|atomic_|make_block_ptr$|make_tensor_descriptor$", node.func.attr):
            memory |= names(node.args[0])
        elif isinstance(node, ast.Attribute) and node.attr == "element_ty":
            memory |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    while True:
        more = set().union(*(reaches.get(name, set()) for name in memory)) - memory
        if not more:
            break
        memory |= more
    # An offset is added to a pointer too: what is multiplied, compared or a
    # bound of a range is a number.
    numbers = set()
    for node in ast.walk(function.node):
        sides = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.FloorDiv, ast.Mod, ast.Div)):
            sides = [node.left, node.right]
        elif isinstance(node, ast.Compare) and not any(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("range", "tl.range", "tl.cdiv", "min", "tl.minimum"):
            sides = node.args
        for side in sides:
            numbers |= {n.id for n in ast.walk(side) if isinstance(n, ast.Name)} if isinstance(
                side, (ast.Name, ast.BinOp, ast.UnaryOp)) else set()
    parameters = {arg.arg for arg in function.node.args.args}
    return {p for p in parameters if p in memory and (p not in numbers or "ptr" in p.lower())} | {
        p for p in parameters if re.search(r"_ptr$|^ptr_|Ptr$", p)}


def guesses(function):
    """(signature, constants) to try, likely ones first."""
    memory = pointers(function)
    arguments = function.node.args
    defaults = dict(zip([a.arg for a in arguments.args[::-1]], arguments.defaults[::-1]))
    for floats, block, flag, element in ((True, 64, True, "fp32"), (True, 64, False, "fp32"), (False, 64, True, "fp32"),
                                         (True, 16, True, "fp16"), (True, 1, True, "fp32"), (True, 128, True, "i32"),
                                         (True, 64, True, "i64")):
        signature, constants = {}, {}
        for argument in arguments.args:
            name = argument.arg
            if argument.annotation is not None and "constexpr" in ast.unparse(argument.annotation):
                if name in defaults:
                    continue
                if re.search(r"dtype", name, re.I):
                    constants[name] = "tl.float32"
                elif re.search(r"^(reduction|loss_type|mode|activation|LOSS_TYPE|REDUCTION)$", name):
                    text = re.search(r"\b%s\s*==\s*(\"\w+\"|'\w+'|\d+)" % name, function.source)
                    constants[name] = text.group(1).replace('"', "'") if text else "0"
                elif FLAGS.search(name):
                    constants[name] = str(flag)
                else:
                    constants[name] = str(block)
            elif name in memory:
                integral = re.search(r"idx|index|indices|ids|offsets?_ptr|count|mask|target|labels|^Y_ptr$|expert|token|_start", name, re.I)
                signature[name] = "*" + ("i64" if integral else element)
            elif floats and FLOATS.search(name):
                signature[name] = "fp32"
            else:
                signature[name] = "i32"
        yield signature, constants
