# SPDX-License-Identifier: MIT
"""Does a program print what a document says?

Word by word: where a document folds a long line or sets a table closer makes
no difference. `...` as a word stands for anything, within a word for any
letters.
"""

import re

_NUMBER = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{10,16}\b|\d+(?:[.,]\d+)*")
SHOWN = 20      # lines at either end of an output

_ONE_OR_MORE = re.compile(r"\b(kind)s?(?= of crash)")
_FINDING = re.compile(r"(BUG: |oracle: |!!! round \d+: )")


def _letters(word, vary):
    """A regular expression for one word."""
    if not vary:
        return re.escape(word)
    parts, end = [], 0
    for number in _NUMBER.finditer(word):
        parts.append(re.escape(word[end:number.start()]))
        text = number[0]
        if text.startswith("0x"):
            parts.append("0x[0-9a-f]+")
        elif re.search("[a-f]", text):
            parts.append("[0-9a-f]+")
        else:
            parts.append(r"\d+(?:[.,]\d+)*")
        end = number.end()
    return "".join(parts) + re.escape(word[end:])


def _word(word, vary):
    return r"\S*".join(_letters(part, vary) for part in word.split("..."))


def _without_findings(lines):
    """What a search finds first is luck: its sentence and its program."""
    program = folded = False
    for line in lines:
        word = line.strip()
        if folded and re.match(r"[a-z][a-z0-9]* (?!cpus=)", word):
            continue        # the rest of a sentence
        folded = False
        if word.startswith("machine "):
            program = True
            yield "..."
        elif program and re.match(r"(task|irq|choices|[A-Z]:|[a-z]+ [pl]\d)",
                                  word):
            continue
        else:
            program = False
            said = _FINDING.search(line)
            folded = bool(said)
            yield line[:said.end()] + " ..." if said else line


def _expressions(lines, mode):
    """A regular expression for each word, with a blank after it."""
    if mode == "findings vary":
        lines = list(_without_findings(lines))
    return [r"(?:\S+ )*?" if word == "..." else
            _word(word, mode != "exact") + " "
            for word in " ".join(lines).split()]


def difference(lines, printed, mode):
    """None if they agree, else where they part, and all that is printed."""
    if mode == "findings vary":     # so does how many there are
        lines = [_ONE_OR_MORE.sub(r"\1s", line) for line in lines]
        printed = _ONE_OR_MORE.sub(r"\1s", printed)
    words = "".join(word + " " for word in printed.split())
    expressions = _expressions(lines, mode)
    if re.compile("".join(expressions)).fullmatch(words):
        return None
    agree = 0
    while agree < len(expressions) and re.match(
            "".join(expressions[:agree + 1]), words):
        agree += 1
    said = " ".join(lines).split()
    rest = " ".join(said[agree:agree + 12]) or "(the end)"
    shown = printed.splitlines()
    if len(shown) > 2 * SHOWN:
        shown[SHOWN:-SHOWN] = ["..."]
    return "\n".join([
        f"the document ({mode}) is right up to: "
        + " ".join(said[max(agree - 6, 0):agree]),
        f"it goes on: {rest}", "but this is printed:"] + shown)
