#!/usr/bin/env python3
"""One third-party library, one module (libraries.txt), and none in a public header."""
import lint


def check(root):
    owner = dict(lint.table('libraries.txt'))
    modules = {row[3]: row[0] for row in lint.table("layers.txt")}
    for path in lint.c_files(root):
        for line, mark, name in lint.includes(root / path):
            if mark != '<':
                continue
            key = name if name in owner else name.partition('/')[0] + '/'
            if key not in owner:
                yield path, line, f'<{name}> is not listed in libraries.txt'
            elif owner[key] == 'any':
                continue
            elif path.parent.as_posix() == 'include/gapship':
                yield path, line, f'third-party <{name}> in a public header'
            elif modules.get(path.parent.as_posix()) != owner[key]:
                yield path, line, f'<{name}> belongs to module {owner[key]} alone'


lint.run(check, __doc__)
