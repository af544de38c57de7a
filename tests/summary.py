#!/usr/bin/env python3
"""Closing lines of tests/run: what passed, failed and was skipped, and why.

    summary.py (TITLE FOLDER SECONDS)...

ctest counts programs. Here a Boost.Test program counts as its cases, read from FOLDER/junit/<test>.xml beside ctest's
FOLDER/ctest.xml, so that a case skipped inside a program that passed is seen. A program that died without its report
counts as one failure.
The last line is `N passed, N failed, N skipped`; the exit code is 1 if anything failed or nothing ran.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def boost_cases(report):
    """[(name, status, reason)] of one Boost.Test report; empty if there is none that can be read."""
    try:
        root = ElementTree.parse(report).getroot()
    except (OSError, ElementTree.ParseError):
        return []
    cases = []
    for case in root.iter('testcase'):
        name = '.'.join(filter(None, (case.get('classname'), case.get('name'))))
        if case.find('skipped') is not None:
            text = case.findtext('system-out') or ''
            reason = re.search(r"- reason: '(?:precondition failed: )?(.*?)'\s*$", text, re.S)
            # Boost.Test also calls skipped, without a reason, what it did not reach after a crash.
            # pytest has it in an attribute.
            reason = reason[1] if reason else case.find('skipped').get('message', '')
            reason = ' '.join(reason.split())
            cases.append((name, 'skipped', reason) if reason else (name, 'failed', 'not reached'))
        else:
            failed = case.find('failure') is not None or case.find('error') is not None
            cases.append((name, 'failed' if failed else 'passed', ''))
    return cases


def not_run(message, output):
    """(status, reason) of what ctest calls not run: a skip is exit code 77, a missing program a failure."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = lines[-1] if lines else ''
    if message.startswith('SKIP_RETURN_CODE'):
        return 'skipped', last or message
    if message.startswith('SKIP_REGULAR_EXPRESSION'):
        return 'failed', 'skipped by a regular expression: exit with 77 instead; ' + last
    return 'failed', last or message


def results(build):
    """[(name, status, reason)] of everything that ctest ran, from a folder with ctest.xml and junit/."""
    try:
        root = ElementTree.parse(build / 'ctest.xml').getroot()
    except (OSError, ElementTree.ParseError):
        return []
    found = []
    for test in root.iter('testcase'):
        name = test.get('name')
        skipped = test.find('skipped')
        if skipped is not None:
            found.append((name, *not_run(skipped.get('message', ''), test.findtext('system-out') or '')))
            continue
        passed = test.find('failure') is None and test.get('status') == 'run'
        cases = boost_cases(build / 'junit' / f'{name}.xml')
        found += [(f'{name}: {case}', status, reason) for case, status, reason in cases]
        if not cases or (not passed and all(status != 'failed' for _, status, _ in cases)):
            found.append((name, 'passed' if passed else 'failed', ''))
    return found


def main(arguments):
    totals = {'passed': 0, 'failed': 0, 'skipped': 0}
    empty = False
    for title, build, seconds in zip(arguments[0::3], arguments[1::3], arguments[2::3]):
        found = results(Path(build))
        count = {status: sum(s == status for _, s, _ in found) for status in totals}
        empty |= count['passed'] + count['failed'] == 0
        print(f"{title}: {count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped;"
              f" the tests took {seconds} s")
        for name, status, reason in found:
            if status == 'failed':
                print(f'  FAILED   {name}' + (f' ({reason})' if reason else ''))
        reasons = {}
        for name, status, reason in found:
            if status == 'skipped':
                reasons.setdefault(reason, []).append(name)
        for reason, names in reasons.items():
            more = f' and {len(names) - 3} more' if len(names) > 3 else ''
            print(f"  SKIPPED  {len(names)}: {reason} [{', '.join(names[:3])}{more}]")
        for status, n in count.items():
            totals[status] += n
    if empty:
        print('No test ran.')
    print('{passed} passed, {failed} failed, {skipped} skipped'.format(**totals))
    return 1 if empty or totals['failed'] else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
