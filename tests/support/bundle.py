#!/usr/bin/env python3
"""A second reader and writer of bundles, made from bundle-spec/FORMAT.md alone, to hold against gapship's.

Shares no code with gapship. Signatures are made and checked by the openssl command. As a command:

    bundle.py read FILE [--root ROOT | --key PUB]... [--allow-unsigned]     exit 0, or 3 and "CLASS: what is wrong"
    bundle.py write PLAN.json -o FILE [--key KEY]...                        PLAN: {"statement": {...}, "index": F, "manifest": F, "blobs": [F...]}
"""

import argparse
import base64
import datetime
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

import volumes

BLOCK = 512
CHUNK = 4 << 20
LARGEST = (1 << 53) - 1
ZEROS = bytes(CHUNK)
LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
PAYLOAD_TYPE = b"application/vnd.in-toto+json"
ROOT_TYPE = b"application/vnd.gapship.root+json"
DOCUMENT_ROOT, DOCUMENT_PERMIT = 1, 2
MOST_ROOTS = 512 << 10
KIND_LAYOUT, KIND_INDEX, KIND_MANIFEST, KIND_BLOB = 1, 2, 3, 4
NAMES = {KIND_LAYOUT: "oci-layout", KIND_INDEX: "index.json", KIND_MANIFEST: "manifest.json"}


