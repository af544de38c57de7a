#!/usr/bin/env python3
"""tests/summary.py turns failures into an exit code: gives it made-up reports, and reports that ctest itself writes.

    summary_test.py CTEST
"""
import contextlib
import io
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import summary

RAN = '<testcase name="t" status="{}">{}</testcase>'
BOOST = '<testsuite><testcase name="a"/><testcase name="b">{}</testcase></testsuite>'
SKIPPED = "<skipped/><system-out>- reason: 'precondition failed: no AMX'</system-out>"
SAMPLES = [  # ctest's line, Boost.Test's report or None, (passed, failed, skipped)
    (RAN.format('run', ''), None, (1, 0, 0)),
    (RAN.format('fail', '<failure message=""/>'), None, (0, 1, 0)),
    (RAN.format('notrun', '<skipped message="SKIP_RETURN_CODE=77"/><system-out>why</system-out>'), None, (0, 0, 1)),
    (RAN.format('notrun', '<skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>'), None, (0, 1, 0)),
    (RAN.format('notrun', '<skipped message="Unable to find executable"/>'), None, (0, 1, 0)),
    (RAN.format('disabled', ''), None, (0, 1, 0)),
    (RAN.format('run', ''), BOOST.format(''), (2, 0, 0)),
    (RAN.format('run', ''), BOOST.format(SKIPPED), (1, 0, 1)),
    (RAN.format('fail', '<failure/>'), BOOST.format('<error/>'), (1, 1, 0)),
    (RAN.format('fail', '<failure/>'), BOOST.format(SKIPPED.replace('precondition failed: no AMX', '')), (1, 1, 0)),
    (RAN.format('fail', '<failure/>'), BOOST.format('<skipped/>'), (1, 1, 0)),
    (RAN.format('fail', '<failure/>'), BOOST.format(''), (2, 1, 0)),  # died after its last case
    (RAN.format('fail', '<failure/>'), '<testsuite><testcase', (0, 1, 0)),  # died while it wrote
    ('', None, (0, 0, 0)),
]

# What ctest runs, (passed, failed, skipped), what the summary must say of it.
REAL = [
    ('add_test(t sh -c "exit 0")', (1, 0, 0), ''),
    ('add_test(t sh -c "exit 1")', (0, 1, 0), 'FAILED   t'),
    ('add_test(t sh -c "echo no data; exit 77")\nset_tests_properties(t PROPERTIES SKIP_RETURN_CODE 77)', (0, 0, 1),
     'SKIPPED  1: no data [t]'),
    ('add_test(t sh -c "echo no data; exit 77")', (0, 1, 0), 'FAILED   t'),
    ('add_test(t sh -c "echo no data")\nset_tests_properties(t PROPERTIES SKIP_REGULAR_EXPRESSION "no data")',
     (0, 1, 0), 'FAILED   t (skipped by a regular expression'),
    ('add_test(t "/nonexistent/program")', (0, 1, 0), 'FAILED   t'),
    ('add_test(t sh -c "kill -SEGV $$")', (0, 1, 0), 'FAILED   t'),
]


def run_main(folders):
    """(exit code, text) of the summary of these phases."""
    with contextlib.redirect_stdout(io.StringIO()) as text:
        code = summary.main([word for folder in folders for word in ('title', str(folder), '1')])
    return code, text.getvalue()


def faults(folder, what, expected, said=''):
    statuses = [status for _, status, _ in summary.results(folder)]
    got = tuple(statuses.count(status) for status in ('passed', 'failed', 'skipped'))
    code, text = run_main([folder])
    last = '{} passed, {} failed, {} skipped'.format(*expected)
    bad = []
    if got != expected:
        bad.append(f'{what}: {got}, expected {expected}')
    if code != (0 if expected[0] and not expected[1] else 1):
        bad.append(f'{what}: exit code {code}')
    if text.splitlines()[-1] != last or said not in text:
        bad.append(f'{what}: says {text!r}')
    return bad


def made_up_faults(folder, line, report, expected):
    (folder / 'junit').mkdir()
    (folder / 'ctest.xml').write_text(f'<testsuite>{line}</testsuite>')
    if report:
        (folder / 'junit' / 't.xml').write_text(report)
    return faults(folder, f'{line} {report}', expected)


def real_faults(folder, ctest, lines, expected, said):
    (folder / 'CTestTestfile.cmake').write_text(lines + '\n')
    subprocess.run([ctest, '--test-dir', folder, '--output-junit', folder / 'ctest.xml'],
                   capture_output=True, check=False)
    return faults(folder, lines, expected, said)


def phase_faults(folder):
    """A failure of any phase fails the run, and the last line is the sum of the phases."""
    lines = {'good': RAN.format('run', ''), 'bad': RAN.format('fail', '<failure/>'), 'none': ''}
    for name, line in lines.items():
        (folder / name).mkdir()
        (folder / name / 'ctest.xml').write_text(f'<testsuite>{line}</testsuite>')
    bad = []
    for names, code, last in [(('good', 'good'), 0, '2 passed, 0 failed, 0 skipped'),
                              (('good', 'bad'), 1, '1 passed, 1 failed, 0 skipped'),
                              (('bad', 'good'), 1, '1 passed, 1 failed, 0 skipped'),
                              (('good', 'none'), 1, '1 passed, 0 failed, 0 skipped'),
                              (('good', 'absent'), 1, '1 passed, 0 failed, 0 skipped')]:
        got, text = run_main([folder / name for name in names])
        if (got, text.splitlines()[-1]) != (code, last):
            bad.append(f'phases {names}: exit code {got}, {text!r}')
    return bad


def main(ctest):
    bad = []
    for check, *rest in ([(made_up_faults, *sample) for sample in SAMPLES] +
                         [(real_faults, ctest, *sample) for sample in REAL] + [(phase_faults,)]):
        with tempfile.TemporaryDirectory() as folder:
            bad += check(Path(folder), *rest)
    for line in bad:
        print(line)
    print(f'{len(SAMPLES) + len(REAL)} runs, {len(bad)} faults')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
