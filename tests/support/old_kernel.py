#!/usr/bin/env python3
"""Runs a program as an older kernel would: old_kernel.py WITHOUT PROGRAM WORD…, where WITHOUT is landlock, seccomp or landlock,seccomp.

A filter on system calls, which the program inherits, answers as a kernel does that has never heard of the one or the other."""
import ctypes
import errno
import os
import platform
import struct
import sys

PRCTL = {'x86_64': 157, 'aarch64': 167}[platform.machine()]
SECCOMP = {'x86_64': 317, 'aarch64': 277}[platform.machine()]
LANDLOCK_CREATE_RULESET = 444
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, FILTER = 22, 38, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER, FIRST_ARGUMENT = 0, 16  # offsets in struct seccomp_data
ALLOW, FAIL = 0x7fff0000, 0x00050000


def program(without):
    """Instructions as (code, jump if true, jump if false, operand)."""
    found = [(LOAD, 0, 0, NUMBER)]
    if 'landlock' in without:
        found += [(EQUAL, 0, 1, LANDLOCK_CREATE_RULESET), (RETURN, 0, 0, FAIL | errno.ENOSYS)]
    if 'seccomp' in without:
        found += [(EQUAL, 0, 1, SECCOMP), (RETURN, 0, 0, FAIL | errno.ENOSYS), (EQUAL, 0, 3, PRCTL), (LOAD, 0, 0, FIRST_ARGUMENT),
                  (EQUAL, 0, 1, PR_SET_SECCOMP), (RETURN, 0, 0, FAIL | errno.EINVAL)]
    return b''.join(struct.pack('=HBBI', *instruction) for instruction in [*found, (RETURN, 0, 0, ALLOW)])


def become(without):
    libc = ctypes.CDLL(None, use_errno=True)
    text = program(without)
    instructions = ctypes.create_string_buffer(text, len(text))
    header = struct.pack('@HP', len(text) // 8, ctypes.addressof(instructions))
    for call in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, FILTER, header, 0, 0)):
        if libc.prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), 'this kernel has no seccomp to play an older one with')


if __name__ == '__main__':
    become(sys.argv[1].split(','))
    os.execvp(sys.argv[2], sys.argv[2:])
