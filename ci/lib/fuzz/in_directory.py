# SPDX-License-Identifier: MIT
"""What the tests share: an empty directory for each of them."""

import os
import tempfile
import unittest

import corpus_dir


class InDirectory(unittest.TestCase):
    """Each test gets an empty directory."""

    def setUp(self):
        self._temp = tempfile.TemporaryDirectory()
        self.addCleanup(self._temp.cleanup)
        self.dir = self._temp.name

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def write(self, data, *parts):
        os.makedirs(os.path.dirname(self.path(*parts)), exist_ok=True)
        with open(self.path(*parts), "wb") as file:
            file.write(data)
        return self.path(*parts)

    def unit(self, data, *parts):
        """A file with the name libFuzzer would give it."""
        return self.write(data, *parts, corpus_dir.sha1_of(data))

    def script(self, text, name):
        path = self.write(text.encode(), name)
        os.chmod(path, 0o755)
        return path
