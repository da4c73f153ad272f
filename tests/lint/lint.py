"""What every lint shares: the project's files, C without its comments and strings, and how findings are told.

A lint is a function from the project's root to findings `(path, line, message)`. It prints one line a finding on stdout and ends with 1
when there is any. What a tool itself says goes to stderr, so that a proof can compare stdout word for word.
"""
import argparse
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE / 'fixtures'
CODE_FOLDERS = ('src', 'installer', 'include')

_TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def run(check, description, **extra):
    """Runs a lint as a program. extra: further options, name -> help; each may be given several times and reaches check by name."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('--root', type=pathlib.Path, default=HERE.parent.parent, help='the tree to look at')
    for name, text in extra.items():
        parser.add_argument('--' + name, action='append', default=[], help=text)
    options = vars(parser.parse_args())
    root = options.pop('root').resolve()
    findings = sorted({(str(path), line, message) for path, line, message in check(root, **options)})
    for path, line, message in findings:
        print(f'{path}:{line}: {message}')
    sys.exit(1 if findings else 0)


def files(root, folders=('.',), suffixes=()):
    """Paths relative to root, sorted; without fixtures, build folders and git's own."""
    for folder in folders:
        for where, names, entries in os.walk(root / folder):
            names[:] = sorted(n for n in names if n not in ('.git', '.build', '__pycache__') and pathlib.Path(where, n) != FIXTURES)
            for entry in sorted(entries):
                path = pathlib.Path(where, entry)
                if (not suffixes or path.suffix in suffixes) and path.is_file():
                    yield path.relative_to(root)


def c_files(root):
    return files(root, CODE_FOLDERS, ('.c', '.h'))


def _blank(text):
    return re.sub(r'[^\n]', ' ', text)


def without_comments(text):
    return _TOKEN.sub(lambda m: _blank(m[0]) if m[0][0] == '/' else m[0], text)


def without_comments_and_strings(text):
    return _TOKEN.sub(lambda m: _blank(m[0]), text)


def includes(path):
    """Of a C file: (line, '"' or '<', name) for each #include."""
    for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if match:
            yield number, match[1], match[2]


def table(name):
    """The rows of one of the tables beside this file: words, without comments."""
    for line in (HERE / name).read_text().splitlines():
        line = line.partition('#')[0].strip()
        if line:
            yield line.split()
