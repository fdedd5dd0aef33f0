#!/usr/bin/env python3
"""Tests of check_includes.py on a tiny tree."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).parent / "check_includes.py"
TABLE = """# Map

| Folder | Target | May include | What |
|---|---|---|---|
| `core/base` | `b` | – | x |
| `core/moe` (+ `routers/`) | `m` | `core/base` | x |
| `app/cli` | `c` | `core/base`, `core/moe` | x |

| Part | Choice |
|---|---|
| `core/other` | y |
"""


class CheckIncludes(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.write("ARCHITECTURE.md", TABLE)
        self.write("core/base/a.h", "#include <vector>\n")
        self.write("core/moe/m.h", '#include "core/base/a.h"\n#include "imgui.h"\n')
        self.write("core/moe/routers/r.cpp", '#include "core/moe/m.h"\n#include "core/base/a.h"\n')
        self.write("app/cli/main.cpp", '#include "core/moe/m.h"\n')

    def write(self, name, text):
        path = Path(self.folder.name) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run_script(self):
        done = subprocess.run([sys.executable, str(SCRIPT), self.folder.name], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def test_a_good_tree_passes(self):
        self.assertEqual(self.run_script(), (0, "every include of 3 rooms is allowed\n"))

    def test_an_arrow_that_points_up_is_named_with_its_line(self):
        self.write("core/base/a.h", '\n  # include "core/moe/m.h"\n')
        self.assertEqual(self.run_script(), (1, "core/base/a.h:2: core/base may not include core/moe/m.h\n"))

    def test_a_file_outside_every_room_is_named(self):
        self.write("core/attic/old.cpp", "")
        self.assertEqual(self.run_script(), (1, "core/attic/old.cpp: lies in no room of the table\n"))

    def test_an_include_of_a_file_outside_every_room_is_named(self):
        self.write("tests/helper.h", "")
        self.write("app/cli/main.cpp", '#include "tests/helper.h"\n')
        self.assertEqual(self.run_script(), (1, "app/cli/main.cpp:1: app/cli may not include tests/helper.h\n"))

    def test_a_room_that_does_not_exist_is_named(self):
        self.write("ARCHITECTURE.md", TABLE.replace("| – |", "| `core/nowhere` |"))
        code, output = self.run_script()
        self.assertEqual(code, 1)
        self.assertIn("core/base may include core/nowhere, which is no room", output)

    def test_a_missing_table_is_an_error(self):
        self.write("ARCHITECTURE.md", "# Map\n")
        code, output = self.run_script()
        self.assertEqual(code, 1)
        self.assertIn("there is no table with the columns 'Folder' and 'May include'", output)


if __name__ == "__main__":
    unittest.main()
