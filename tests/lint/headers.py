#!/usr/bin/env python3
"""Each public header compiles alone, twice in one file, as pedantic C11, with every given compiler."""
import subprocess
import sys

import lint

FLAGS = ['-std=c11', '-pedantic', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE', '-fsyntax-only', '-x', 'c', '-']


def check(root, compiler):
    for path in lint.files(root, ['include'], ('.h',)):
        name = path.relative_to('include').as_posix()
        for cc in compiler:
            unit = f'#include "{name}"\n#include "{name}"\ntypedef int not_empty;\n'
            result = subprocess.run([cc, '-I', str(root / 'include'), *FLAGS], input=unit, stderr=subprocess.PIPE, text=True)
            if result.returncode:
                sys.stderr.write(result.stderr)
                yield path, 1, f'does not compile alone with {cc}'


lint.run(check, __doc__, compiler='a C compiler')
