"""Volumes, made from bundle-spec/FORMAT.md section 14 alone: a bundle as one file or as several, and cutting one into volumes.

Shares no code with gapship. ValueError says what is wrong.
"""
import os
import re
import struct

HEADER = 512
MAGIC = b'GSVOLUM1'
LARGEST = (1 << 53) - 1


def header(number, count, slice_size, total, digest, magic=MAGIC, version=1):  # pylint: disable=too-many-arguments
    return struct.pack('<8sIIIIQQ32s', magic, version, number, count, 0, slice_size, total, digest).ljust(HEADER, b'\0')


def parts(total, slice_size):
    """(number, offset, length) of each slice."""
    count = -(-total // slice_size)
    return [(n + 1, n * slice_size, min(slice_size, total - n * slice_size)) for n in range(count)]


def split(path, slice_size, digest, into=None):
    """Cuts a bundle into volumes of its name, holes staying holes. Returns their paths."""
    total, paths = os.path.getsize(path), []
    slice_size = min(slice_size, total)
    pieces = parts(total, slice_size)
    with open(path, 'rb') as file:
        for number, offset, length in pieces:
            paths.append(f'{into or path}.{number:03}')
            with open(paths[-1], 'wb') as volume:
                volume.write(header(number, len(pieces), slice_size, total, digest))
                volume.truncate(HEADER + length)
                copy_data(file, offset, volume, length)
    return paths


def copy_data(file, start, volume, length):
    at, end = start, start + length
    while at < end:
        try:
            at = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError:  # a hole up to the end
            return
        hole = min(os.lseek(file.fileno(), at, os.SEEK_HOLE), end)
        while at < hole:
            data = os.pread(file.fileno(), min(1 << 20, hole - at), at)
            os.pwrite(volume.fileno(), data, HEADER + at - start)
            at += len(data)


def check(condition, message):
    if not condition:
        raise ValueError(message)


def parse(data, size):
    """(number, the fields that all volumes share) of a file that has so many bytes and begins so."""
    check(len(data) == HEADER and data.startswith(MAGIC), 'not a volume')
    version, number, count, zero, slice_size, total, digest = struct.unpack_from('<IIIIQQ32s', data, 8)
    check(version == 1, f'version {version} of volumes is not known')
    check(zero == 0 and not any(data[72:]), 'a byte that is zero is not')
    check(0 < total <= LARGEST and total % HEADER == 0, 'an impossible total')
    check(0 < slice_size <= total and slice_size % HEADER == 0, 'an impossible slice')
    pieces = -(-total // slice_size)
    check(count == pieces <= 999 and 1 <= number <= count, 'number and count do not fit')
    check(size == HEADER + min(slice_size, total - (number - 1) * slice_size), 'a volume has another length')
    return number, (count, slice_size, total, digest)


class Whole:
    digest = None

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDONLY)
        self.length = self.first = os.fstat(self.fd).st_size

    def read(self, offset, size):
        return os.pread(self.fd, size, offset)

    def close(self):
        os.close(self.fd)


class Volumes:
    """The logical file; all volumes are looked for beside the one that is named."""

    def __init__(self, path):
        self.fds = {}
        try:
            self._open(path)
        except ValueError:
            self.close()
            raise

    def _open(self, path):
        self.common = None
        check(re.search(r'\.\d\d\d$', path), 'a volume whose name has no number')
        self._add(path)
        for number in range(1, self.common[0] + 1):
            if os.path.exists(f'{path[:-4]}.{number:03}'):
                self._add(f'{path[:-4]}.{number:03}')
        count, self.slice, self.length, digest = self.common
        self.first, self.digest = min(self.slice, self.length), digest.hex()
        check(set(self.fds) == set(range(1, count + 1)), 'a volume is missing')

    def _add(self, path):
        fd = os.open(path, os.O_RDONLY)
        try:
            number, common = parse(os.pread(fd, HEADER, 0), os.fstat(fd).st_size)
            check(self.common in (None, common), 'a volume of something else')
            self.common = common
        except ValueError:
            os.close(fd)
            raise
        if number in self.fds:
            os.close(fd)
        else:
            self.fds[number] = fd

    def read(self, offset, size):
        data = b''
        while size > 0 and offset < self.length:
            number, within = divmod(offset, self.slice)
            piece = os.pread(self.fds[number + 1], min(size, self.slice - within), HEADER + within)
            if not piece:
                break
            data, offset, size = data + piece, offset + len(piece), size - len(piece)
        return data

    def close(self):
        for fd in self.fds.values():
            os.close(fd)


def open_bundle(path):
    with open(path, 'rb') as file:
        volume = file.read(8) == MAGIC
    return Volumes(os.fspath(path)) if volume else Whole(path)
