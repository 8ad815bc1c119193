# SPDX-License-Identifier: MIT
"""Small changes to a C file that is not ours, without its text.

A canary is another kernel's file with one bug in it. Its licence is not ours, so
no patch with lines of context can be in this tree. An edit names a function and
a few tokens in it instead:

    # why this is a bug, in our own words
    FUNCTION: replace `A` by `B`
    FUNCTION: delete `A`                     the statement that begins so
    FUNCTION: move `A` before `B`            two statements, or
    FUNCTION: move `A` after `B`

Blanks do not matter. An edit that does not find its place, or finds two, is an
error: a canary must not turn into the healthy file because that moved on.
"""

import re

_LINE = re.compile(
    r"(\w+): (replace|delete|move) `([^`]+)`(?: (by|before|after) `([^`]*)`)?$"
)
_TOKEN = re.compile(r"\w+|[^\w\s]")
_WANTS = {"replace": {"by"}, "delete": {None}, "move": {"before", "after"}}


class EditError(ValueError):
    """The file is not what the edit is for, or the edit is none."""


def parse(text):
    """[(function, verb, tokens, word, tokens)]"""
    edits = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.match(line.strip())
        if not match or match[4] not in _WANTS[match[2]]:
            raise EditError(f"line {number}: not an edit: {line}")
        edits.append(match.groups())
    if not edits:
        raise EditError("no edit in it")
    return edits


def _pattern(tokens):
    """Matches these tokens, whatever blanks and comments are between them."""
    gap = r"(?:\s|/\*.*?\*/)*"
    parts = [re.escape(t) for t in _TOKEN.findall(tokens)]
    first = r"(?<!\w)" if re.match(r"\w", parts[0]) else ""
    last = r"(?!\w)" if re.search(r"\w$", parts[-1]) else ""
    return re.compile(first + gap.join(parts) + last, re.DOTALL)


def _body(text, function):
    """(from, to) of the function's body, braces included."""
    heads = re.compile(
        rf"^[A-Za-z_][\w\s\*]*\b{function}\([^;{{]*\)\s*\{{", re.MULTILINE
    )
    found = list(heads.finditer(text))
    if len(found) != 1:
        raise EditError(f"{len(found)} functions {function}(), not one")
    start = found[0].end() - 1
    end = text.find("\n}", start)
    if end < 0:
        raise EditError(f"{function}() does not end")
    return start, end


def _only(body, tokens, function):
    found = list(_pattern(tokens).finditer(body))
    if len(found) != 1:
        raise EditError(
            f"{function}(): `{tokens}` is there {len(found)} times, not once"
        )
    return found[0].span()


def _statement(body, tokens, function):
    """(from, to) of the statement that begins with @tokens, its ; included."""
    start, _ = _only(body, tokens, function)
    end = body.find(";", start)
    if end < 0:
        raise EditError(f"{function}(): `{tokens}` begins no statement")
    return start, end + 1


def _move(body, what, where, target, function):
    start, end = _statement(body, what, function)
    statement = body[start:end]
    # A statement stays, empty: it may be all that an if or a loop has.
    body = body[:start] + ";" + body[end:]
    begin, finish = _statement(body, target, function)
    at = begin if where == "before" else finish
    return f"{body[:at]} {statement} {body[at:]}"


def _edited(body, edit):
    function, verb, what, where, other = edit
    if verb == "move":
        return _move(body, what, where, other, function)
    if verb == "delete":
        start, end = _statement(body, what, function)
        return body[:start] + ";" + body[end:]
    start, end = _only(body, what, function)
    return body[:start] + other + body[end:]


def apply(text, edits):
    """The text with all edits, one after the other."""
    for edit in edits:
        start, end = _body(text, edit[0])
        text = text[:start] + _edited(text[start:end], edit) + text[end:]
    return text
