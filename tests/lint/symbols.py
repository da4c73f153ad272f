#!/usr/bin/env python3
"""Of the static libraries: every global symbol starts with gs_, and nothing in them can change but what globals.txt lists."""
import pathlib
import re
import subprocess

import lint

# objdump -t: value, flags (7 columns), section, size, name
ROW = re.compile(r'^[0-9a-f]+ (.{7}) (\S+)\s+[0-9a-f]+\s+(?:\.hidden )?(\S+)$')
# what compilers and sanitizers add
MADE = re.compile(r'^(__asan|__odr_asan|__ubsan|__sanitizer|asan\.|\.L|\.str|__unnamed_|___asan|__covrec|__sancov|__start_|__stop_)')
CONSTANT = re.compile(r'^\.data\.rel\.ro')
MUTABLE = re.compile(r'^(\.data|\.bss|\*COM\*)')
THREAD = re.compile(r'^\.t(data|bss)')


def check(root, archive):
    allowed = {row[0] for row in lint.table('globals.txt')}
    for name in archive:
        library = pathlib.Path(name).name
        listing = subprocess.run(['objdump', '-t', name], stdout=subprocess.PIPE, text=True, check=True).stdout
        for row in filter(None, map(ROW.match, listing.splitlines())):
            flags, section, symbol = row.groups()
            if MADE.match(symbol) or 'd' in flags or 'f' in flags or section == '*UND*':
                continue
            symbol = re.sub(r'\.\d+$', '', symbol).rpartition('.')[2]  # compilers name a function's static last, last.0 or function.last
            if flags[0] in 'gu!' and not symbol.startswith('gs_'):
                yield library, 0, f'global symbol {symbol} does not start with gs_'
            mutable = THREAD.match(section) or ('O' in flags and MUTABLE.match(section) and not CONSTANT.match(section))
            if mutable and symbol not in allowed:
                yield library, 0, f'mutable global {symbol}'


lint.run(check, __doc__, archive='a static library')
