"""The pages' Python programs run, and print what stands below them."""
import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
PAGES = ['README.md', pytest.param('validation/python/README.md', marks=pytest.mark.full)]


def programs(page):
    """[(program, expected output)]: a ```python block, and the ```text block that follows it."""
    text = (TOP / page).read_text()
    return re.findall(r'^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?', text, re.M | re.S)


@pytest.mark.parametrize('page', PAGES)
def test_programs_of_the_page(page, capsys, tmp_path, monkeypatch):
    found = programs(page)
    assert found, f'{page} has no Python program'
    monkeypatch.chdir(tmp_path)
    for program, expected in found:
        try:
            exec(compile(program, page, 'exec'), {'__name__': '__main__'})
            printed = capsys.readouterr().out
        except AssertionError as failure:  # what pytest would show
            printed = capsys.readouterr().out + str(failure).lstrip('\n')
        assert printed == expected
