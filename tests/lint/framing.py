#!/usr/bin/env python3
"""The parsers that run before a signature was checked (framing.txt) stay small, and allocate nothing: their functions call only one
another and what is known not to allocate. So no size that a file gives reaches an allocator in them."""
import pathlib
import re

import lint
import sizes

PARSER_LINES = 250
# What may be called. gs_fail and its like write into the gs_error of the caller.
HARMLESS = {'memcmp', 'memcpy', 'gs_load_u16', 'gs_load_u32', 'gs_load_u64', 'gs_all_zero', 'gs_digest_equal', 'gs_fail', 'gs_error_hint',
            'gs_error_context'}
KEYWORDS = {'if', 'for', 'while', 'switch', 'return', 'sizeof'}


def rows(table):
    for line in table.read_text().splitlines():
        words = line.partition('#')[0].split()
        if words:
            yield words[0], words[1], words[2:]


def calls(root, path, first, lines):
    """(line, name) of each call in the body of a function, which begins with its first brace."""
    text = lint.without_comments_and_strings((root / path).read_text())
    body = text.splitlines()[first - 1:first - 1 + lines]
    inside = False
    for number, line in enumerate(body, first):
        if inside:
            yield from ((number, match[1]) for match in re.finditer(r'\b([A-Za-z_]\w*)\s*\(', line) if match[1] not in KEYWORDS)
        inside = inside or line.startswith('{')


def check(root, table):
    parsers, members = {}, set()
    for parser, path, names in rows(pathlib.Path(table[0]) if table else lint.HERE / 'framing.txt'):
        parsers.setdefault(parser, {}).setdefault(path, []).extend(names)
        members.update(names)
    for parser, paths in parsers.items():
        total = sum((root / path).read_text().count('\n') for path in paths)
        if total > PARSER_LINES:
            yield min(paths), 1, f'the {parser} parser has {total} lines; {PARSER_LINES} at most'
        for path, names in paths.items():
            found = {name: (line, lines) for _, name, line, lines, _ in sizes.functions(root, [path])}
            for name in names:
                if name not in found:
                    yield path, 1, f'the {parser} parser has no function {name}'
                    continue
                for number, called in calls(root, path, *found[name]):
                    if called not in members | HARMLESS:
                        yield path, number, f'{name} of the {parser} parser calls {called}, which is not known to allocate nothing'


if __name__ == '__main__':
    lint.run(check, __doc__, table='other tables than framing.txt')