class Refused(Exception):
    """A bundle is not accepted: the class is FORMAT, SIGNATURE or DIGEST."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


def require(condition, message, code="FORMAT"):
    if not condition:
        raise Refused(code, message)


# ---- section 2: tar headers


def round_up(value):
    return (value + BLOCK - 1) // BLOCK * BLOCK


def tar_header(name, size):
    field = b"%011o\0" % size if size <= 0o77777777777 else b"\x80" + size.to_bytes(11, "big")
    header = b"".join(
        (
            name.encode().ljust(100, b"\0"),
            b"0000644\0",
            b"0000000\0",
            b"0000000\0",
            field,
            b"00000000000\0",
            b" " * 8,
            b"0",
            bytes(100),
            b"ustar\x0000",
            bytes(64),
            b"0000000\0",
            b"0000000\0",
            bytes(167),
        )
    )
    return header[:148] + b"%06o\0 " % sum(header) + header[156:]


# ---- section 6 and 8: keys


def openssl(*arguments, data=None):
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False)
    return done.returncode == 0, done.stdout


class Key:
    """A key in a PEM file; `private` says which half it is."""

    def __init__(self, path, private=False):
        self.path = str(path)
        half = [] if private else ["-pubin"]
        ok, der = openssl("pkey", *half, "-in", self.path, "-pubout", "-outform", "DER")
        if not ok:
            raise ValueError(f"{path}: not a key")
        self.id = hashlib.sha256(der).hexdigest()
        _, text = openssl("pkey", "-pubin", "-inform", "DER", "-noout", "-text", data=der)
        text = text.decode()
        if "ED25519" in text:
            self.kind = "ed25519"
        elif "prime256v1" in text:
            self.kind = "ecdsa-p256"
        elif "secp384r1" in text:
            self.kind = "ecdsa-p384"
        elif "Modulus" in text:
            self.kind = "rsa-pss"
        else:
            raise ValueError(f"{path}: a key of a type that is not accepted")

    @classmethod
    def from_pem(cls, pem):
        file = tempfile.NamedTemporaryFile("w", encoding="ascii", suffix=".pub")  # pylint: disable=consider-using-with
        file.write(pem)
        file.flush()
        try:
            key = cls(file.name)
        except ValueError as error:
            raise Refused("FORMAT", "a key of a root is none") from error
        key.file = file  # which is there as long as the key is
        return key

    def _digest_options(self):
        options = ["-sha384" if self.kind == "ecdsa-p384" else "-sha256"]
        if self.kind == "rsa-pss":
            options += ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
        return options

    def sign(self, message):
        with tempfile.NamedTemporaryFile() as file:
            file.write(message)
            file.flush()
            if self.kind == "ed25519":
                ok, signature = openssl("pkeyutl", "-sign", "-inkey", self.path, "-rawin", "-in", file.name)
            else:
                ok, signature = openssl("dgst", *self._digest_options(), "-sign", self.path, file.name)
        if not ok:
            raise ValueError(f"{self.path}: cannot sign")
        return signature

    def pem(self):
        return openssl("pkey", "-pubin", "-in", self.path)[1].decode()

    def verify(self, message, signature):
        with tempfile.NamedTemporaryFile() as file, tempfile.NamedTemporaryFile() as sig:
            file.write(message)
            file.flush()
            sig.write(signature)
            sig.flush()
            if self.kind == "ed25519":
                return openssl(
                    "pkeyutl", "-verify", "-pubin", "-inkey", self.path, "-rawin", "-in", file.name, "-sigfile", sig.name
                )[0]
            return openssl("dgst", *self._digest_options(), "-verify", self.path, "-signature", sig.name, file.name)[0]


class Role:
    def __init__(self, keys, threshold=1):
        self.keys = {key.id: key for key in keys}
        self.threshold = threshold

    def check(self, message, entries):
        """How many of its keys signed; entries of unknown keys or schemes do not count, and a bad one of its keys is no accident."""
        good = set()
        for scheme, key_id, signature in entries:
            key = self.keys.get(key_id)
            if key and scheme in (1, 2):
                require(scheme == 1 and key.verify(message, signature), "a signature does not verify", "SIGNATURE")
                good.add(key_id)
        return len(good)

    def demand(self, message, entries):
        count = self.check(message, entries)
        require(count >= self.threshold, f"{count} of {self.threshold} signatures", "SIGNATURE")


class Trust:
    """A root: who signs bundles, and who signs the next root. Keys alone are a root of version 1."""

    def __init__(self, keys, threshold=1):
        self.release = self.root = Role(keys, threshold)
        self.version = self.epoch = 1
        self.body = None

    @classmethod
    def from_signed(cls, signed):
        """Of the value of "signed" of a root document."""
        has_fields(signed, ("type", "version", "epoch", "keys", "roles"), ("expires",))
        require(signed["type"] == "gapship-root", "not a root")
        for name in ("version", "epoch"):
            check_number(signed[name])
            require(signed[name] > 0, f"{name} 0 of a root")
        if "expires" in signed:
            check_time(signed["expires"], "expires")
        require(isinstance(signed["keys"], list), "the keys are no list")
        keys = {}
        for entry in signed["keys"]:
            has_fields(entry, ("id", "type", "pem"))
            require(isinstance(entry["pem"], str), "a PEM that is no text")
            key = Key.from_pem(entry["pem"])
            require((key.id, key.kind, key.pem()) == (entry["id"], entry["type"], entry["pem"]), "a key contradicts itself")
            require(key.id not in keys, "a key twice")
            keys[key.id] = key
        has_fields(signed["roles"], ("root", "release"), ("site",))
        roles = {}
        for name, role in signed["roles"].items():
            has_fields(role, ("keys", "threshold"))
            require(isinstance(role["keys"], list) and all(isinstance(i, str) and i in keys for i in role["keys"]), "an unknown key")
            require(len(set(role["keys"])) == len(role["keys"]), "a key twice in a role")
            check_number(role["threshold"])
            require(1 <= role["threshold"] <= min(16, len(role["keys"])), "an impossible threshold")
            roles[name] = Role([keys[i] for i in role["keys"]], role["threshold"])
        trust = cls([])
        trust.version, trust.epoch, trust.body = signed["version"], signed["epoch"], canonical(signed)
        trust.root, trust.release = roles["root"], roles["release"]
        return trust

    @classmethod
    def from_root(cls, path, _directory=None):
        with open(path, encoding="utf-8") as file:
            return cls.from_signed(json.load(file)["signed"])


def pae(body, payload_type=PAYLOAD_TYPE):
    return b"DSSEv1 %d %s %d " % (len(payload_type), payload_type, len(body)) + body


# ---- section 3: signature entries


def entry_bytes(key_id, signature, scheme=1):
    return struct.pack("<HHI", scheme, 0, len(signature)) + bytes.fromhex(key_id) + signature


def parse_entries(data, at, count):
    """[(scheme, key id, signature)], and where the last one ends."""
    entries = []
    for _ in range(count):
        require(at + 40 <= len(data), "a signature does not fit")
        scheme, zero, size = struct.unpack_from("<HHI", data, at)
        require(zero == 0 and 1 <= size <= 1024 and at + 40 + size <= len(data), "a signature is not possible")
        entries.append((scheme, data[at + 8 : at + 40].hex(), data[at + 40 : at + 40 + size]))
        at += 40 + size
    require(len({entry[:2] for entry in entries}) == count, "two signatures by one key")
    return entries, at


# ---- sections 8 and 13: signed documents, and chains of roots


def canonical(value):
    """RFC 8785, for ASCII texts and integers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def document(body, keys, kind=DOCUMENT_ROOT, payload_type=ROOT_TYPE, version=1):
    entries = [entry_bytes(key.id, key.sign(pae(body, payload_type))) for key in keys]
    return struct.pack("<8sIIII", b"GSSIGNED", version, kind, len(body), len(entries)) + body + b"".join(entries)


