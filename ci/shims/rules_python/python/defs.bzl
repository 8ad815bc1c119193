# SPDX-License-Identifier: MIT
"""The rules of Python, by the label that newer Bazels want; 4.2 has them built in."""

py_binary = native.py_binary
py_library = native.py_library
py_test = native.py_test
