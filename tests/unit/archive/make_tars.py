#!/usr/bin/env python3
"""Writes the tars of test_tar_read.c into a directory: good ones by Python's tarfile, bad ones by it or byte by byte."""
import gzip
import io
import os
import sys
import tarfile

OUT = sys.argv[1]
END = bytes(1024)


def save(name, data):
    with open(os.path.join(OUT, name), 'wb') as file:
        file.write(data)


def header(name, size=0, kind=b'0', mode=0o644, link=b'', size_field=None):
    """A ustar header with a right checksum, whatever else is wrong with it."""
    name = name if isinstance(name, bytes) else name.encode()
    block = bytearray(512)
    block[0:len(name)] = name
    block[100:108] = b'%07o\0' % mode
    block[108:116] = block[116:124] = b'0000000\0'
    block[124:136] = size_field if size_field is not None else b'%011o\0' % size
    block[136:148] = b'00000000000\0'
    block[148:156] = b' ' * 8
    block[156:157] = kind
    block[157:157 + len(link)] = link
    block[257:265] = b'ustar\00000'
    block[148:156] = b'%06o\0 ' % sum(block)
    return bytes(block)


def padded(content):
    return content + bytes(-len(content) % 512)


def file(name, content=b'x', **options):
    return header(name, len(content), **options) + padded(content)


def pax(records, kind=b'x'):
    text = b''
    for key, value in records:
        body = b' ' + key + b'=' + value + b'\n'
        length = len(body) + 1
        while len(str(length)) + len(body) != length:
            length += 1
        text += str(length).encode() + body
    return header('PaxHeaders/x', len(text), kind=kind) + padded(text)


def gnu_long(name, kind=b'L'):
    return header('././@LongLink', len(name) + 1, kind=kind) + padded(name + b'\0')


def python_tar(add, format=tarfile.PAX_FORMAT):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w', format=format) as tar:
        add(tar)
    return buffer.getvalue()


def entry(tar, name, content=b'', kind=tarfile.REGTYPE, mode=0o644, link=''):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname, info.size = kind, mode, link, len(content)
    tar.addfile(info, io.BytesIO(content))


def good(tar):
    entry(tar, './', kind=tarfile.DIRTYPE, mode=0o755)
    entry(tar, './chart/', kind=tarfile.DIRTYPE, mode=0o755)
    entry(tar, './chart/Chart.yaml', b'name: x\n')
    entry(tar, './chart/run.sh', b'#!/bin/sh\n', mode=0o755)
    entry(tar, './chart/empty')
    entry(tar, './chart/Grüße.txt', 'Grüße'.encode())
    entry(tar, './' + 'long/' * 60 + 'name', b'deep')
    entry(tar, 'big.bin', bytes(range(256)) * 1024)


save('good_pax', python_tar(good))
save('good_gnu', python_tar(good, tarfile.GNU_FORMAT))
save('good_gzip', gzip.compress(python_tar(good), mtime=0))
save('good_two_members', gzip.compress(python_tar(good)[:3000], mtime=0) + gzip.compress(python_tar(good)[3000:], mtime=0))
save('good_git_archive', pax([(b'comment', b'0123')], kind=b'g') + file('a') + END)
save('good_no_padding', file('a') + END)
save('good_nothing', END)
save('good_v7_directory', header('old/') + file('old/a') + END)
save('good_links', python_tar(lambda tar: (
    entry(tar, 'a/layer.tar', b'layer'), entry(tar, 'b/layer.tar', kind=tarfile.SYMTYPE, link='../a/layer.tar'),
    entry(tar, 'c', kind=tarfile.LNKTYPE, link='a/layer.tar'), entry(tar, 'd', kind=tarfile.SYMTYPE, link='./a//./layer.tar'))))