def parse_document(data, at):
    """(kind, body, entries), and where it ends."""
    require(at + 24 <= len(data), "a document is cut in its header")
    magic, version, kind, size, count = struct.unpack_from("<8sIIII", data, at)
    require(magic == b"GSSIGNED" and version == 1, "not a signed document of version 1")
    require(kind in (DOCUMENT_ROOT, DOCUMENT_PERMIT), "a document of an unknown type")
    require(1 <= size <= 65536 and count <= 16 and at + 24 + size <= len(data), "the header of a document is not possible")
    entries, end = parse_entries(data, at + 24 + size, count)
    return (kind, data[at + 24 : at + 24 + size], entries), end


def walk(trust, chain):
    """The newest root that the chain leads to."""
    require(1 <= len(chain) <= MOST_ROOTS, "a chain of an impossible size")
    at, before = 0, None
    while at < len(chain):
        (kind, body, entries), at = parse_document(chain, at)
        require(kind == DOCUMENT_ROOT, "a link that is no root")
        said = re.search(rb',"version":([1-9][0-9]{0,15})\}\Z', body)
        require(said and int(said[1]) <= LARGEST, "a link without a version at its end")
        version = int(said[1])
        require(before in (None, version - 1), "the versions do not rise by one")
        before = version
        require(version <= trust.version + 1, "a gap in the chain")
        if version == trust.version:
            require(body == trust.body, "another root of the version that is trusted")
        if version > trust.version:
            trust.root.demand(pae(body, ROOT_TYPE), entries)
            following = Trust.from_signed(strict_json(body))
            require(following.body == body and following.version == version, "a root in another form than its own")
            require(following.epoch >= trust.epoch, "the epoch falls")
            following.root.demand(pae(body, ROOT_TYPE), entries)
            trust = following
    return trust


# ---- section 4: the statement

STATEMENT_FIELDS = {
    "product": lambda v: re.fullmatch(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?", v),
    "version": lambda v: re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,127}", v),
}
CONSTRAINT = re.compile(r"[ ,]*((>=|<=|>|<|=) *[vV]?[0-9][A-Za-z0-9._+~-]*([ ,]+|(?=[<>=])|$))+")


def statement_bytes(fields, total, envelope_size, index_digest, index_size, layout_digest, roots=b""):  # pylint: disable=too-many-arguments
    predicate = {
        "product": fields["product"],
        "version": fields["version"],
        "epoch": fields["epoch"],
        "sequence": fields["sequence"],
        "securityFloor": fields["securityFloor"],
        "issuedAt": fields["issuedAt"],
        **({"freshUntil": fields["freshUntil"]} if "freshUntil" in fields else {}),
        "totalLength": total,
        "envelopeSize": envelope_size,
        "index": {"sha256": index_digest, "size": index_size},
        "layout": {"sha256": layout_digest},
    }
    if roots:
        predicate["roots"] = {"sha256": hashlib.sha256(roots).hexdigest(), "size": len(roots)}
    if "upgradesFrom" in fields:
        predicate["requires"] = {"upgradesFrom": fields["upgradesFrom"]}
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": "gapship/index", "digest": {"sha256": index_digest}},
            {"name": "index.json", "digest": {"sha256": layout_digest}},
        ],
        "predicateType": "https://gapship.io/bundle/v1",
        "predicate": predicate,
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def strict_json(data):
    def pairs(items):
        require(len({k for k, _ in items}) == len(items), "a field twice")
        return dict(items)

    def no_number(text):
        raise Refused("FORMAT", f"not an integer: {text}")

    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=pairs, parse_float=no_number, parse_constant=no_number
        )
    except (ValueError, RecursionError) as error:
        raise Refused("FORMAT", f"the statement is not JSON: {error}") from error


