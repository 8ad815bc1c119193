# SPDX-License-Identifier: MIT
"""ci/fuzz: all fuzz targets side by side, for a minute or for a night.

    __main__.py  the command: arguments, order of things, exit status
    words.py     times and numbers as people write them
    libfuzzer.py what libFuzzer prints
    targets.py   which targets there are, and their files
    place.py     the output directory: lock, free space, atomic writes
    runner.py    the fuzzing processes
    session.py   one run from start to end: status, samples, stop, merge
    screen.py    the status line
    crashes.py   triage: signature, minimise, .hmt, replay line
    results.py   what a run leaves: run.json and history.jsonl
    report.py    text and HTML made from that
    plots.py     the plots in the HTML
    lib_test.py  runs the tests: *_test.py

fuzz/engine/corpus_dir.py, shared with the launcher, owns corpus directories.
"""
