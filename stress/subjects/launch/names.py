# SPDX-License-Identifier: MIT
"""What a file's variables are made of, for the names in traces.

A symbol table knows that something is 40 bytes into `page_address_maps`; debug
information knows that this is `page_address_maps[1].virtual`. Its text, as
llvm-dwarfdump prints it, becomes one line for each variable:

    page_address_maps 32 0:page 8:virtual 16:list.next 24:list.prev

The number is the size of an element, 0 if it is no array (plain/words.c).
"""

import re

_DIE = re.compile(r"^0x([0-9a-f]+):( *)DW_TAG_(\w+)")
_ATTRIBUTE = re.compile(r"^ +DW_AT_(\w+)\s+\((.*)\)$")
_NUMBER = re.compile(r"0x[0-9a-f]+|\d+")
_MOST = 64  # elements of an array in a structure
_ALIASES = {"typedef", "const_type", "volatile_type", "atomic_type"}


class _Die:
    def __init__(self, tag):
        self.tag = tag
        self.attributes = {}
        self.children = []
        self.parent = None

    def name(self):
        return self.attributes.get("name", "").strip('"')

    def number(self, attribute):
        found = _NUMBER.search(self.attributes.get(attribute, "0"))
        return int(found[0], 0) if found else 0


def _read(text):
    """{offset: die}"""
    dies = {}
    stack = []  # (depth, die)
    for line in text.splitlines():
        match = _DIE.match(line)
        if match:
            depth = len(match[2])
            die = dies[int(match[1], 16)] = _Die(match[3])
            while stack and stack[-1][0] >= depth:
                stack.pop()
            if stack:
                die.parent = stack[-1][1]
                die.parent.children.append(die)
            stack.append((depth, die))
        match = _ATTRIBUTE.match(line)
        if match and stack:
            stack[-1][1].attributes[match[1]] = match[2]
    return dies


def _type(dies, die):
    die = dies.get(die.number("type"))
    while die and die.tag in _ALIASES:
        die = dies.get(die.number("type"))
    return die


def _count(array):
    for child in array.children:
        if child.tag == "subrange_type":
            return child.number("count") or child.number("upper_bound") + 1
    return 0


def _size(dies, die):
    if die is None:
        return 0
    if die.tag == "array_type":
        return _count(die) * _size(dies, _type(dies, die))
    return 8 if die.tag == "pointer_type" else die.number("byte_size")


def _members(dies, die, at, name):
    """(offset, name) of all that has no parts of its own."""
    if die is not None and die.tag in ("structure_type", "union_type"):
        for child in die.children:
            if child.tag == "member":
                inner = f"{name}.{child.name()}" if name else child.name()
                yield from _members(dies, _type(dies, child),
                                    at + child.number("data_member_location"),
                                    inner if child.name() else name)
    elif die is not None and die.tag == "array_type" and name:
        element = _type(dies, die)
        for i in range(min(_count(die), _MOST)):
            yield from _members(dies, element, at + i * _size(dies, element),
                                f"{name}[{i}]")
    elif name:
        yield at, name


def _symbol(die):
    """A variable of a function is called after it, too."""
    parent = die.parent
    while parent and parent.tag != "subprogram":
        parent = parent.parent
    return f"{parent.name()}.{die.name()}" if parent else die.name()


def layout(text):
    """The lines of all variables with a place in memory."""
    dies = _read(text)
    lines = []
    for die in dies.values():
        place = die.attributes.get("location", "")
        if die.tag != "variable" or "DW_OP_addr" not in place or not die.name():
            continue
        kind = _type(dies, die)
        element = 0
        if kind is not None and kind.tag == "array_type":
            kind = _type(dies, kind)
            element = _size(dies, kind)
        words = [f"{at}:{name}" for at, name in _members(dies, kind, 0, "")]
        lines.append(" ".join([_symbol(die), str(element), *words]))
    return lines


def as_c(lines):
    """A definition of plain_layout."""
    body = "".join(f'"{line}\\n"\n' for line in lines)
    return f'const char plain_layout[] =\n{body or chr(34) * 2};\n'
