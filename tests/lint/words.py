#!/usr/bin/env python3
"""The project speaks of itself alone: none of the patterns of words.txt in any text file."""
import re

import lint


def check(root):
    patterns = []
    for line in (lint.HERE / 'words.txt').read_text().splitlines():
        if line and not line.startswith('#'):
            pattern, _, reason = line.partition('\t')
            patterns.append((re.compile(pattern), reason))
    for path in lint.files(root):
        if path.as_posix() == 'tests/lint/words.txt' or path.suffix == '.sum':
            continue
        try:
            text = (root / path).read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for pattern, reason in patterns:
                match = pattern.search(line)
                if match:
                    yield path, number, f'"{match[0]}": {reason}'


lint.run(check, __doc__)
