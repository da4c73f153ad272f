#!/usr/bin/env python3
"""Makes vectors.txt: signatures and keys as an attacker, a broken tool or a careless standard would write them, each with its verdict.

Everything is computed here, with integers alone: the arithmetic of the curves, RSA-PSS, DER. Nothing is random, so the same file comes out
each time. Usage: make_vectors.py > vectors.txt, or make_vectors.py --check vectors.txt.
"""
import base64
import hashlib
import sys

LINES = ['# Made by make_vectors.py; do not edit. A line is a key (name, form, bytes), a case (name, key, verdict, message, signature), or a',
         '# key that must be refused (name, form, bytes). Bytes are hexadecimal, "-" is none. What stands behind # says why.']
MESSAGE = b'DSSEv1 28 application/vnd.in-toto+json 2 {}'


def show(data):
    return data.hex() or '-'


def title(text):
    LINES.extend(['', f'# {text}'])


def key(name, form, data):
    LINES.append(f'key {name} {form} {show(data)}')


def refused(name, form, data, why):
    LINES.append(f'refused {name} {form} {show(data)} # {why}')


class Cases:
    """Cases of one key."""

    def __init__(self, name, message=MESSAGE):
        self.key, self.message, self.names = name, message, set()

    def add(self, name, verdict, signature, why, message=None):
        if name in self.names:
            sys.exit(f'{self.key}: {name} is there twice')
        self.names.add(name)
        LINES.append(f'case {self.key}/{name} {self.key} {verdict} {show(self.message if message is None else message)} '
                     f'{show(signature)} # {why}')

    def good(self, *case, **more):
        self.add(case[0], 'good', *case[1:], **more)

    def bad(self, *case, **more):
        self.add(case[0], 'bad', *case[1:], **more)

    def flips(self, signature, places):
        for name, at in places.items():
            changed = bytearray(signature)
            changed[at] ^= 1
            self.bad(f'flip-{name}', bytes(changed), f'one bit of {name} is another')


