#!/usr/bin/env python3
"""Checks of the tree itself.

    hygiene.py CHECK CHECKOUT [BUILD_FOLDER]
    hygiene.py --list

A new check is a function in one of the modules and a line in CHECKS; selftest.py demands a planted violation for it.
Exits with 0 if nothing is wrong, 1 with a line for each violation, 77 with the reason if it cannot look.
"""
import sys

import house
import layers
import objects
import text
from tree import Skip, Tree

CHECKS = {
    'layers': layers.check_layers,
    'links': layers.check_links,
    'reports': layers.check_reports,
    'top': house.check_top,
    'targets': house.check_targets,
    'built': house.check_built,
    'skips': house.check_skips,
    'scripts': house.check_scripts,
    'pages': house.check_pages,
    'form': text.check_form,
    'headers': text.check_headers,
    'words': text.check_words,
    'threads': text.check_threads,
    'callers': text.check_callers,
    'format': text.check_format,
    'flags': objects.check_flags,
    'exports': objects.check_exports,
}


def main(arguments):
    if arguments == ['--list']:
        print(';'.join(CHECKS))
        return 0
    if not 2 <= len(arguments) <= 3 or arguments[0] not in CHECKS:
        print(__doc__, 'Checks: ' + ' '.join(CHECKS), file=sys.stderr, sep='\n')
        return 2
    check = CHECKS[arguments[0]]
    try:
        bad = check(Tree(*arguments[1:]))
    except Skip as reason:
        print(reason)
        return 77
    for violation in bad:
        print(violation)
    print(f'{check.__doc__.strip()} {len(bad)} violations')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
