"""docs/asvs.md names tests that exist, and counts them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/asvs.md").read_text()


def test_every_test_that_the_page_names_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert named
    for path, name in named:
        assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE), f"{path}::{name}"


def test_the_page_counts_its_items():
    rows = re.findall(r"^\| \d[\d.]+ \| .* \| (.*) \|$", PAGE, re.MULTILINE)
    tested = [row for row in rows if row != "no test"]
    assert PAGE.splitlines()[2].startswith(f"{len(tested)} of these {len(rows)} items")
