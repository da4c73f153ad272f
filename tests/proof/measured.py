"""Runs gapship and says what that took. The runs are children of a small process of their own (this file as a program): the kernel counts
the memory of the parent for the child as well, and the tests are not small."""
import atexit
import functools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

MIB = 1 << 20
# What the sanitizers keep of freed memory is theirs, not the program's.
SANITIZERS = {'ASAN_OPTIONS': 'quarantine_size_mb=1:' + os.environ.get('ASAN_OPTIONS', '')}


def serve():
    """Answers a request a line from stdin until it ends."""
    for line in sys.stdin:
        request = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(request['command'], cwd=request['cwd'], env=request['env'], stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=err)
            timer = threading.Timer(request['timeout'], process.kill)
            timer.start()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            timer.cancel()
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode(errors='replace'))
        print(json.dumps([process.returncode, *texts, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024]), flush=True)


if __name__ == '__main__':
    serve()
    sys.exit()

import harness  # noqa: E402  # pylint: disable=wrong-import-position
from harness import check  # noqa: E402  # pylint: disable=wrong-import-position

RUNNERS = []


class Measured(harness.Result):
    """memory: the largest resident size in bytes; seconds: processor time, of all threads, because what a clock on the wall says depends
    on who else is running."""

    memory = 0

    def within(self, seconds=1.0, memory=64 * MIB):
        memory *= 2 if sanitized() else 1
        check(self.seconds < seconds, f'{self.seconds:.2f} s of processor time, wanted {seconds}\n{self}')
        check(self.memory < memory, f'{self.memory / MIB:.1f} MiB of memory, wanted {memory / MIB:.0f}\n{self}')
        return self


@functools.lru_cache
def sanitized():
    """Whether the program was built with AddressSanitizer, which puts as much as a small thing is around every small thing."""
    return b'__asan_init' in pathlib.Path(os.environ['GAPSHIP']).read_bytes()


def runner():
    if not RUNNERS:
        RUNNERS.append(subprocess.Popen([sys.executable, '-S', __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        atexit.register(RUNNERS[0].communicate)
    return RUNNERS[0]


def run(command, *, cwd=None, env=None, timeout=300):
    process, command = runner(), [str(word) for word in command]
    request = {'command': command, 'cwd': cwd and str(cwd), 'env': {**os.environ, **SANITIZERS, **(env or {})}, 'timeout': timeout}
    print(json.dumps(request), file=process.stdin, flush=True)
    status, out, err, seconds, memory = json.loads(process.stdout.readline())
    done = Measured(command, status, out, err, seconds)
    done.memory = memory
    return done


class Most:
    """The largest of what many runs took."""

    def __init__(self):
        self.runs, self.memory, self.seconds = 0, 0, 0.0

    def add(self, done):
        self.runs += 1
        self.memory, self.seconds = max(self.memory, done.memory), max(self.seconds, done.seconds)

    def __str__(self):
        return f'{self.runs} runs, at most {self.seconds:.2f} s of processor time and {self.memory / MIB:.0f} MiB'
