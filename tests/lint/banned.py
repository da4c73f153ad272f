#!/usr/bin/env python3
"""No call of a function of banned.txt outside the place that may call it."""
import re

import lint


def rules():
    """name -> (directory or '-', reason)"""
    found = {}
    for line in (lint.HERE / 'banned.txt').read_text().splitlines():
        if line and not line.startswith('#'):
            words, _, reason = line.partition('|')
            *names, place = words.split()
            found.update({name: (place, reason.strip()) for name in names})
    return found


def check(root):
    banned = rules()
    call = re.compile(r'(?<![\w.>])(' + '|'.join(map(re.escape, banned)) + r')\s*\(')
    for path in lint.c_files(root):
        text = lint.without_comments_and_strings((root / path).read_text())
        for match in call.finditer(text):
            place, reason = banned[match[1]]
            if place == '-' or path.parent.as_posix() != place:
                yield path, text.count('\n', 0, match.start()) + 1, f'{match[1]}() is for {"nobody" if place == "-" else place}: {reason}'


lint.run(check, __doc__)