def has_fields(value, required, optional=()):
    require(isinstance(value, dict), "not an object")
    require(set(required) <= set(value) <= set(required) | set(optional), "a field is missing or unknown")


def check_digest(value):
    require(isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value), "not a digest")


def check_number(value):
    require(type(value) is int and 0 <= value <= LARGEST, "not a number in range")  # pylint: disable=unidiomatic-typecheck


def check_time(value, name):
    require(isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value, re.A), f"{name} is malformed")
    try:
        require(datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").year >= 1970, f"{name} is before 1970")
    except ValueError as error:
        raise Refused("FORMAT", f"{name} is no time") from error


def parse_statement(data):
    document = strict_json(data)
    has_fields(document, ("_type", "subject", "predicateType", "predicate"))
    require(document["_type"] == "https://in-toto.io/Statement/v1", "not an in-toto statement")
    require(document["predicateType"] == "https://gapship.io/bundle/v1", "not the statement of a bundle")
    predicate = document["predicate"]
    numbers = ("epoch", "sequence", "securityFloor", "totalLength", "envelopeSize")
    has_fields(predicate, ("product", "version", "issuedAt", "index", "layout", *numbers), ("freshUntil", "roots", "requires"))
    for name, valid in STATEMENT_FIELDS.items():
        require(isinstance(predicate[name], str) and valid(predicate[name]), f"{name} is malformed")
    for name in numbers:
        check_number(predicate[name])
    require(predicate["securityFloor"] <= predicate["sequence"], "securityFloor is above sequence")
    check_time(predicate["issuedAt"], "issuedAt")
    if "freshUntil" in predicate:
        check_time(predicate["freshUntil"], "freshUntil")
        require(predicate["freshUntil"] >= predicate["issuedAt"], "freshUntil is before issuedAt")
    has_fields(predicate["index"], ("sha256", "size"))
    check_digest(predicate["index"]["sha256"])
    check_number(predicate["index"]["size"])
    has_fields(predicate["layout"], ("sha256",))
    check_digest(predicate["layout"]["sha256"])
    if "roots" in predicate:
        has_fields(predicate["roots"], ("sha256", "size"))
        check_digest(predicate["roots"]["sha256"])
        check_number(predicate["roots"]["size"])
        require(1 <= predicate["roots"]["size"] <= MOST_ROOTS, "a chain of roots of an impossible size")
    if "requires" in predicate:
        has_fields(predicate["requires"], (), ("upgradesFrom",))
        constraint = predicate["requires"].get("upgradesFrom", "=1")
        require(
            isinstance(constraint, str) and len(constraint) <= 256 and CONSTRAINT.fullmatch(constraint),
            "upgradesFrom is malformed",
        )
    subject = document["subject"]
    expected = [
        {"name": "gapship/index", "digest": {"sha256": predicate["index"]["sha256"]}},
        {"name": "index.json", "digest": predicate["layout"]},
    ]
    require(subject == expected, "the subjects are others")
    return predicate


# ---- reading


class Member:
    def __init__(self, kind, digest, size, offset, chunks=()):
        self.kind, self.digest, self.size, self.offset, self.chunks = kind, digest, size, offset, chunks

    @property
    def name(self):
        return NAMES.get(self.kind) or "blobs/sha256/" + self.digest.hex()


class Reader:
    """An accepted bundle. All of section 7 but the content happens here; `check` does that."""

    def __init__(self, path, trust=None, allow_unsigned=False):
        try:
            self.file = volumes.open_bundle(path)
        except ValueError as error:
            raise Refused("FORMAT", error) from error
        self.length = self.file.length
        self.authentic = False
        try:
            self._verify(trust, allow_unsigned)
        except Refused:
            self.file.close()
            raise

    def _verify(self, trust, allow_unsigned):
        self._read_envelope()
        if trust:
            trust = walk(trust, self.roots) if self.roots else trust
            self._check_threshold(trust, allow_unsigned)
        self.digest = hashlib.sha256(self.statement).hexdigest()
        self.predicate = parse_statement(self.statement)
        require(self.predicate["totalLength"] == self.length, "the file has another length than was signed")
        require(self.file.digest in (None, self.digest), "the headers of the volumes name another bundle")
        require(self.predicate["envelopeSize"] == self.envelope_size, "the envelope has another size than was signed")
        require(self.predicate.get("roots", {"size": 0})["size"] == len(self.roots), "the chain of roots has another size than was signed")
        if self.roots:
            same = hashlib.sha256(self.roots).hexdigest() == self.predicate["roots"]["sha256"]
            require(same, "the chain of roots was changed", "DIGEST")
        self._read_index()
        self._check_gaps()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def _at(self, offset, size):
        data = self.file.read(offset, size)
        require(len(data) == size, "the file ends early")
        return data

    def _read_envelope(self):
        head = self._at(BLOCK, 64)
        magic, version, size, length, count, roots = struct.unpack_from("<8sIIIII", head)
        require(magic == b"GAPSHIP1", "not a bundle")
        require(version == 1, f"version {version} is not known")
        require(head[28:] == bytes(36), "reserved bytes are in use")
        require(BLOCK <= size <= 2 << 20 and size % BLOCK == 0, "the size of the envelope is not possible")
        require(1 <= length <= 1 << 20 and count <= 16, "the envelope is not possible")
        require(BLOCK + size <= self.file.first, "the file, or the first volume, ends inside the envelope")
        data = self._at(BLOCK, size)
        require(data[:64] == head, "the file changes")
        require(64 + length <= size, "the statement does not fit")
        require(roots <= MOST_ROOTS and 64 + length + roots <= size, "the chain of roots does not fit")
        self.envelope_size, self.statement = size, data[64 : 64 + length]
        self.roots = data[64 + length : 64 + length + roots]
        self.signatures, at = parse_entries(data, 64 + length + roots, count)
        require(not any(data[at:]), "bytes behind the last signature")

    def _check_threshold(self, trust, allow_unsigned):
        count = trust.release.check(pae(self.statement), self.signatures)
        self.authentic = count >= trust.release.threshold
        unsigned = allow_unsigned and not self.signatures
        require(self.authentic or unsigned, f"{count} of {trust.release.threshold} signatures", "SIGNATURE")

    def _read_index(self):
        start, size = 1024 + self.envelope_size, self.predicate["index"]["size"]
        require(size <= 256 << 20 and start + size <= self.length, "the index does not fit")
        require(self._at(0, BLOCK) == tar_header("gapship/envelope", self.envelope_size), "a header was changed")
        require(self._at(start - BLOCK, BLOCK) == tar_header("gapship/index", size), "a header was changed")
        data = self._at(start, size)
        require(hashlib.sha256(data).hexdigest() == self.predicate["index"]["sha256"], "the index was changed", "DIGEST")
        require(len(data) >= 24, "the index is too short")
        magic, version, count, log2, zero = struct.unpack_from("<8sIIII", data)
        require((magic, version, log2, zero) == (b"GSINDEX1", 1, 22, 0), "the index has an unknown form")
        require(3 <= count <= 1000000 and 24 + 72 * count <= size, "the index has an impossible count")
        self.members, chunks, place = [], 0, start + round_up(size) + BLOCK
        for i in range(count):
            kind, flags, own, first, offset, stored, raw, digest = struct.unpack_from("<HHIQQQQ32s", data, 24 + 72 * i)
            require(kind == min(i + 1, KIND_BLOB) and flags == 0, "an unknown kind or flag")
            require(raw == stored and first == chunks, "an entry contradicts itself")
            require(own == (0 if stored <= CHUNK else -(-stored // CHUNK)), "an entry has a wrong chunk count")
            require(kind not in (2, 3) or stored <= 16 << 20, "index.json or manifest.json is too large")
            require(offset == place, "an entry is at a wrong place")
            digests = 24 + 72 * count + 32 * chunks
            require(digests + 32 * own <= size, "chunk digests are missing")
            own_digests = [data[d : d + 32] for d in range(digests, digests + 32 * own, 32)]
            self.members.append(Member(kind, digest, stored, offset, own_digests))
            chunks += own
            place += round_up(stored) + BLOCK
        require(size == 24 + 72 * count + 32 * chunks, "the index has another size")
        require(place - BLOCK + 1024 == self.length, "the members do not add up")
        blobs = [m.digest for m in self.members[3:]]
        require(len(set(blobs)) == len(blobs), "a blob twice")
        layout = self.members[0]
        require((layout.size, layout.digest) == (30, hashlib.sha256(LAYOUT).digest()), "another oci-layout")
        require(self.members[1].digest.hex() == self.predicate["layout"]["sha256"], "another index.json")
        self.index_end = start + size

    def _check_gaps(self):
        end = self.index_end
        for member in self.members:
            gap = bytes(round_up(end) - end) + tar_header(member.name, member.size)
            require(self._at(end, len(gap)) == gap, f"the header of {member.name} was changed")
            end = member.offset + member.size
        tail = bytes(self.length - end)
        require(len(tail) == round_up(end) - end + 1024 and self._at(end, len(tail)) == tail, "the end was changed")

    def read(self, member):
        """The content of a member, checked."""
        data = b"".join(self._units(member))
        return data

    def _units(self, member):
        for number, at in enumerate(range(0, member.size or 1, CHUNK)):
            data = self._at(member.offset + at, min(CHUNK, member.size - at))
            expected = member.chunks[number] if member.chunks else member.digest
            require(hashlib.sha256(data).digest() == expected, f"{member.name} was changed", "DIGEST")
            yield data

    def check(self):
        for member in self.members:
            for _ in self._units(member):
                pass


# ---- writing


class Zeros:
    """A blob of zeros that takes no room, for bundles of many gigabytes. digest: what to say of the whole, where hashing takes long."""

    def __init__(self, size, tail=b"", digest=None):
        self.size, self.tail, self.digest = size, tail, digest

    def __len__(self):
        return self.size + len(self.tail)

    def pieces(self):
        for at in range(0, self.size - self.size % CHUNK, CHUNK):
            yield at, ZEROS
        last = bytes(self.size % CHUNK) + self.tail
        if last:
            yield self.size - self.size % CHUNK, last


def pieces_of(blob):
    if isinstance(blob, Zeros):
        yield from blob.pieces()
    else:
        for at in range(0, len(blob), CHUNK):
            yield at, blob[at : at + CHUNK]


class Writer:
    """A bundle in parts, so that a test can change one before `save` puts them together."""

    def __init__(self, fields, index_json, manifest_json, blobs, room=16384, roots=b""):  # pylint: disable=too-many-arguments
        self.fields, self.room, self.roots = fields, room, roots
        self.contents = [LAYOUT, index_json, manifest_json, *blobs]
        self.digests, self.chunks, zero_chunk = [], [], hashlib.sha256(ZEROS).digest()
        for content in self.contents:
            whole, chunks = hashlib.sha256(), []
            stated = getattr(content, "digest", None)
            for _, piece in pieces_of(content):
                if not stated:
                    whole.update(piece)
                chunks.append(zero_chunk if piece is ZEROS else hashlib.sha256(piece).digest())
            self.digests.append(stated or whole.digest())
            self.chunks.append(chunks if len(content) > CHUNK else [])
        self.entries = None
        self.lay_out()

    def lay_out(self):
        count = len(self.contents)
        self.index_size = 24 + 72 * count + 32 * sum(map(len, self.chunks))
        zero = "0" * 64
        longest = statement_bytes(self.fields, LARGEST, LARGEST, zero, self.index_size, zero, self.roots)
        self.envelope_size = round_up(64 + len(longest) + len(self.roots) + self.room)
        self.index_offset = 1024 + self.envelope_size
        place, self.places = self.index_offset + round_up(self.index_size) + BLOCK, []
        for content in self.contents:
            self.places.append(place)
            place += round_up(len(content)) + BLOCK
        self.total = place - BLOCK + 1024
        self.entries = [
            dict(
                kind=min(i + 1, KIND_BLOB),
                flags=0,
                chunk_count=len(self.chunks[i]),
                first_chunk=sum(map(len, self.chunks[:i])),
                offset=self.places[i],
                stored=len(content),
                raw=len(content),
                digest=self.digests[i],
            )
            for i, content in enumerate(self.contents)
        ]

    def index(self, magic=b"GSINDEX1", version=1, count=None, log2=22, zero=0):
        data = struct.pack("<8sIIII", magic, version, len(self.entries) if count is None else count, log2, zero)
        for entry in self.entries:
            data += struct.pack("<HHIQQQQ32s", *entry.values())
        return data + b"".join(d for chunks in self.chunks for d in chunks)

    def statement(self, index):
        digest = hashlib.sha256(index).hexdigest()
        return statement_bytes(self.fields, self.total, self.envelope_size, digest, len(index), self.digests[1].hex(), self.roots)

    @staticmethod
    def signature(statement, key, scheme=1):
        return entry_bytes(key.id, key.sign(pae(statement)), scheme)

    def envelope(self, statement, entries, **changes):
        header = dict(magic=b"GAPSHIP1", version=1, size=self.envelope_size, length=len(statement), count=len(entries), roots=len(self.roots))
        header.update(changes)
        data = struct.pack("<8sIIIII", *header.values()) + bytes(36) + statement + self.roots + b"".join(entries)
        return data.ljust(self.envelope_size, b"\0")

    def save(self, path, keys=(), index=None, statement=None, envelope=None):  # pylint: disable=too-many-arguments
        index = self.index() if index is None else index
        statement = self.statement(index) if statement is None else statement
        if envelope is None:
            envelope = self.envelope(statement, [self.signature(statement, key) for key in keys])
        with open(path, "wb") as file:
            file.write(tar_header("gapship/envelope", len(envelope)) + envelope)
            file.write(tar_header("gapship/index", len(index)) + index)
            for i, content in enumerate(self.contents):
                name = Member(min(i + 1, KIND_BLOB), self.digests[i], 0, 0).name
                file.seek(self.places[i] - BLOCK)
                file.write(tar_header(name, len(content)))
                for at, piece in pieces_of(content):
                    if piece is not ZEROS:
                        file.seek(self.places[i] + at)
                        file.write(piece)
            file.truncate(self.total)


# ---- the command


def command_read(arguments):
    with tempfile.TemporaryDirectory() as directory:
        trust = None
        if arguments.root:
            trust = Trust.from_root(arguments.root, directory)
        elif arguments.key:
            trust = Trust([Key(path) for path in arguments.key])
        with Reader(arguments.file, trust, arguments.allow_unsigned) as bundle:
            bundle.check()
    result = {
        "digest": bundle.digest,
        "authentic": bundle.authentic,
        "statement": bundle.predicate,
        "signatures": [{"scheme": s, "keyId": k} for s, k, _ in bundle.signatures],
        "members": [{"name": m.name, "size": m.size, "offset": m.offset} for m in bundle.members],
    }
    print(json.dumps(result))


def command_write(arguments):
    def content(value):
        if isinstance(value, dict):
            return Zeros(value["zeros"], base64.b64decode(value.get("tail", "")))
        with open(value, "rb") as file:
            return file.read()

    with open(arguments.plan, encoding="utf-8") as file:
        plan = json.load(file)
    blobs = [content(value) for value in plan["blobs"]]
    writer = Writer(plan["statement"], content(plan["index"]), content(plan["manifest"]), blobs,
                    roots=content(plan["roots"]) if "roots" in plan else b"")
    writer.save(arguments.output, [Key(path, private=True) for path in arguments.key])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    read = commands.add_parser("read")
    read.add_argument("file")
    read.add_argument("--root")
    read.add_argument("--key", action="append", default=[])
    read.add_argument("--allow-unsigned", action="store_true")
    read.set_defaults(run=command_read)
    write = commands.add_parser("write")
    write.add_argument("plan")
    write.add_argument("-o", dest="output", required=True)
    write.add_argument("--key", action="append", default=[])
    write.set_defaults(run=command_write)
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except Refused as refused:
        print(refused, file=sys.stderr)
        sys.exit(3)


if __name__ == "__main__":
    main()
