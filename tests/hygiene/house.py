"""Where things lie, and that the build knows of them."""
import os
import re
import stat
import subprocess
from pathlib import PurePosixPath

from tree import CODE, FOLDERS

TOP = {'CMakeLists.txt', 'CMakePresets.json', 'CMakeUserPresets.json', 'LICENSE', 'README.md', 'pyproject.toml'}
CONSUMER = 'tests/install/consumer/main.cpp'


def check_top(tree):
    """The top holds the five folders and what tools demand there."""
    names = {f.split('/')[0] for f in tree.files}
    bad = [f'{name}: does not belong at the top' for name in sorted(names - TOP - set(FOLDERS)) if name[0] != '.']
    return bad + [f'{name}: missing' for name in ('CMakeLists.txt', 'LICENSE', 'README.md') if name not in names]


def check_targets(tree):
    """A folder with code has the CMake target named after it, and the folder above adds it; folders below join it."""
    bad = []
    folders = {'/'.join(PurePosixPath(f).parent.parts[:2])
               for f in tree.named(*CODE, below=('reference', 'emulation', 'validation'))}
    for folder in sorted(folders):
        mine = tree.text(f'{folder}/CMakeLists.txt') or ''
        above, name = folder.rsplit('/', 1) if '/' in folder else ('', folder)
        target = folder.replace('/', '_')
        if not re.search(rf'^\s*(assay_library\({target}|add_(library|executable)\()', mine, re.M):
            bad.append(f'{folder}: its CMakeLists.txt makes no target')
        if not re.search(rf'^\s*add_subdirectory\({name}\)',
                         tree.text(f'{above}/CMakeLists.txt'.lstrip('/')) or '', re.M):
            bad.append(f'{folder}: the folder above does not add it')
    return bad


def check_built(tree):
    """Every source file is compiled: a kernel or a test that CMake does not know of proves nothing."""
    commands = tree.commands()
    apart = re.compile(r'tests/(fuzz|bench|install)/')  # built on demand
    if not any(name.startswith('validation/python/') for name in commands):
        apart = re.compile(apart.pattern + '|validation/python/')  # built where pybind11 is
    return [f'{name}: no target compiles it' for name in tree.named('.cpp')
            if name not in commands and not apart.match(name)]


def check_skips(tree):
    """A test skips with exit code 77 alone: the summary counts every other way to skip as a failure."""
    return [f'{name}: SKIP_REGULAR_EXPRESSION; exit with 77 and set SKIP_RETURN_CODE 77'
            for name in tree.files if re.search(r'(^|/)CMakeLists\.txt$|\.cmake$', name)
            and 'SKIP_REGULAR_EXPRESSION' in (tree.text(name) or '')]


def check_scripts(tree):
    """A file with #! is executable and no other is; bash and Python can parse theirs."""
    bad = []
    for name in tree.files:
        runs = os.stat(tree.path(name)).st_mode & stat.S_IXUSR
        first = (tree.text(name) or '').split('\n', 1)[0]
        if bool(runs) != first.startswith('#!'):
            bad.append(f'{name}: {"executable without" if runs else "not executable in spite of"} #!')
        if name.endswith('.sh') or ('bash' in first and first.startswith('#!')):
            done = subprocess.run(['bash', '-n', tree.path(name)], capture_output=True, text=True, check=False)
            bad += [f'{name}: {done.stderr.strip()}'] if done.returncode else []
            if first.startswith('#!') and 'set -euo pipefail' not in tree.text(name):
                bad.append(f'{name}: does not set -euo pipefail')
        if name.endswith('.py'):
            try:
                compile(tree.text(name) or '', name, 'exec')
            except SyntaxError as error:
                bad.append(f'{name}: {error}')
    return bad


def check_pages(tree):
    """Links of every page lead to files, and the README's C++ program is the one that the install test builds."""
    bad = []
    for name in (f for f in tree.files if f.endswith('.md')):
        prose = re.sub(r'^```.*?^```', '', tree.text(name) or '', flags=re.M | re.S)
        for link in re.findall(r'\]\(([^)#\s]+)(?:#[^)]*)?\)', prose):
            if not re.match(r'[a-z]+:', link) and not (tree.path(name).parent / link).exists():
                bad.append(f'{name}: no file {link}')
    blocks = re.findall(r'^```cpp\n(.*?)^```', tree.text('README.md') or '', re.M | re.S)
    if (tree.text(CONSUMER) or '') not in blocks:
        bad.append(f'README.md: no ```cpp block equals {CONSUMER}')
    return bad
