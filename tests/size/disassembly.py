# disassembly.py - innermost loops of disassembled x86-64 functions, and the stack traffic inside them.
#
# Reads what `llvm-objdump -d --no-show-raw-insn` prints. A loop is a natural
# loop of the control-flow graph: the blocks that reach a back edge without
# passing its header. An access to (%rsp) or (%rbp) without an index register
# is a stack slot: a store to one inside the loop is a spill, a value that lost
# its register while the loop ran. A slot that is only read there holds a value
# of before the loop, such as a constant that an operand is taken from.
import re

_FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:$")
_INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")
_TARGET = re.compile(r"^(?:0x)?([0-9a-f]+)\b")
_SLOT = re.compile(r"(-?0x[0-9a-f]+|-?\d+)?\(%r([sb])p\)")
_NO_FALL_THROUGH = ("jmp", "jmpq", "ret", "retq", "ud2", "hlt", "int3")


class Instruction:
    def __init__(self, address, mnemonic, operands):
        self.address, self.mnemonic, self.operands = address, mnemonic, operands.split("#")[0].strip()

    @property
    def target(self):
        """Where a direct jump goes, else None."""
        if not self.mnemonic.startswith("j") or self.operands.startswith("*"):
            return None
        match = _TARGET.match(self.operands)
        return int(match.group(1), 16) if match else None

    def __str__(self):
        return f"{self.address:x}: {self.mnemonic} {self.operands}"


def functions(text):
    """(name, instructions) of every function."""
    name, body = None, []
    for line in text.splitlines():
        match = _FUNCTION.match(line)
        if match:
            if name is not None:
                yield name, body
            name, body = match.group(2), []
            continue
        match = _INSTRUCTION.match(line)
        if match and name is not None:
            body.append(Instruction(int(match.group(1), 16), match.group(2), match.group(3)))
    if name is not None:
        yield name, body


def _blocks(body):
    """Lists of instructions, and the successors of each list by number."""
    places = {instruction.address: i for i, instruction in enumerate(body)}
    leaders = {0}
    for i, instruction in enumerate(body):
        if instruction.mnemonic.startswith("j") or instruction.mnemonic in _NO_FALL_THROUGH:
            leaders.add(i + 1)
            if instruction.target in places:
                leaders.add(places[instruction.target])
    starts = sorted(leader for leader in leaders if leader < len(body))
    number = {start: i for i, start in enumerate(starts)}
    blocks = [body[start:end] for start, end in zip(starts, starts[1:] + [len(body)])]
    successors = []
    for i, block in enumerate(blocks):
        last, out = block[-1], []
        if last.target in places:
            out.append(number[places[last.target]])
        if last.mnemonic not in _NO_FALL_THROUGH and i + 1 < len(blocks):
            out.append(i + 1)
        successors.append(out)
    return blocks, successors


def _dominators(successors):
    """The set of dominators of every block reachable from block 0."""
    order, seen, stack = [], {0}, [(0, iter(successors[0]))]
    while stack:
        block, rest = stack[-1]
        for following in rest:
            if following not in seen:
                seen.add(following)
                stack.append((following, iter(successors[following])))
                break
        else:
            order.append(block)
            stack.pop()
    order.reverse()
    before = {block: [] for block in order}
    for block in order:
        for following in successors[block]:
            before[following].append(block)
    result = {block: set(order) for block in order}
    result[0] = {0}
    changed = True
    while changed:
        changed = False
        for block in order[1:]:
            new = set.intersection(*(result[p] for p in before[block])) | {block}
            if new != result[block]:
                result[block], changed = new, True
    return result, before


def innermost_loops(body):
    """The instruction lists of the loops that hold no other loop."""
    if not body:
        return []
    blocks, successors = _blocks(body)
    dominators, before = _dominators(successors)
    loops = {}
    for block in dominators:
        for header in successors[block]:
            if header in dominators[block]:  # a back edge
                members, stack = {header}, [block]
                while stack:
                    member = stack.pop()
                    if member not in members:
                        members.add(member)
                        stack.extend(before[member])
                loops.setdefault(header, set()).update(members)
    return [[instruction for member in sorted(members) for instruction in blocks[member]]
            for header, members in loops.items()
            if not any(other != header and other in members for other in loops)]


def stack_accesses(body, loop):
    """Instructions of a loop that read or write a stack slot."""
    frame_pointer = any(i.mnemonic.startswith("mov") and i.operands.replace(" ", "") == "%rsp,%rbp" for i in body)
    return [i for i in loop if any(kind == "s" or frame_pointer for _, kind in _SLOT.findall(i.operands))
            and not i.mnemonic.startswith(("lea", "call"))]


def is_store(instruction):
    """Whether an access to a slot writes it: the slot is the destination, which AT&T syntax puts last."""
    return bool(re.search(r"\(%r[sb]p\)$", instruction.operands)) and not instruction.mnemonic.startswith(
        ("cmp", "test", "ucomis", "comis", "vucomis", "vcomis", "push"))


class Loop:
    """An innermost loop that touches the stack."""

    def __init__(self, function, instructions, accesses):
        self.function, self.address, self.length = function, instructions[0].address, len(instructions)
        self.spills = [access for access in accesses if is_store(access)]
        self.reloads = [access for access in accesses if not is_store(access)]


def loops_with_stack_traffic(text):
    for name, body in functions(text):
        for loop in innermost_loops(body):
            found = stack_accesses(body, loop)
            if found:
                yield Loop(name, loop, found)
