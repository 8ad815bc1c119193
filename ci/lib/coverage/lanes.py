# SPDX-License-Identifier: MIT
"""Adds up what single tests covered, by lane.

A test's counts are those of lcov.py: {file: {lcov's key: times}}. A lane that
never linked a file covers none of it, so that the totals of all lanes are the
same.
"""

from collections import Counter, defaultdict

from ci.lib.coverage import lcov

# The folders with unit tests.
UNIT = ("//core", "//stress/oracle", "//stress/program", "//stress/schedule")

# What each lane takes in, by label; CORPUS comes from elsewhere.
LANES = {
    "unit": lambda label: label.startswith(UNIT),
    "seeds": lambda label: label.startswith("//fuzz")
    and label.endswith("_fuzz_test"),
    "all": lambda label: True,
}
CORPUS = "corpus"
KINDS = {"functions": "FNDA:", "lines": "DA:", "branches": "BRDA:"}


def of_texts(texts):
    """The sum of some lcov texts."""
    return lcov.add(texts)


def by_lane(tests, corpus=None):
    """{lane: counts}, from [(label, lcov text)]."""
    found = {lane: of_texts([text for label, text in tests if takes(label)])
             for lane, takes in LANES.items()}
    if corpus is not None:
        found[CORPUS] = of_texts([corpus])
        found["all"] = of_texts([text for _, text in tests] + [corpus])
    return _completed(found)


def _completed(found):
    """Each lane with each file and key that any has."""
    keys = defaultdict(set)
    for counts in found.values():
        for name, of_file in counts.items():
            keys[name] |= of_file.keys()
    return {
        lane: {
            name: Counter({key: counts.get(name, {}).get(key, 0)
                           for key in sorted(keys[name], key=_order)})
            for name in sorted(keys)
        }
        for lane, counts in found.items()
    }


def _order(key):
    kind, _, rest = key.partition(":")
    return kind, [int(w) if w.isdigit() else 0 for w in rest.split(",")], rest


def share(of_file, kind):
    """(reached, all) of one kind in one file."""
    times = [n for key, n in of_file.items() if key.startswith(KINDS[kind])]
    return sum(n > 0 for n in times), len(times)


def total(counts, kind, folder=""):
    """(reached, all) of one kind in all files of a folder."""
    shares = [share(of_file, kind) for name, of_file in counts.items()
              if name.startswith(folder)]
    return sum(hit for hit, _ in shares), sum(every for _, every in shares)


def lines(of_file):
    """{line: times}"""
    return {int(key[3:]): n for key, n in of_file.items()
            if key.startswith("DA:")}


def branches(of_file):
    """{line: [times]}"""
    found = defaultdict(list)
    for key, n in of_file.items():
        if key.startswith("BRDA:"):
            found[int(key[5:].split(",")[0])].append(n)
    return found


def uncovered(of_file):
    """Lines that nobody reached."""
    return sorted(line for line, n in lines(of_file).items() if not n)


def write_lcov(counts, path):
    """For genhtml and others that read lcov's form."""
    lcov.write(counts, path)


def as_json(found):
    """All shares, and which lines are left, in words of JSON."""
    names = sorted(next(iter(found.values())))
    return {
        "format": 1,
        "lanes": {lane: {kind: total(counts, kind) for kind in KINDS}
                  for lane, counts in found.items()},
        "files": {name: {lane: {
            **{kind: share(counts[name], kind) for kind in KINDS},
            "uncovered": uncovered(counts[name]),
        } for lane, counts in found.items()} for name in names},
    }
