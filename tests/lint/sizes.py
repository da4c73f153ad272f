#!/usr/bin/env python3
"""Sizes a reader can hold: .c files, headers, functions, parameters (the error that comes last is not counted). Functions are found by
universal-ctags."""
import json
import re
import subprocess

import lint

LIMITS = {'.c': 600, '.h': 250}
FUNCTION_LINES = 80
PARAMETERS = 6  # named ones
GIVEN = {('installer/serve/serve.c', 'handle')}  # the signature of libmicrohttpd's callback


def functions(root, paths):
    """(path, name, line, lines, parameters) of each function definition."""
    command = ['ctags', '--languages=C', '--langmap=C:.c.h', '--kinds-C=f', '--output-format=json', '--fields=+neS', '-f', '-', '-L', '-']
    listing = subprocess.run(command, input='\n'.join(map(str, paths)), cwd=root, stdout=subprocess.PIPE, text=True, check=True).stdout
    for tag in map(json.loads, listing.splitlines()):
        signature = re.sub(r',\s*(gs_error \*\s*err|\.\.\.)$', '', tag.get('signature', '()')[1:-1])
        depth = 0
        count = 0 if signature.strip() in ('', 'void') else 1
        for letter in signature:
            depth += {'(': 1, ')': -1}.get(letter, 0)
            count += letter == ',' and depth == 0
        yield tag['path'], tag['name'], tag['line'], tag['end'] - tag['line'] + 1, count


def check(root):
    paths = list(lint.c_files(root))
    for path in paths:
        lines = (root / path).read_text().count('\n')
        if lines > LIMITS[path.suffix]:
            yield path, lines, f'{lines} lines; {LIMITS[path.suffix]} at most'
    for path, name, line, lines, parameters in functions(root, paths):
        if lines > FUNCTION_LINES:
            yield path, line, f'a function of {lines} lines; {FUNCTION_LINES} at most'
        if parameters > PARAMETERS and (path, name) not in GIVEN:
            yield path, line, f'{parameters} parameters; {PARAMETERS} at most'


if __name__ == '__main__':
    lint.run(check, __doc__)
