#!/usr/bin/env python3
"""tests/slowest lists what took longest, from ninja's log and ctest's reports, the longest first."""
import subprocess
import sys
import tempfile
from pathlib import Path

SLOWEST = Path(__file__).resolve().parents[1] / 'slowest'
LOG = """# ninja log v5
0\t1000\t0\tcore/CMakeFiles/core.dir/a.cpp.o\t1
0\t9000\t0\tcore/CMakeFiles/core.dir/b.cpp.o\t2
9000\t9500\t0\tbin/assay\t3
10000\t12000\t0\tcore/CMakeFiles/core.dir/b.cpp.o\t4
"""
REPORT = '<testsuite><testcase name="quick_one" time="0.5"/><testcase name="slow_one" time="7"/></testsuite>'
EXPECTED = """build: built, by folder: 4 s in all
       3.0 s  core
       0.5 s  links and the rest

build: built: 4 s in all
       2.0 s  core/CMakeFiles/core.dir/b.cpp.o
       1.0 s  core/CMakeFiles/core.dir/a.cpp.o

build: tests: 8 s in all
       7.0 s  slow_one (results-0)
       0.5 s  quick_one (results-0)

"""


def run(*arguments):
    return subprocess.run([sys.executable, '-B', SLOWEST, *map(str, arguments)], capture_output=True, text=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        build = Path(folder) / 'build'
        (build / 'results-0').mkdir(parents=True)
        empty = run(build)
        (build / '.ninja_log').write_text(LOG)
        (build / 'results-0' / 'ctest.xml').write_text(REPORT)
        full = run('--most', 2, build)
    wrong = []
    if (full.returncode, full.stdout) != (0, EXPECTED):
        wrong.append(f'expected:\n{EXPECTED}\nfound, exit code {full.returncode}:\n{full.stdout}{full.stderr}')
    if empty.returncode != 2 or 'no build was found' not in empty.stderr:
        wrong.append(f'an empty folder: exit code {empty.returncode}, {empty.stderr}')
    print('\n'.join(wrong) or 'tests/slowest: right')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
