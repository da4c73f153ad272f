"""Runs gapship and says what that took."""
import os
import subprocess
import tempfile

import harness
from harness import check

MIB = 1 << 20
# What the sanitizers keep of freed memory is theirs, not the program's.
SANITIZERS = {'ASAN_OPTIONS': 'quarantine_size_mb=1:' + os.environ.get('ASAN_OPTIONS', '')}


class Measured(harness.Result):
    """memory: the largest resident size in bytes; processor: seconds, of all threads."""

    memory = processor = 0

    def within(self, seconds=1.0, memory=64 * MIB):
        """Processor time, because what a clock on the wall says depends on who else is running."""
        check(self.processor < seconds, f'{self.processor:.2f} s of processor time, wanted {seconds}\n{self}')
        check(self.memory < memory, f'{self.memory / MIB:.1f} MiB of memory, wanted {memory / MIB:.0f}\n{self}')
        return self


def run(command, *, cwd=None, env=None, timeout=300):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(['timeout', str(timeout), *map(str, command)], cwd=cwd, env={**os.environ, **SANITIZERS, **(env or {})},
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors='replace'))
    done = Measured(command, process.returncode, *texts, usage.ru_utime + usage.ru_stime)
    done.memory, done.processor = usage.ru_maxrss * 1024, done.seconds
    return done


class Most:
    """The largest of what many runs took."""

    def __init__(self):
        self.runs, self.memory, self.processor = 0, 0, 0.0

    def add(self, done):
        self.runs += 1
        self.memory, self.processor = max(self.memory, done.memory), max(self.processor, done.processor)

    def __str__(self):
        return f'{self.runs} runs, at most {self.processor:.2f} s of processor time and {self.memory / MIB:.0f} MiB'
