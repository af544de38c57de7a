"""What the tests share: a seed that is printed, and the command where it was built."""
import os
from pathlib import Path

import numpy as np
import pytest

import assay

SEED = int(os.environ.get('ASSAY_SEED', '1'))
DATA = Path(__file__).resolve().parents[1] / 'data'


def pytest_configure(config):
    config.addinivalue_line('markers', 'full: takes seconds; left out where the quick form runs')


def pytest_report_header():
    return f'seed {SEED} (ASSAY_SEED), {assay.__file__}'


@pytest.fixture
def random():
    return np.random.default_rng(SEED)


@pytest.fixture
def data():
    return DATA


@pytest.fixture
def command():
    """The command `assay` of the same build."""
    path = os.environ.get('ASSAY_COMMAND', '')
    if not os.path.exists(path):
        pytest.skip('the command assay was not built beside the module')
    return path
