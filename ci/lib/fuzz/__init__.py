# SPDX-License-Identifier: MIT
"""ci/fuzz: all fuzz targets side by side, for a minute or for a night.

    __main__.py  the command: arguments, order of things, exit status
    words.py     times and numbers as people write them
    libfuzzer.py what libFuzzer prints
    targets.py   which targets there are, and their files
    place.py     the output directory: lock, free space, atomic writes
    stock.py     what earlier runs left there, before a run
    runner.py    the fuzzing processes
    session.py   one run: status, samples, stop, merge
    screen.py    the status line
    signature.py which bug a crash is
    fuzzer.py    a target's binary on single inputs: replay, minimise
    crashes.py   triage: the kinds of crash, their replay lines
    kept.py      crash.json
    results.py   what a run leaves: run.json and history.jsonl
    report.py    the text made from that
    page.py      the HTML; page.css, charts.py: its drawings
    lib_test.py  runs the tests: *_test.py

What is read from the output directory may have been written by anybody: see
corpus_dir.one_line() and read_file(), place.check_no_links(), kept.py,
results.read_run(), and hostile_test.py, which tries.

fuzz/engine/corpus_dir.py, shared with the launcher, owns corpus directories.
"""
