# SPDX-License-Identifier: MIT
"""Which BUILD files ci/lint takes."""

import sys
import unittest

from ci.lib.test.builds import complaints_about, wrong_targets

LOADED = 'load("@rules_python//python:defs.bzl", "py_test")\n'


def about(text):
    return list(complaints_about("BUILD", text))


class BuildsTest(unittest.TestCase):
    """One file each."""

    def test_a_rule_is_loaded(self):
        self.assertEqual(about(LOADED + 'py_test(name = "t")\n'), [])
        self.assertEqual(
            about('py_test(name = "t")\n'),
            ["BUILD: py_test is used and not loaded"],
        )

    def test_a_load_of_several_lines(self):
        text = 'load(\n    "@rules_cc//cc:defs.bzl",\n    "cc_test",\n)\n'
        self.assertEqual(about(text + 'cc_test(name = "t")\n'), [])

    def test_native_rules(self):
        self.assertRegex(about('    native.sh_test(name = "t")\n')[0], "native")

    def test_a_rule_that_only_a_comment_names(self):
        self.assertEqual(about("# cc_test(name)\n"), [])
        self.assertEqual(about('"""Like this:\n\n    cc_binary(x)\n"""\n'), [])

    def test_other_rules_of_similar_names(self):
        self.assertEqual(about('cc_fuzz_test(name = "t")\n'), [])
        self.assertEqual(about('my_cc_test(name = "t")\n'), [])

    def test_the_configuration_that_is_gone(self):
        self.assertRegex(about('    cfg = "host",\n')[0], "exec")

    def test_what_oss_fuzz_would_build(self):
        sources = ["fuzz/a_fuzz_test.c", "fuzz/b_fuzz_test.c"]
        good = ["//fuzz:a_fuzz_test", "//fuzz:b_fuzz_test"]
        self.assertEqual(list(wrong_targets(good, sources)), [])
        broken = list(wrong_targets(good + ["//stress/mutate:x"], sources))
        self.assertRegex(broken[0], "//stress/mutate:x: .*no-oss-fuzz")
        self.assertRegex(
            list(wrong_targets(good[:1], sources))[0], "b_fuzz_test: .*not"
        )


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    bad = len(result.failures) + len(result.errors)
    print(f"cases: {result.testsRun - bad} passed, {bad} failed")
    sys.exit(bool(bad))
