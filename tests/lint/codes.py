#!/usr/bin/env python3
"""Every error of error.h, with its exit status, has a row in docs/errors.md; the rows there are all real; other exit statuses are explained."""
import re

import lint

HEADER = 'include/gapship/error.h'
PAGE = 'docs/errors.md'


def check(root):
    text = (root / HEADER).read_text()
    errors = {name: int(status) for name, status in re.findall(r'^\s*X\((\w+), (\d+), "', text, re.MULTILINE)}
    page = (root / PAGE).read_text() if (root / PAGE).exists() else ''
    rows = {}
    for number, line in enumerate(page.splitlines(), 1):
        cells = re.match(r'\|\s*`?([A-Z_]+)`?\s*\|\s*(\d+)\s*\|', line)
        if cells:
            rows[cells[1]] = (number, int(cells[2]))
    for name, status in errors.items():
        if name not in rows:
            yield PAGE, 1, f'no row for {name} (exit status {status})'
        elif rows[name][1] != status:
            yield PAGE, rows[name][0], f'{name} has exit status {status}'
    for name in rows.keys() - errors.keys():
        yield PAGE, rows[name][0], f'{name} is no error of {HEADER}'
    for status in re.findall(r'^#define GS_EXIT_\w+ (\d+)', text, re.MULTILINE):
        if not re.search(rf'\b{status}\b', page):
            yield PAGE, 1, f'exit status {status} is not explained'


lint.run(check, __doc__)
