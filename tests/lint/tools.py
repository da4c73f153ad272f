#!/usr/bin/env python3
"""The standard tools, each asked for nothing but silence: clang-format, shellcheck, cppcheck, clang-tidy."""
import os
import re
import subprocess
import sys
from multiprocessing.pool import ThreadPool

import lint


def ask(root, command, pattern):
    """Runs a tool; what it says goes to stderr, its findings (path, line, id by pattern) are returned."""
    result = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = [(os.path.relpath(os.path.join(root, m[1]), root), int(m[2]), f'{command[0]}: {m[3]}')
             for m in re.finditer(pattern, result.stdout, re.MULTILINE)]
    if result.returncode or found:
        sys.stderr.write(result.stdout)
    if result.returncode and not found:
        found.append((command[0], 0, f'ended with {result.returncode}'))
    return found


def c_sources(root):
    folders = [folder for folder in (*lint.CODE_FOLDERS, 'tests') if (root / folder).is_dir()]
    return [str(path) for path in lint.files(root, folders, ('.c', '.h'))]


def shell_scripts(root):
    """Programs; the parts they source (.bash) are checked with them."""
    for path in lint.files(root):
        if path.suffix == '.sh':
            yield str(path)
        elif not path.suffix and (root / path).read_bytes()[:64].startswith((b'#!/bin/sh', b'#!/bin/bash', b'#!/usr/bin/env bash')):
            yield str(path)


def clang_format(root):
    """One finding a file: its first line that clang-format would change."""
    first = {}
    command = ['clang-format', '--dry-run', '--Werror', *c_sources(root)]
    for path, line, message in ask(root, command, r'^(.+?):(\d+):\d+: .*(\[-Wclang-format-violations\])$'):
        first.setdefault(path, (path, line, message))
    return first.values()


def shellcheck(root):
    scripts = list(shell_scripts(root))
    command = ['shellcheck', '-x', '-a', '-P', 'SCRIPTDIR', '-f', 'gcc', *scripts]
    return ask(root, command, r'^(.+?):(\d+):\d+: .*(\[SC\d+\])$') if scripts else []


def cppcheck(root):
    """Without the checks that do not know the cleanup attribute or a buffer filled by a callee; the compilers and sanitizers do."""
    folders = [folder for folder in ('src', 'installer') if (root / folder).is_dir()]
    blind = ('memleak', 'resourceLeak', 'uninitvar', 'uninitStructMember', 'missingIncludeSystem')
    command = ['cppcheck', '--quiet', '--error-exitcode=1', '--std=c11', '--enable=warning,portability', '--inline-suppr', '-j', '2',
               *('--suppress=' + name for name in blind), '-I', 'include', '-D_GNU_SOURCE', '--template={file}:{line}: [{id}] {message}']
    return ask(root, [*command, *folders], r'^(.+?):(\d+): (\[\w+\])')


def clang_tidy(root):
    """Every .c with plain flags: the compile commands of a gcc build have some that clang refuses."""
    command = ['clang-tidy', '--quiet', f'--config-file={lint.HERE.parent.parent}/.clang-tidy']
    flags = ['--', '-std=gnu11', '-Iinclude', '-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64', '-DGAPSHIP_VERSION=""', '-DGAPSHIP_REVISION=""',
             '-DGS_MICROHTTPD_VERSION=""', '-DGAPSHIP_BUILT=0']
    sources = [path for path in c_sources(root) if path.endswith('.c') and not path.startswith('tests/')]
    pattern = r'^(.+?):(\d+):\d+: (?:warning|error): .*\[([\w.-]+)'
    with ThreadPool(os.cpu_count()) as pool:
        found = pool.map(lambda path: ask(root, [*command, path, *flags], pattern), sources)
    return [finding for findings in found for finding in findings]


def check(root, tool):
    for name in tool:
        yield from globals()[name.replace('-', '_')](root)


lint.run(check, __doc__, tool='clang-format, shellcheck, cppcheck or clang-tidy')
