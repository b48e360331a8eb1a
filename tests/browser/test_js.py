"""The modules that need no page, tested by Node.js itself."""

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.node

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("file", sorted((ROOT / "tests" / "js").glob("*.test.mjs")), ids=lambda path: path.stem)
def test_a_file_of_module_tests_passes(file: Path) -> None:
    done = subprocess.run(["node", "--test", str(file)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
