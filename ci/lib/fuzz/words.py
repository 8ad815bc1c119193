# SPDX-License-Identifier: MIT
"""Times and numbers as people read them."""

from corpus_dir import one_line  # noqa: F401  (words from elsewhere)


def duration(seconds):
    """The two largest units: 7 s, 1 m 05 s, 8 h 00 m, 2 d 03 h."""
    seconds = int(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} m {seconds % 60:02} s"
    if seconds < 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02} m"
    return f"{seconds // 86400} d {seconds % 86400 // 3600:02} h"


def clock(seconds):
    """For a status line: 0:07, 12:34, 8:00:00."""
    seconds = max(0, int(seconds))
    minutes = f"{seconds // 60 % 60}:{seconds % 60:02}"
    if seconds < 3600:
        return minutes
    return f"{seconds // 3600}:{minutes:0>5}"


def number(value):
    """1234567 -> 1,234,567"""
    return f"{value:,}"


def short(value):
    """Three digits: 999, 12.3k, 4.56M."""
    for unit in ("", "k", "M", "G"):
        if value < 999.5:
            break
        value /= 1000
    else:
        unit = "T"
    if unit == "" or value >= 99.95:
        return f"{value:.0f}{unit}"
    return f"{value:.1f}{unit}" if value >= 9.995 else f"{value:.2f}{unit}"


def count(amount, thing, things=None):
    """1 crash, 2 crashes"""
    return f"{amount:,} {thing if amount == 1 else things or thing + 's'}"