def seeded(text, bits):
    return int.from_bytes(hashlib.shake_256(text.encode()).digest((bits + 7) // 8 + 8), 'big')


# ---- DER

def tlv(tag, data):
    size = len(data)
    if size < 0x80:
        return bytes([tag, size]) + data
    length = size.to_bytes((size.bit_length() + 7) // 8, 'big')
    return bytes([tag, 0x80 | len(length)]) + length + data


def integer(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, 'big', signed=True))


def sequence(*parts):
    return tlv(0x30, b''.join(parts))


def spki(algorithm, bits):
    return sequence(algorithm, tlv(3, b'\0' + bits))


NULL = tlv(5, b'')


def oid(text):
    return tlv(6, bytes.fromhex(text))


# ---- ECDSA

class Curve:
    """y^2 = x^3 - 3x + b; a point is (x, y), infinity is None."""

    def __init__(self, name, curve_oid, digest, p, b, n, g):
        self.name, self.oid, self.digest, self.p, self.b, self.n, self.g = name, curve_oid, digest, p, b, n, g
        self.size = p.bit_length() // 8

    def add(self, a, b):
        if a is None or b is None:
            return b if a is None else a
        if a[0] == b[0] and (a[1] + b[1]) % self.p == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, self.p) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, self.p)
        x = (slope * slope - a[0] - b[0]) % self.p
        return x, (slope * (a[0] - x) - a[1]) % self.p

    def multiply(self, factor, point):
        total = None
        while factor:
            total = self.add(total, point) if factor & 1 else total
            point = self.add(point, point)
            factor >>= 1
        return total

    def point_at(self, x):
        """A point with this x, or None; p is 3 modulo 4."""
        square = (x * x * x - 3 * x + self.b) % self.p
        y = pow(square, (self.p + 1) // 4, self.p)
        return (x, y) if y * y % self.p == square else None

    def hash(self, message, digest=None):
        value = hashlib.new(digest or self.digest, message).digest()
        return int.from_bytes(value[:self.size], 'big')

    def sign(self, d, message, label='', digest=None):
        k = seeded(f'k {self.name} {d} {message!r} {label}', self.p.bit_length()) % self.n
        r = self.multiply(k, self.g)[0] % self.n
        return r, (self.hash(message, digest) + r * d) * pow(k, -1, self.n) % self.n

    def encode(self, point):
        return b'\4' + point[0].to_bytes(self.size, 'big') + point[1].to_bytes(self.size, 'big')

    def spki(self, encoded):
        return spki(sequence(oid('2a8648ce3d0201'), oid(self.oid)), encoded)


P256 = Curve('p256', '2a8648ce3d030107', 'sha256', 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff,
             0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b,
             0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
             (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
              0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5))
P384 = Curve('p384', '2b81040022', 'sha384', 2 ** 384 - 2 ** 128 - 2 ** 96 + 2 ** 32 - 1,
             0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef,
             0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973,
             (0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7,
              0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f))


def ecdsa_ranges(curve, cases, r, s):
    n, p = curve.n, curve.p
    values = {'0': 0, '1': 1, 'n': n, 'n-1': n - 1, 'n+1': n + 1, 'p': p, '2^size': 1 << (8 * curve.size), '-1': -1}
    for name, value in values.items():
        cases.bad(f'r={name}', sequence(integer(value), integer(s)), 'r is not the one that was made, or out of 1 to n-1')
        cases.bad(f's={name}', sequence(integer(r), integer(value)), 's is not the one that was made, or out of 1 to n-1')
    cases.bad('r=0,s=0', sequence(integer(0), integer(0)), 'both are zero, which a lazy check takes for anything')
    cases.bad('r=0,s=1', sequence(integer(0), integer(1)), 'zero and one')
    cases.bad('r=n,s=n', sequence(integer(n), integer(n)), 'both are zero modulo n')
    cases.bad('r+n', sequence(integer(r + n), integer(s)), 'the same modulo n, which would be a second encoding')
    cases.bad('s+n', sequence(integer(r), integer(s + n)), 'the same modulo n, which would be a second encoding')
    cases.bad('r-n', sequence(integer(r - n), integer(s)), 'the same modulo n, but negative')
    cases.bad('s-n', sequence(integer(r), integer(s - n)), 'the same modulo n, but negative')
    cases.bad('-r', sequence(integer(-r), integer(s)), 'negative')
    cases.bad('-s', sequence(integer(r), integer(-s)), 'negative')
    cases.bad('swapped', sequence(integer(s), integer(r)), 's before r')
    cases.good('high-s', sequence(integer(r), integer(n - s)),
               'n-s signs as s does; harmless, because keys are counted and nothing is identified by the bytes of a signature')


def ecdsa_encodings(cases, r, s):
    right = sequence(integer(r), integer(s))
    body = integer(r) + integer(s)
    size = len(body)
    not_der = 'BER, but not DER: it would be a second encoding'

    def padded(value):
        return tlv(2, b'\0' + integer(value)[2:])

    cases.bad('ber-long-length', b'\x30\x81' + bytes([size]) + body, not_der)
    cases.bad('ber-longer-length', b'\x30\x84\0\0\0' + bytes([size]) + body, not_der)
    cases.bad('ber-indefinite-length', b'\x30\x80' + body + b'\0\0', not_der)
    cases.bad('ber-long-length-of-r', sequence(b'\2\x81' + integer(r)[1:], integer(s)), not_der)
    cases.bad('ber-padded-r', sequence(padded(r), integer(s)), not_der)
    cases.bad('ber-padded-s', sequence(integer(r), padded(s)), not_der)
    cases.bad('ber-constructed-integer', sequence(b'\x22' + integer(r)[1:], integer(s)), not_der)
    cases.bad('trailing-byte', right + b'\0', 'a byte behind the sequence')
    cases.bad('trailing-byte-inside', sequence(body, b'\0'), 'a byte behind s')
    cases.bad('trailing-null', sequence(body, NULL), 'a third element')
    cases.bad('third-integer', sequence(body, integer(1)), 'a third element')
    cases.bad('leading-byte', b'\0' + right, 'a byte before the sequence')
    cases.bad('twice', right + right, 'two signatures')
    cases.bad('nested', sequence(right), 'a sequence in a sequence')
    cases.bad('set', b'\x31' + right[1:], 'a set instead of a sequence')
    cases.bad('octets-for-r', sequence(b'\4' + integer(r)[1:], integer(s)), 'another tag')
    cases.bad('no-s', sequence(integer(r)), 's is missing')
    cases.bad('no-r', sequence(tlv(2, b''), integer(s)), 'r has no bytes')
    cases.bad('empty-sequence', sequence(), 'neither r nor s')
    cases.bad('empty', b'', 'nothing')
    cases.bad('length+1', b'\x30' + bytes([size + 1]) + body, 'longer than it is')
    cases.bad('length-1', b'\x30' + bytes([size - 1]) + body, 'shorter than it is')
    cases.bad('length-huge', b'\x30\x84\xff\xff\xff\xff' + body, 'a length of 4 GiB')
    cases.bad('length-of-r-huge', sequence(b'\2\x84\x7f\xff\xff\xff' + integer(r)[2:], integer(s)), 'a length of 2 GiB')
    cases.bad('cut-by-1', right[:-1], 'truncated')
    cases.bad('cut-in-half', right[:len(right) // 2], 'truncated')
    cases.bad('tag-alone', right[:1], 'truncated')
    cases.bad('base64', base64.b64encode(right), 'text instead of bytes')
    cases.flips(right, {'tag': 0, 'length': 1, 'tag-of-r': 2, 'length-of-r': 3, 'r': 8, 'end-of-r': len(integer(r)) + 1, 'end-of-s': -1})


def short_signature(curve, d):
    """One with an r so small that it has a byte less."""
    k, point = 1000, curve.multiply(1000, curve.g)
    while point[0] >> (8 * curve.size - 9):
        k, point = k + 1, curve.add(point, curve.g)
    return sequence(integer(point[0]), integer((curve.hash(MESSAGE) + point[0] * d) * pow(k, -1, curve.n) % curve.n))


def ecdsa(curve):
    title(f'ECDSA on {curve.name}')
    d = seeded(f'd {curve.name}', curve.p.bit_length()) % curve.n
    key(curve.name, 'der', curve.spki(curve.encode(curve.multiply(d, curve.g))))
    cases = Cases(curve.name)
    r, s = curve.sign(d, MESSAGE)
    right = sequence(integer(r), integer(s))
    cases.good('right', right, 'the model of the others')
    cases.good('short-r', short_signature(curve, d), 'r has a byte less than usual')
    cases.good('empty-message', sequence(*map(integer, curve.sign(d, b''))), 'nothing is signed, but rightly', message=b'')
    cases.bad('other-message', right, 'of another message', message=MESSAGE + b'\n')
    cases.bad('cut-message', right, 'of a longer message', message=MESSAGE[:-1])
    for other in sorted({'sha1', 'sha256', 'sha384', 'sha512', 'sha3_256'} - {curve.digest}):
        cases.bad(f'by-{other}', sequence(*map(integer, curve.sign(d, MESSAGE, digest=other))), 'made with another hash')
    cases.bad('of-the-digest', right, 'the digest in place of the message', message=hashlib.new(curve.digest, MESSAGE).digest())
    stranger = seeded(f'stranger {curve.name}', curve.p.bit_length()) % curve.n
    cases.bad('by-another-key', sequence(*map(integer, curve.sign(stranger, MESSAGE))), 'made by another key')
    cases.bad('plain', r.to_bytes(curve.size, 'big') + s.to_bytes(curve.size, 'big'), 'r and s without DER (IEEE P1363)')
    cases.bad('zeros', bytes(len(right)), 'as long as a signature')
    ecdsa_ranges(curve, cases, r, s)
    ecdsa_encodings(cases, r, s)
    ecdsa_special_keys(curve)
    ecdsa_bad_keys(curve, d)


def ecdsa_special_keys(curve):
    """Keys made to fit a signature that is rare, by solving for the key: Q = (sR - eG) / r."""
    e = curve.hash(MESSAGE)

    def fitting(name, point, s, why):
        r = point[0] % curve.n
        sum_ = curve.add(curve.multiply(s, point), curve.multiply(curve.n - e, curve.g))
        key(f'{curve.name}-{name}', 'der', curve.spki(curve.encode(curve.multiply(pow(r, -1, curve.n), sum_))))
        cases = Cases(f'{curve.name}-{name}')
        cases.good('right', sequence(integer(r), integer(s)), why)
        return cases, r

    x = curve.n + 1
    while not curve.point_at(x):
        x += 1
    cases, r = fitting('large-x', curve.point_at(x), 7, 'the point has an x from n to p, so r is x-n')
    cases.bad('r=x', sequence(integer(x), integer(7)), 'r is not reduced modulo n')
    some = curve.multiply(5, curve.g)
    fitting('s-is-1', some, 1, 's is the least that may be')
    fitting('s-is-n-1', some, curve.n - 1, 's is the largest that may be')
    x = 1
    while not curve.point_at(x):
        x += 1
    fitting('small-r', curve.point_at(x), 3, 'r has one byte')

    r, s = 9, 11
    d = -e * pow(r, -1, curve.n) % curve.n
    key(f'{curve.name}-infinity', 'der', curve.spki(curve.encode(curve.multiply(d, curve.g))))
    Cases(f'{curve.name}-infinity').bad('sum', sequence(integer(r), integer(s)), 'the sum of both products is the point at infinity')


def ecdsa_bad_keys(curve, d):
    x, y = curve.multiply(d, curve.g)
    size = curve.size

    def both(a, b, tag=b'\4'):
        return curve.spki(tag + a.to_bytes(size, 'big') + b.to_bytes(size, 'big'))

    name = curve.name
    refused(f'{name}/infinity', 'der', curve.spki(b'\0'), 'the point at infinity: anybody could sign for it')
    refused(f'{name}/off-the-curve', 'der', both(x, y ^ 1), 'no point of the curve')
    refused(f'{name}/zero', 'der', both(0, 0), 'no point of the curve')
    refused(f'{name}/x+p', 'der', both(x + curve.p & (1 << 8 * size) - 1, y), 'no point of the curve')
    refused(f'{name}/x=p', 'der', both(curve.p, y), 'x is out of the field')
    refused(f'{name}/short', 'der', curve.spki(curve.encode((x, y))[:-1]), 'a byte is missing')
    refused(f'{name}/long', 'der', curve.spki(curve.encode((x, y)) + b'\0'), 'a byte too many')
    refused(f'{name}/no-form', 'der', both(x, y, b'\5'), 'a form of points that there is not')
    refused(f'{name}/hybrid-lie', 'der', both(x, y, bytes([6 + (y & 1 ^ 1)])), 'the hybrid form with the wrong parity')
    off = 1
    while curve.point_at(off):
        off += 1
    refused(f'{name}/compressed-off-the-curve', 'der', curve.spki(b'\2' + off.to_bytes(size, 'big')), 'x of no point')


# ---- Ed25519

ED_P = 2 ** 255 - 19
ED_L = 2 ** 252 + 27742317777372353535851937790883648493
ED_D = -121665 * pow(121666, -1, ED_P) % ED_P


def ed_add(a, b):
    product = ED_D * a[0] * b[0] * a[1] * b[1]
    return ((a[0] * b[1] + b[0] * a[1]) * pow(1 + product, -1, ED_P) % ED_P,
            (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, ED_P) % ED_P)


def ed_multiply(factor, point):
    total = (0, 1)
    while factor:
        total = ed_add(total, point) if factor & 1 else total
        point = ed_add(point, point)
        factor >>= 1
    return total


def ed_x(y, odd):
    square = (y * y - 1) * pow(ED_D * y * y + 1, -1, ED_P) % ED_P
    x = pow(square, (ED_P + 3) // 8, ED_P)
    x = x if (x * x - square) % ED_P == 0 else x * pow(2, (ED_P - 1) // 4, ED_P) % ED_P
    if (x * x - square) % ED_P:
        return None
    return x if x & 1 == odd else -x % ED_P


def ed_point(y, odd=0):
    return ed_x(y, odd), y


ED_G = ed_point(4 * pow(5, -1, ED_P) % ED_P)
ED_8 = ed_point(0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826)  # of order 8


def ed_encode(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, 'little')


def ed_hash(*parts):
    return int.from_bytes(hashlib.sha512(b''.join(parts)).digest(), 'little') % ED_L


class EdKey:
    def __init__(self, label, torsion=None):
        self.a = seeded(f'ed {label}', 256) % ED_L
        self.label = label
        point = ed_multiply(self.a, ED_G)
        self.point = ed_add(point, torsion) if torsion else point
        self.public = ed_encode(self.point)

    def parts(self, message, label='', prefix=b'', torsion=None):
        """R and s; prefix is that of Ed25519ctx and Ed25519ph, torsion is added to R."""
        r = seeded(f'r {self.label} {message!r} {label}', 256) % ED_L
        point = ed_multiply(r, ED_G)
        big_r = ed_encode(ed_add(point, torsion) if torsion else point)
        return big_r, (r + ed_hash(prefix, big_r, self.public, message) * self.a) % ED_L

    def sign(self, message, **more):
        big_r, s = self.parts(message, **more)
        return big_r + s.to_bytes(32, 'little')


def ed_spki(public):
    return spki(sequence(oid('2b6570')), public)


def ed25519():
    title('Ed25519')
    owner, cases = EdKey('owner'), Cases('ed25519')
    key('ed25519', 'der', ed_spki(owner.public))
    right = owner.sign(MESSAGE)
    big_r, s = owner.parts(MESSAGE)

    def with_s(value):
        return big_r + value.to_bytes(32, 'little')

    cases.good('right', right, 'the model of the others')
    cases.good('empty-message', owner.sign(b''), 'nothing is signed, but rightly', message=b'')
    cases.good('other-nonce', owner.sign(MESSAGE, label='2'), 'not by the nonce of RFC 8032, which nobody can see')
    cases.bad('other-message', right, 'of another message', message=MESSAGE + b'\n')
    cases.bad('of-the-digest', owner.sign(hashlib.sha512(MESSAGE).digest()), 'made of the digest of the message')
    dom = b'SigEd25519 no Ed25519 collisions'
    cases.bad('ed25519ph', owner.sign(hashlib.sha512(MESSAGE).digest(), prefix=dom + b'\1\0'), 'Ed25519ph')
    cases.bad('ed25519ctx', owner.sign(MESSAGE, prefix=dom + b'\0\1x'), 'Ed25519ctx')
    cases.bad('by-another-key', EdKey('stranger').sign(MESSAGE), 'made by another key')
    for times in (1, 2, 7, 15):
        if s + times * ED_L < 2 ** 256:
            cases.bad(f's+{times}L', with_s(s + times * ED_L), 'the same modulo L, which would be a second encoding')
    for name, value in {'0': 0, '1': 1, 'L': ED_L, 'L-1': ED_L - 1, 'L-s': ED_L - s, '2^256-1': 2 ** 256 - 1, '2^255': 2 ** 255}.items():
        cases.bad(f's={name}', with_s(value), 's is not the one that was made, or not below L')
    ed25519_points(cases, owner, s)
    cases.bad('zeros', bytes(64), 'all zero')
    cases.bad('ones', b'\xff' * 64, 'all bits set')
    cases.bad('swapped', right[32:] + right[:32], 's before R')
    cases.bad('empty', b'', 'nothing')
    cases.bad('half', right[:32], 'R alone')
    cases.bad('63-bytes', right[:63], 'a byte is missing')
    cases.bad('65-bytes', right + b'\0', 'a byte too many')
    cases.bad('twice', right + right, 'two signatures')
    cases.bad('leading-zero', b'\0' + right, 'a byte before it')
    cases.bad('der', sequence(tlv(4, right[:32]), tlv(4, right[32:])), 'in DER')
    cases.bad('base64', base64.b64encode(right), 'text instead of bytes')
    cases.flips(right, {'R': 0, 'end-of-R': 31, 's': 32, 'end-of-s': 63})
    ed25519_keys()


def ed25519_points(cases, owner, s):
    point, torsion = ED_8, []
    for _ in range(8):
        torsion.append(point)
        point = ed_add(point, ED_8)
    for i, small in enumerate(torsion[:-1], 1):
        encoded = ed_encode(small)
        s_ = ed_hash(encoded, owner.public, MESSAGE) * owner.a % ED_L
        cases.bad(f'R-of-small-order-{i}', encoded + s_.to_bytes(32, 'little'), 'R is a point of small order, and only 8 times it fits')
    for name, encoded, verdict in (('neutral', ed_encode((0, 1)), 'good'), ('neutral+p', (ED_P + 1).to_bytes(32, 'little'), 'bad'),
                                   ('neutral-with-sign', (1 | 1 << 255).to_bytes(32, 'little'), 'bad'),
                                   ('neutral+p-with-sign', (ED_P + 1 | 1 << 255).to_bytes(32, 'little'), 'bad')):
        s_ = ed_hash(encoded, owner.public, MESSAGE) * owner.a % ED_L
        cases.add(f'R-is-{name}', verdict, encoded + s_.to_bytes(32, 'little'),
                  'R is the neutral element, as RFC 8032 allows; harmless, because only the key makes such an s' if verdict == 'good' else
                  'the neutral element in an encoding that is not canonical')
    for i in (1, 4):
        cases.bad(f'R+torsion-{i}', owner.sign(MESSAGE, torsion=torsion[i - 1]), 'R has a part of small order: only 8 times it fits')
    cases.bad('R-off-the-curve', (2).to_bytes(32, 'little') + s.to_bytes(32, 'little'), 'R is no point')


def ed25519_keys():
    mixed = EdKey('mixed', torsion=ED_8)
    key('ed25519-mixed', 'der', ed_spki(mixed.public))
    cases, label = Cases('ed25519-mixed'), {}
    for i in range(100):
        big_r, s = mixed.parts(MESSAGE, label=str(i))
        fits = ed_hash(big_r, mixed.public, MESSAGE) % 8 == 0
        label.setdefault(fits, big_r + s.to_bytes(32, 'little'))
    cases.good('fits', label[True], 'the key has a part of small order, which this hash cancels; only its owner can make such a key and signature')
    cases.bad('does-not-fit', label[False], 'the same key, with a hash that does not cancel it: without the cofactor')

    off = 2
    while ed_x(off, 0) is not None:
        off += 1
    key('ed25519-off', 'der', ed_spki(off.to_bytes(32, 'little')))
    Cases('ed25519-off').bad('any', EdKey('owner').sign(MESSAGE), 'the key is no point, so nothing verifies')

    point = ED_8
    for i in range(1, 9):
        refused(f'ed25519/small-order-{i}', 'der', ed_spki(ed_encode(point)), 'of small order: anybody can sign')
        point = ed_add(point, ED_8)
    for name, value in {'0-with-sign': 1 << 255, '1-with-sign': 1 | 1 << 255, '-1-with-sign': ED_P - 1 | 1 << 255, 'p': ED_P, 'p+1': ED_P + 1,
                        'p+1-with-sign': ED_P + 1 | 1 << 255, 'p+3': ED_P + 3, '2^255-1': 2 ** 255 - 1, '2^256-1': 2 ** 256 - 1}.items():
        refused(f'ed25519/y={name}', 'der', ed_spki(value.to_bytes(32, 'little')), 'not the canonical encoding of a point, or of small order')
    public = EdKey('owner').public
    refused('ed25519/31-bytes', 'der', ed_spki(public[:31]), 'a byte is missing')
    refused('ed25519/33-bytes', 'der', ed_spki(public + b'\0'), 'a byte too many')
    refused('ed25519/x25519', 'der', spki(sequence(oid('2b656e')), public), 'a key for agreeing, not for signing')
    refused('ed25519/ed448', 'der', spki(sequence(oid('2b6571')), public + bytes(25)), 'a type that gapship does not accept')


# ---- RSA-PSS

RSA_P, RSA_Q = (15 << 1532) + 1637, (7 << 1533) + 3069  # primes
RSA_N, RSA_E = RSA_P * RSA_Q, 65537
RSA_DP, RSA_DQ = pow(RSA_E, -1, RSA_P - 1), pow(RSA_E, -1, RSA_Q - 1)
RSA_SIZE = 384
SMALL_N = ((15 << 1020) + 1627) * ((7 << 1021) + 309)  # of two primes, 2048 bits
RSA_OID, PSS_OID, MGF_OID = oid('2a864886f70d010101'), oid('2a864886f70d01010a'), oid('2a864886f70d010108')
SHA256_OID, SHA512_OID = oid('608648016503040201'), oid('608648016503040203')


def mgf1(seed, size, digest):
    out = b''
    while len(out) < size:
        out += hashlib.new(digest, seed + (len(out) // hashlib.new(digest).digest_size).to_bytes(4, 'big')).digest()
    return out[:size]


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def pss(message=MESSAGE, digest='sha256', mgf='sha256', salt_size=32, label='', trailer=0xbc, separator=1, padding=0, top=0):
    size = hashlib.new(digest).digest_size
    salt = hashlib.shake_256(f'salt {label}'.encode()).digest(salt_size)
    inner = hashlib.new(digest, bytes(8) + hashlib.new(digest, message).digest() + salt).digest()
    data = bytes([padding]) * (RSA_SIZE - size - salt_size - 2) + bytes([separator]) + salt
    masked = bytearray(xor(data, mgf1(inner, len(data), digest=mgf)))
    masked[0] = masked[0] & 0x7f | top
    return bytes(masked) + inner + bytes([trailer])


def rsa(encoded):
    value = int.from_bytes(encoded, 'big')
    of_p, of_q = pow(value, RSA_DP, RSA_P), pow(value, RSA_DQ, RSA_Q)
    return (of_q + RSA_Q * ((of_p - of_q) * pow(RSA_Q, -1, RSA_P) % RSA_P)).to_bytes(RSA_SIZE, 'big')


def rsa_spki(n, e, algorithm=None):
    return spki(algorithm or sequence(RSA_OID, NULL), sequence(integer(n), integer(e)))


def pss_algorithm(digest=SHA256_OID, mgf=SHA256_OID, salt=32):
    hash_ = tlv(0xa0, sequence(digest, NULL))
    return sequence(PSS_OID, sequence(hash_, tlv(0xa1, sequence(MGF_OID, sequence(mgf, NULL))), tlv(0xa2, integer(salt))))


def rsa_pss():
    title('RSA-PSS')
    key('rsa', 'der', rsa_spki(RSA_N, RSA_E))
    cases, right = Cases('rsa'), rsa(pss())
    number = int.from_bytes(right, 'big')

    def plain(value, size=RSA_SIZE):
        return value.to_bytes(size, 'big')

    cases.good('right', right, 'the model of the others')
    cases.good('other-salt', rsa(pss(label='2')), 'any salt of 32 bytes will do')
    cases.good('empty-message', rsa(pss(b'')), 'nothing is signed, but rightly', message=b'')
    label, small = 0, right
    while small[0]:
        label, small = label + 1, rsa(pss(label=f'small {label}'))
    cases.good('leading-zero', small, 'a number that is small, with its leading zero')
    cases.bad('leading-zero-left-out', small[1:], 'a byte less than the modulus, which would be a second encoding')
    cases.bad('leading-zero-more', b'\0' + right, 'a byte more than the modulus')
    cases.bad('trailing-zero', right + b'\0', 'a byte more than the modulus')
    for size in (0, 20, 31, 33, 48, 64, RSA_SIZE - 34):
        cases.bad(f'salt-of-{size}', rsa(pss(salt_size=size)), 'another length of salt')
    for other in ('sha1', 'sha384', 'sha512'):
        cases.bad(f'mgf-{other}', rsa(pss(mgf=other)), 'MGF1 with another hash')
        cases.bad(f'by-{other}', rsa(pss(digest=other)), 'made with another hash, MGF1 with SHA-256')
        cases.bad(f'all-{other}', rsa(pss(digest=other, mgf=other, salt_size=hashlib.new(other).digest_size)), 'made with another hash')
    info = sequence(sequence(SHA256_OID, NULL), tlv(4, hashlib.sha256(MESSAGE).digest()))
    cases.bad('pkcs1', rsa(b'\0\1' + b'\xff' * (RSA_SIZE - len(info) - 3) + b'\0' + info), 'by PKCS#1 v1.5')
    cases.bad('raw-digest', rsa(hashlib.sha256(MESSAGE).digest().rjust(RSA_SIZE, b'\0')), 'the digest without padding')
    cases.bad('trailer', rsa(pss(trailer=0xcc)), 'ends with 0xcc, not with 0xbc')
    cases.bad('separator', rsa(pss(separator=2)), 'no 1 before the salt')
    cases.bad('padding', rsa(pss(padding=4)), 'the padding is not zero')
    cases.bad('top-bit', rsa(pss(top=0x80)), 'the bit above the padding is set')
    for name, value in {'0': 0, '1': 1, 'n-1': RSA_N - 1, 'n': RSA_N, 'n+1': RSA_N + 1}.items():
        cases.bad(f'value-{name}', plain(value), 'a number that is its own power, or not below the modulus')
    cases.bad('negated', plain(RSA_N - number), 'n minus the signature')
    cases.bad('plus-n', plain(number + RSA_N, RSA_SIZE + 1), 'the same modulo n, a byte longer')
    low, i = None, 0
    while low is None:
        made = int.from_bytes(rsa(pss(label=f'low {i}')), 'big')
        low, i = (made if made + RSA_N < 1 << 8 * RSA_SIZE else None), i + 1
    cases.bad('plus-n-same-length', plain(low + RSA_N), 'the same modulo n, as long as the modulus')
    cases.bad('reversed', right[::-1], 'in the other byte order')
    cases.bad('empty', b'', 'nothing')
    cases.bad('cut-by-1', right[:-1], 'truncated')
    cases.bad('cut-in-half', right[:RSA_SIZE // 2], 'truncated')
    cases.bad('der', tlv(4, right), 'in DER')
    cases.bad('other-message', right, 'of another message', message=MESSAGE + b'\n')
    cases.flips(right, {'start': 0, 'middle': RSA_SIZE // 2, 'end': -1})

    key('rsa-restricted', 'der', rsa_spki(RSA_N, RSA_E, pss_algorithm()))
    restricted = Cases('rsa-restricted')
    restricted.good('right', right, 'a key that allows just what gapship does')
    restricted.bad('salt-of-20', rsa(pss(salt_size=20)), 'another length of salt')
    refused('rsa/2048-bits', 'der', rsa_spki(SMALL_N, RSA_E), 'too small')
    refused('rsa/8200-bits', 'der', rsa_spki((1 << 8199) + 1, RSA_E), 'too large')
    refused('rsa/e=1', 'der', rsa_spki(RSA_N, 1), 'anybody can sign')
    refused('rsa/e=0', 'der', rsa_spki(RSA_N, 0), 'anybody can sign')
    refused('rsa/e=2', 'der', rsa_spki(RSA_N, 2), 'not a key of RSA')
    refused('rsa/restricted-to-sha512', 'der', rsa_spki(RSA_N, RSA_E, pss_algorithm(SHA512_OID, SHA512_OID, 64)), 'a key that forbids SHA-256')
    refused('rsa/salt-of-64', 'der', rsa_spki(RSA_N, RSA_E, pss_algorithm(salt=64)), 'a key that wants a longer salt')


# ---- minisign

NUMBER = bytes.fromhex('12699b6af9a2f32f')


def lines(*texts):
    return b''.join(text + b'\n' for text in texts)


def minisig(owner, message=MESSAGE, algorithm=b'ED', number=NUMBER, comment=b'timestamp:1700000000\tfile:statement.pae\thashed',
            untrusted=b'signature from minisign secret key', signature=None, covered=None, encode=base64.b64encode):
    """The lines of a .minisig file."""
    made = signature or owner.sign(hashlib.blake2b(message).digest() if algorithm == b'ED' else message)
    whole = owner.sign(made + comment if covered is None else covered)
    return [b'untrusted comment: ' + untrusted, encode(algorithm + number + made), b'trusted comment: ' + comment, encode(whole)]


def minisign():
    title('minisign')
    owner, stranger, cases = EdKey('mini'), EdKey('stranger'), Cases('minisign')
    public = base64.b64encode(b'Ed' + NUMBER + owner.public)
    key('minisign', 'text', lines(b'untrusted comment: minisign public key 2FF3A2F96A9B6912', public))
    made = minisig(owner)
    right = lines(*made)
    cases.good('right', right, 'the model of the others')
    cases.good('no-last-line-feed', right[:-1], 'the last line feed may be missing')
    cases.good('empty-comment', lines(*minisig(owner, comment=b'')), 'the trusted comment may be empty')
    cases.good('utf-8-comment', lines(*minisig(owner, comment='für Köln'.encode())), 'a comment of letters beyond ASCII')
    cases.good('other-untrusted-comment', lines(*minisig(owner, untrusted=b'anything')),
               'nobody signs the untrusted comment; harmless, because it is neither shown nor used')
    cases.good('empty-message', lines(*minisig(owner, b'')), 'nothing is signed, but rightly', message=b'')
    cases.bad('other-message', right, 'of another message', message=MESSAGE + b'\n')
    minisign_algorithms(cases, owner, stranger)
    minisign_comments(cases, owner, made)
    minisign_base64(cases, made)
    minisign_lines(cases, owner, made)
    minisign_keys(owner, public)


def minisign_algorithms(cases, owner, stranger):
    cases.bad('legacy', lines(*minisig(owner, algorithm=b'Ed')), 'the algorithm that does not hash first')
    cases.bad('legacy-called-new', lines(*minisig(owner, signature=owner.sign(MESSAGE))), 'not hashed, but says so')
    cases.bad('new-called-legacy', lines(*minisig(owner, algorithm=b'Ed', signature=owner.sign(hashlib.blake2b(MESSAGE).digest()))),
              'hashed, but says it is not')
    for name, algorithm in (('unknown', b'Ee'), ('lower-case', b'ed'), ('zero', bytes(2))):
        cases.bad(f'algorithm-{name}', lines(*minisig(owner, algorithm=algorithm, signature=owner.sign(hashlib.blake2b(MESSAGE).digest()))),
                  'an algorithm that minisign does not have')
    cases.bad('blake2b-256', lines(*minisig(owner, signature=owner.sign(hashlib.blake2b(MESSAGE, digest_size=32).digest()))), 'a shorter hash')
    cases.bad('sha512', lines(*minisig(owner, signature=owner.sign(hashlib.sha512(MESSAGE).digest()))), 'another hash')
    cases.bad('other-number', lines(*minisig(owner, number=bytes(8))), 'the number of another key')
    cases.bad('number-reversed', lines(*minisig(owner, number=NUMBER[::-1])), 'the number in the other byte order')
    cases.bad('by-another-key', lines(*minisig(stranger)), 'another key with the same number')
    cases.bad('global-by-another-key', lines(*minisig(owner)[:3], minisig(stranger, signature=owner.sign(hashlib.blake2b(MESSAGE).digest()))[3]),
              'the second signature is by another key')
    big_r, s = owner.parts(hashlib.blake2b(MESSAGE).digest())
    second = big_r + (s + ED_L).to_bytes(32, 'little')
    cases.bad('s+L', lines(*minisig(owner, signature=second)), 'the same modulo L, which would be a second encoding')
    made = minisig(owner)
    whole = base64.b64decode(made[3])
    second = whole[:32] + (int.from_bytes(whole[32:], 'little') + ED_L).to_bytes(32, 'little')
    cases.bad('global-s+L', lines(*made[:3], base64.b64encode(second)), 'the same modulo L, which would be a second encoding')


def minisign_comments(cases, owner, made):
    cases.bad('changed-comment', lines(made[0], made[1], made[2].replace(b'hashed', b'Hashed'), made[3]), 'the trusted comment was changed')
    cases.bad('longer-comment', lines(made[0], made[1], made[2] + b' ', made[3]), 'the trusted comment was changed')
    cases.bad('no-comment', lines(made[0], made[1], b'trusted comment: ', made[3]), 'the trusted comment was taken away')
    cases.bad('comment-of-another', lines(*minisig(owner)[:2], *minisig(owner, b'another', comment=b'x')[2:]),
              'comment and second signature of another message')
    cases.bad('global-without-signature', lines(*minisig(owner, covered=b'timestamp:1700000000\tfile:statement.pae\thashed')),
              'the second signature covers the comment alone')
    cases.bad('global-is-the-first', lines(*made[:3], base64.b64encode(base64.b64decode(made[1])[10:])), 'the first signature in place of the second')
    cases.bad('global-zero', lines(*made[:3], base64.b64encode(bytes(64))), 'all zero')
    for name, byte in (('nul', 0), ('escape', 0x1b), ('return', 0x0d), ('delete', 0x7f), ('backspace', 8)):
        cases.bad(f'comment-with-{name}', lines(*minisig(owner, comment=b'a' + bytes([byte]) + b'b')), 'signed, but with a control character')
    cases.bad('untrusted-with-escape', lines(*minisig(owner, untrusted=b'\x1b[2J')), 'a control character')
    cases.bad('too-long', lines(*minisig(owner, comment=b'a' * 900)), 'signed, but longer than a signature may be')


def minisign_base64(cases, made):
    first, last = made[1], made[3]

    def entry(text):
        return lines(made[0], text, *made[2:])

    not_strict = 'not strict base64'
    cases.bad('base64-space', entry(first[:40] + b' ' + first[40:]), not_strict)
    cases.bad('base64-space-for-a-digit', entry(first[:40] + b' ' + first[41:]), not_strict)
    cases.bad('base64-no-padding', entry(first.rstrip(b'=')), not_strict)
    cases.bad('base64-more-padding', entry(first + b'===='), not_strict)
    cases.bad('base64-padding-within', entry(first[:4] + b'AA==' + first[8:]), not_strict)
    cases.bad('base64-unused-bits', lines(*made[:3], last[:-3] + bytes([last[-3] + 1]) + b'=='), not_strict)
    cases.bad('base64-url', entry(first[:20] + b'-_' + first[22:]), 'the alphabet of URLs')
    cases.bad('base64-short', entry(base64.b64encode(base64.b64decode(first)[:-1])), 'a byte is missing')
    cases.bad('base64-long', entry(base64.b64encode(base64.b64decode(first) + b'\0')), 'a byte too many')
    cases.bad('base64-nul', entry(first[:50] + b'\0' + first[51:]), 'a zero byte')
    cases.bad('base64-high', entry(first[:50] + b'\xff' + first[51:]), 'a byte beyond ASCII')
    cases.bad('hex', entry(base64.b64decode(first).hex().encode()), 'hexadecimal')
    cases.bad('empty-line-2', entry(b''), 'no signature')
    cases.bad('empty-line-4', lines(*made[:3], b''), 'no second signature')
    raw = bytearray(base64.b64decode(first))
    for name, at in (('algorithm', 1), ('number', 5), ('R', 10), ('end-of-s', 73)):
        changed = bytearray(raw)
        changed[at] ^= 1
        cases.bad(f'flip-{name}', entry(base64.b64encode(bytes(changed))), f'one bit of {name} is another')


def minisign_lines(cases, owner, made):
    right = lines(*made)
    cases.bad('no-global', lines(*made[:3]), 'the second signature is missing')
    cases.bad('two-lines', lines(*made[:2]), 'as signify has it')
    cases.bad('three-lines', lines(*made[1:]), 'the first line is missing')
    cases.bad('five-lines', right + b'more\n', 'a line too many')
    cases.bad('empty-line-more', right + b'\n', 'two line feeds at the end')
    cases.bad('leading-empty-line', b'\n' + right, 'an empty line before')
    cases.bad('leading-space', b' ' + right, 'a space before')
    cases.bad('byte-order-mark', b'\xef\xbb\xbf' + right, 'a byte order mark')
    cases.bad('crlf', right.replace(b'\n', b'\r\n'), 'line ends of Windows')
    cases.bad('cr', right.replace(b'\n', b'\r'), 'line ends of old')
    cases.bad('one-line', right.replace(b'\n', b' '), 'no line ends')
    cases.bad('lines-swapped', lines(*made[2:], *made[:2]), 'the halves swapped')
    cases.bad('prefix-case', right.replace(b'trusted comment: t', b'Trusted comment: t'), 'another prefix')
    cases.bad('prefix-without-space', right.replace(b'\ntrusted comment: ', b'\ntrusted comment:'), 'another prefix')
    cases.bad('untrusted-twice', lines(made[0], made[1], made[0], made[3]), 'another prefix')
    cases.bad('twice', right + right, 'two signatures')
    cases.bad('raw', base64.b64decode(made[1]), 'the bytes without their file')
    cases.bad('plain-ed25519', owner.sign(MESSAGE), 'of scheme 1')
    cases.bad('empty', b'', 'nothing')
    cases.bad('cut-by-2', right[:-2], 'truncated')


def minisign_keys(owner, public):
    key('minisign-line', 'text', public)
    Cases('minisign-line').good('right', lines(*minisig(owner)), 'a key that is its base64 alone')
    key('minisign-as-pem', 'der', ed_spki(owner.public))
    as_pem = Cases('minisign-as-pem')
    as_pem.bad('minisig', lines(*minisig(owner)), 'the same key in PEM is of scheme 1 and takes no file of minisign')
    as_pem.good('plain', owner.sign(MESSAGE), 'the same key in PEM is of scheme 1')
    comment = b'untrusted comment: minisign public key'

    def bad_key(name, text, why):
        refused(f'minisign/{name}', 'text', text, why)

    bad_key('three-lines', lines(comment, public, b''), 'an empty line at the end')
    bad_key('two-keys', lines(comment, public, public), 'two keys')
    bad_key('crlf', lines(comment, public).replace(b'\n', b'\r\n'), 'line ends of Windows')
    bad_key('comment-alone', lines(comment), 'no key')
    bad_key('space', public[:20] + b' ' + public[20:], 'not strict base64')
    bad_key('trailing-space', public + b' ', 'not strict base64')
    bad_key('short', base64.b64encode(b'Ed' + NUMBER + owner.public[:-1]), 'a byte is missing')
    bad_key('long', base64.b64encode(b'Ed' + NUMBER + owner.public + b'\0'), 'a byte too many')
    bad_key('algorithm', base64.b64encode(b'ED' + NUMBER + owner.public), 'keys say Ed')
    bad_key('small-order', base64.b64encode(b'Ed' + NUMBER + ed_encode((0, 1))), 'of small order: anybody can sign')
    bad_key('not-canonical', base64.b64encode(b'Ed' + NUMBER + (ED_P + 3).to_bytes(32, 'little')), 'not the canonical encoding')
    bad_key('secret', lines(b'untrusted comment: minisign encrypted secret key', base64.b64encode(b'EdScB2' + bytes(152))), 'a secret key')
    bad_key('signature', lines(*minisig(owner)), 'a signature')
    bad_key('control', lines(b'untrusted comment: \x1b[2J', public), 'a control character')


def main():
    ecdsa(P256)
    ecdsa(P384)
    ed25519()
    rsa_pss()
    minisign()
    text = '\n'.join(LINES) + '\n'
    if sys.argv[1:2] == ['--check']:
        with open(sys.argv[2], encoding='utf-8') as file:
            sys.exit(0 if file.read() == text else f'{sys.argv[2]} is not what make_vectors.py makes')
    sys.stdout.write(text)


main()
