#!/usr/bin/env python3
"""prove.py FIXTURE LINT [OPTION ...]: the lint must fail on the fixture and say exactly what FIXTURE.expected says."""
import difflib
import pathlib
import subprocess
import sys

fixture = pathlib.Path(sys.argv[1])
result = subprocess.run([sys.executable, '-B', *sys.argv[2:], '--root', str(fixture)], stdout=subprocess.PIPE, text=True)
wanted = sorted(fixture.with_name(fixture.name + '.expected').read_text().splitlines())
said = sorted(result.stdout.splitlines())
if result.returncode != 1:
    sys.exit(f'{sys.argv[2]} ended with {result.returncode} on {fixture}; it should have failed with 1')
if said != wanted:
    sys.exit('\n'.join(difflib.unified_diff(wanted, said, 'expected', 'said', lineterm='')))