save('absolute', file('/etc/passwd') + END)
save('up', file('../x') + END)
save('up_inside', file('a/../../x') + END)
save('dot_inside', file('a/./x') + END)
save('empty_component', file('a//x') + END)
save('backslash', file('a\\x') + END)
save('control', file('a\x01x') + END)
save('newline', pax([(b'path', b'a\nb')]) + file('a') + END)
save('not_utf8', file(b'a\xff') + END)
save('not_utf8_pax', pax([(b'path', b'a\xff')]) + file('a') + END)
save('long_component', pax([(b'path', b'c' * 256)]) + file('a') + END)
save('long_name', pax([(b'path', b'c/' * 2100 + b'x')]) + file('a') + END)
save('no_name', file('') + END)
save('twice', file('a') + file('b') + file('a') + END)
save('twice_directory', header('d/', kind=b'5') + header('d/', kind=b'5') + END)
save('twice_by_dot', file('a') + file('./a') + END)
save('file_then_directory', file('a') + header('a/', kind=b'5') + END)
save('below_a_file', file('a') + file('a/b') + END)
save('below_a_later_file', file('a/b') + file('a.c') + file('a') + END)
save('hardlink', file('a') + header('b', kind=b'1', link=b'a') + END)
save('symlink', header('a', kind=b'2', link=b'/etc') + END)
save('link_out', header('a', kind=b'2', link=b'../x') + END)
save('link_absolute', header('a', kind=b'2', link=b'/etc') + END)
save('link_to_root', header('a/b', kind=b'2', link=b'..') + END)
save('hardlink_out', header('a/b', kind=b'1', link=b'../../x') + END)
save('hardlink_with_content', file('a') + header('b', 1, kind=b'1', link=b'a') + padded(b'y') + END)
save('character_device', header('a', kind=b'3') + END)
save('block_device', header('a', kind=b'4') + END)
save('fifo', header('a', kind=b'6') + END)
save('contiguous', file('a', kind=b'7') + END)
save('unknown_type', file('a', kind=b'Z') + END)
save('volume', header('label', kind=b'V') + file('a') + END)
save('gnu_sparse', header('a', 512, kind=b'S') + bytes(512) + END)
gnu_map = bytearray(file('a', b'x' * 512)[:512])
gnu_map[257:265] = b'ustar  \0'
gnu_map[386:410] = b'%011o\0%011o\0' % (512, 8)
gnu_map[148:156] = b' ' * 8
gnu_map[148:156] = b'%06o\0 ' % sum(gnu_map)
save('gnu_map_in_a_plain_file', bytes(gnu_map) + b'x' * 512 + END)
save('pax_sparse', pax([(b'GNU.sparse.major', b'0'), (b'GNU.sparse.minor', b'1'), (b'GNU.sparse.name', b'a'), (b'GNU.sparse.size', b'4096'),
                        (b'GNU.sparse.numblocks', b'1'), (b'GNU.sparse.map', b'0,1')]) + file('a') + END)
save('pax_size_larger', pax([(b'size', b'1024')]) + file('a', b'x' * 512) + file('hidden') + END)
save('pax_size_smaller', pax([(b'size', b'0')]) + file('a', file('hidden')) + END)
save('pax_size_of_directory', pax([(b'size', b'512')]) + header('d/', kind=b'5') + file('a') + END)
save('directory_with_size', header('d/', 512, kind=b'5') + file('a') + END)
save('pax_twice', pax([(b'path', b'b')]) + pax([(b'path', b'c')]) + file('a') + END)
save('pax_and_gnu', pax([(b'path', b'b')]) + gnu_long(b'c') + file('a') + END)
save('gnu_and_pax', gnu_long(b'c') + pax([(b'path', b'b')]) + file('a') + END)
save('pax_nul', pax([(b'path', b'b\0c')]) + file('a') + END)
save('size_not_octal', file('a', size_field=b'0000000000z\0') + END)
save('size_negative', header('a', size_field=b'\xff' * 12) + END)
save('size_huge', header('a', size_field=b'\x80' + (1 << 50).to_bytes(11, 'big')) + END)
save('size_overflow', header('a', size_field=b'\x80' + (1 << 63).to_bytes(11, 'big')) + END)
save('bad_checksum', file('a')[:148] + b'0000000\0' + file('a')[156:] + END)
save('trailing_garbage', file('a') + END + b'garbage')
save('trailing_garbage_late', file('a') + END + bytes(200000) + b'g')
save('trailing_after_one_zero_block', file('a') + bytes(512) + file('hidden') + END)
save('second_archive', file('a') + END + file('b') + END)
save('no_end_mark', file('a'))
save('cut_in_content', file('a', b'x' * 5000)[:3000])
save('cut_in_header', file('a') + header('b')[:300])
save('not_a_tar', b'this is no archive' * 100)
save('empty', b'')
save('gzip_trailing', gzip.compress(file('a') + END, mtime=0) + b'garbage')
save('gzip_cut', gzip.compress(os.urandom(100000), mtime=0)[:50000])
save('gzip_of_gzip', gzip.compress(gzip.compress(file('a') + END, mtime=0), mtime=0))
save('gzip_damaged', (lambda data: data[:200] + bytes([data[200] ^ 0xff]) + data[201:])(gzip.compress(python_tar(good), mtime=0)))
save('bomb_content', gzip.compress(header('a', 200 << 20) + bytes(200 << 20) + END, mtime=0))
save('bomb_total', gzip.compress(b''.join(file('f%d' % i, bytes(4 << 20)) for i in range(26)) + END, mtime=0))
save('bomb_padding', gzip.compress(file('a') + bytes(400 << 20), mtime=0))
save('bomb_entries', gzip.compress(b''.join(file('f%d' % i, b'') for i in range(10001)) + END, mtime=0))
save('bomb_pax', pax([(b'comment', b'c' * (2 << 20))]) + file('a') + END)
