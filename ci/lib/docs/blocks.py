# SPDX-License-Identifier: MIT
"""The indented blocks of a document, and what each of them is.

A comment on the line above a block (readers do not see it) says what it is:

    <!-- output: exact -->              what `$ command` prints, word by word
    <!-- output: numbers vary -->       but for its numbers
    <!-- output: findings vary -->      and for the sentences and programs
    <!-- text -->                       a drawing, a formula, a form
    <!-- program -->                    an op program that parses
    <!-- measured by: COMMAND -->       what takes too long, or other tools,
                                        for a test to run it

Behind `output: ...` may stand, each after a semicolon:

    of: COMMAND     the block has no `$` line, and shows what COMMAND prints
    core: NAME      with the mutant NAME for a core
    program above   the block before shows the program that FILE.hmt holds

A block without a comment is one of commands, to be pasted.
"""

import re
import shlex
from typing import List, NamedTuple, Optional

_COMMENT = re.compile(r"<!-- (.+?) -->$")
_COMMANDS = ("bazel", "ci/", "bench/", ".ci/", "cp ", "mkdir ", "time ",
             "git ", "cd ", "sudo ", "hmt ", "explore ", "apt-get ",
             "crontab ", "systemctl ")
_MODES = ("exact", "numbers vary", "findings vary")
_PROGRAM_LINE = re.compile(r"(machine|task|irq|choices|calm|#|[A-Z]:)")


class Wrong(Exception):
    """A document that cannot be checked, in one sentence."""


class Block(NamedTuple):
    """An indented block of a document."""
    path: str
    line: int           # of its first line
    kind: str           # commands, output, text, program, measured
    mode: str           # of an output, one of _MODES
    options: dict       # of an output
    lines: List[str]

    @property
    def where(self):
        return f"{self.path}:{self.line}"


class Run(NamedTuple):
    """One command and what the document says that it prints."""
    command: List[str]
    expected: List[str]


def _directive(path, line, text):
    """(kind, mode, options) of a comment; None: it is about something else."""
    if text in ("text", "program"):
        return text, "", {}
    if text.startswith("measured by: "):
        return "measured", "", {"of": text[13:]}
    if not text.startswith("output:"):
        return None
    first, *rest = [part.strip() for part in text[7:].split(";")]
    if first not in _MODES:
        raise Wrong(f"{path}:{line}: '{first}' is none of: "
                    + ", ".join(_MODES))
    options = {}
    for part in rest:
        name, _, value = part.partition(":")
        if name not in ("of", "core", "program above"):
            raise Wrong(f"{path}:{line}: an output has no option '{name}'")
        options[name] = value.strip()
    return "output", first, options


def is_commands(lines):
    """Nothing but what one would paste: commands, their rest, comments."""
    goes_on = inside = False
    if all(line.strip()[:1] in ("", "#") for line in lines):
        return False
    for line in lines:
        word = line.strip()
        if not (goes_on or inside or word == "" or word.startswith("#")
                or word.startswith(_COMMANDS)
                or re.match(r"\.\.\. .* \.\.\.$", word)):
            return False
        goes_on = line.endswith("\\")
        inside = inside and not word.startswith("{ ")
        if word.endswith("; do") or " do" == word[-3:]:
            inside = True
    return True


def _blocks_of(lines):
    """(first line, lines) of each, without what stands between."""
    start = 0
    while start < len(lines):
        indented = lines[start].startswith("    ")
        if not indented or (start and not _may_precede(lines[start - 1])):
            start += 1
            continue
        end = start
        while end < len(lines) and (lines[end].startswith("    ")
                                    or _is_gap(lines, end)):
            end += 1
        yield start, lines[start:end]
        start = end


def _may_precede(line):
    return line.strip() == "" or _COMMENT.match(line)


def _is_gap(lines, at):
    return (lines[at].strip() == "" and at + 1 < len(lines)
            and lines[at + 1].startswith("    "))


def _comment_above(lines, start):
    """The last comment before the block; an empty line may be between."""
    for at in range(start - 1, max(start - 3, -1), -1):
        found = _COMMENT.match(lines[at])
        if found:
            return found[1]
        if lines[at].strip():
            return None
    return None


def read(path, text):
    """The blocks of a document. Wrong if one says of itself what cannot be."""
    found = []
    lines = text.split("\n")
    for start, body in _blocks_of(lines):
        body = [line[4:] for line in body]
        comment = _comment_above(lines, start)
        said = comment and _directive(path, start + 1, comment)
        if said:
            kind, mode, options = said
        elif is_commands(body):
            kind, mode, options = "commands", "", {}
        else:
            raise Wrong(f"{path}:{start + 1}: a block that says not what it "
                        "is; put <!-- output: exact --> or <!-- text --> "
                        "above it (ci/lib/docs/blocks.py)")
        found.append(Block(path, start + 1, kind, mode, options, body))
    return found


def runs(block) -> List[Run]:
    """The commands of an output block, each with what it prints."""
    if "of" in block.options:
        return [Run(shlex.split(block.options["of"]), block.lines)]
    found = []
    for line in block.lines:
        if line.startswith("$ "):
            found.append(Run(shlex.split(line[2:], comments=True), []))
        elif not found:
            raise Wrong(f"{block.where}: the output of what? It begins with "
                        "no '$ command', and its comment has no 'of:'")
        else:
            found[-1].expected.append(line)
    return found


def program_in(lines) -> Optional[str]:
    """The op program that a block shows, folded lines put together."""
    program = []
    for line in lines:
        word = line.strip()
        if program and line.startswith(" " * (len(indent) + 1)):
            program[-1] += " " + word
        elif _PROGRAM_LINE.match(word) and (program or
                                            word.startswith("machine")):
            if not program:
                indent = line[:len(line) - len(line.lstrip())]
            program.append(word)
        elif program:
            break
    return "\n".join(program) + "\n" if program else None
