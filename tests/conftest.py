"""Fixtures shared by the tests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from analysis.study import Study, load_study

NATIONAL = "cnc_afdas_2026"


@pytest.fixture(scope="session")
def national() -> Study:
    return load_study(NATIONAL)
