#!/bin/sh
# Checks a bundle without gapship: sh check.sh BUNDLE PUBLIC-KEY...
#
# gapship wrote this file, and gapship is what you do not want to trust: read it first. It reads the bundle and the keys and nothing that
# lies beside it, with od, dd, cmp, cut, paste, split, tr, tar (to pack, never to unpack), sha256sum, base64, openssl and minisign. The steps
# are explained in docs/audit.md, the bytes in bundle-spec/FORMAT.md. A bundle in volumes is joined first, as docs/audit.md says.
set -eu
[ $# -ge 2 ] || { echo "usage: sh check.sh BUNDLE PUBLIC-KEY..." >&2; exit 2; }
bundle=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "NOT GOOD: $*" >&2; exit 1; }
piece() { dd if="$1" iflag=skip_bytes,count_bytes bs=1M skip="$2" count="$3" status=none; }   # FILE OFFSET LENGTH
number() { piece "$1" "$2" "$3" | od -An --endian=little -tu"$3" | tr -d ' \n'; }              # FILE OFFSET LENGTH
hex() { od -An -v -tx1 | tr -d ' \n'; }
zero() { [ "$(piece "$1" "$2" "$3" | tr -d '\0' | wc -c)" = 0 ]; }                             # FILE OFFSET LENGTH
digest() { sha256sum | cut -c1-64; }
says() { grep -qF -e "$1" "$work/statement.json" || fail "the statement does not say $1"; }

# 1. The statement, and the bytes that are signed.
[ "$(piece "$bundle" 512 8)" = GAPSHIP1 ] || fail "this is no bundle"
[ "$(number "$bundle" 520 4)" = 1 ] || fail "the format has another version than 1"
envelope=$(number "$bundle" 524 4)
length=$(number "$bundle" 528 4)
count=$(number "$bundle" 532 4)
roots=$(number "$bundle" 536 4)
zero "$bundle" 540 36 || fail "the envelope has fields that this script does not know"
piece "$bundle" 576 "$length" > "$work/statement.json"
type=application/vnd.in-toto+json
{ printf 'DSSEv1 %d %s %d ' "${#type}" "$type" "$length"; cat "$work/statement.json"; } > "$work/statement.pae"

# 2. The signatures. An id finds the signature of a key and proves nothing; the key that was given decides how it is verified.
scheme_of() { if grep -q '^-----BEGIN PUBLIC KEY-----' "$1"; then echo 1; else echo 2; fi; }
key_id() {
  if [ "$(scheme_of "$1")" = 1 ]; then
    openssl pkey -pubin -in "$1" -outform DER | digest
  else # of minisign: the id of the Ed25519 key in it
    { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -n 1 "$1" | base64 -d | tail -c 32; } | digest
  fi
}
verify() { # KEY SIGNATURE
  if [ "$(scheme_of "$1")" = 2 ]; then
    minisign -V -H -q -p "$1" -x "$2" -m "$work/statement.pae"
    return
  fi
  case $(openssl pkey -pubin -in "$1" -noout -text) in
    *P-256*) openssl dgst -sha256 -verify "$1" -signature "$2" "$work/statement.pae" ;;
    *P-384*) openssl dgst -sha384 -verify "$1" -signature "$2" "$work/statement.pae" ;;
    *ED25519*) openssl pkeyutl -verify -pubin -inkey "$1" -rawin -in "$work/statement.pae" -sigfile "$2" ;;
    *Modulus*) openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -verify "$1" -signature "$2" \
      "$work/statement.pae" ;;
    *) return 1 ;;
  esac
}
good=0
: > "$work/seen"
for key; do key_id "$key" > "$work/id"; echo "$(cat "$work/id") $key"; done > "$work/keys"
: > "$work/said"
at=$((576 + length + roots))
entry=0
while [ "$entry" -lt "$count" ]; do
  size=$(number "$bundle" $((at + 4)) 4)
  [ "$size" -gt 0 ] || fail "the envelope counts more signatures than it has"
  id=$(piece "$bundle" $((at + 8)) 32 | hex)
  piece "$bundle" $((at + 40)) "$size" > "$work/signature"
  zero "$bundle" $((at + 2)) 2 || fail "a signature has a field that this script does not know"
  key=$(grep "^$id " "$work/keys" | head -n 1 | cut -c66-)
  ! grep -qx "$id" "$work/seen" || fail "the key $id has signed twice"
  echo "$id" >> "$work/seen"
  scheme=$(number "$bundle" "$at" 2)
  if [ -z "$key" ]; then
    echo "signature by $id: none of the keys given"
  elif [ "$scheme" -gt 2 ]; then
    echo "signature by $id: of a scheme that does not count"
  elif [ "$scheme" = "$(scheme_of "$key")" ] && verify "$key" "$work/signature" > "$work/said" 2>&1; then
    echo "signature by $id: good, $key"
    good=$((good + 1))
  else
    cat "$work/said" >&2
    fail "the signature by $id does not verify with $key"
  fi
  at=$((at + 40 + size))
  entry=$((entry + 1))
done
[ "$good" -gt 0 ] || fail "none of the keys given has signed this bundle"
zero "$bundle" "$at" $((512 + envelope - at)) || fail "there are bytes behind the last signature"

# 3. The index, which the statement names by its digest; and the roots, where there are any.
start=$((1024 + envelope))
size=$((0$(piece "$bundle" $((start - 388)) 11)))
piece "$bundle" "$start" "$size" > "$work/index"
index=$(digest < "$work/index")
says "{\"name\":\"gapship/index\",\"digest\":{\"sha256\":\"$index\"}}"
says "\"index\":{\"sha256\":\"$index\",\"size\":$size}"
says "\"totalLength\":$(stat -c %s "$bundle"),\"envelopeSize\":$envelope,"
if [ "$roots" = 0 ]; then
  ! grep -q '"roots":' "$work/statement.json" || fail "the statement names roots, and there are none"
else
  says "\"roots\":{\"sha256\":\"$(piece "$bundle" $((576 + length)) "$roots" | digest)\",\"size\":$roots}"
fi

# 4. Every member, by the place and the length that the index gives, against the digest it gives, whole and in chunks of 4 MiB.
[ "$(piece "$work/index" 0 8) $(number "$work/index" 8 4) $(number "$work/index" 16 8)" = 'GSINDEX1 1 22' ] || fail "the index has another form"
members=$(number "$work/index" 12 4)
mkdir -p "$work/content/blobs/sha256" "$work/content/gapship"
piece "$bundle" 512 "$envelope" > "$work/content/gapship/envelope"
cp "$work/index" "$work/content/gapship/index"
printf 'gapship/envelope\ngapship/index\n' > "$work/names"
: > "$work/chunks"
piece "$work/index" 24 $((72 * members)) > "$work/entries"
[ "$(stat -c %s "$work/entries")" = $((72 * members)) ] || fail "the index is shorter than its count says"
od -An -v --endian=little -tu8 -w72 "$work/entries" > "$work/numbers"
od -An -v -tx1 -w72 "$work/entries" | tr -d ' ' | cut -c81-144 > "$work/digests"
before=0
paste -d ' ' "$work/numbers" "$work/digests" | while read -r first chunk offset stored raw _ _ _ _ sum; do
  kind=$((first % 65536))
  own=$((stored > 4194304 ? (stored + 4194303) / 4194304 : 0))
  [ "$first $chunk $raw" = "$((own * 4294967296 + kind)) $before $stored" ] || fail "an entry of the index contradicts itself"
  before=$((before + own))
  case $kind in
    1) name=oci-layout ;;
    2) name=index.json ;;
    3) name=manifest.json ;;
    4) name=blobs/sha256/$sum ;;
    *) fail "the index has a member of an unknown kind" ;;
  esac
  piece "$bundle" "$offset" "$stored" > "$work/content/$name"
  [ "$(digest < "$work/content/$name")" = "$sum" ] || fail "$name is not what was signed"
  if [ "$own" -gt 0 ]; then
    split -b 4194304 --filter='sha256sum | cut -c1-64' "$work/content/$name" >> "$work/chunks"
  fi
  echo "$name" >> "$work/names"
done
piece "$work/index" $((24 + 72 * members)) "$size" | od -An -v -tx1 -w32 | tr -d ' ' | cmp - "$work/chunks" || fail "a chunk is not what was signed"
[ "$(cat "$work/content/oci-layout")" = '{"imageLayoutVersion":"1.0.0"}' ] || fail "oci-layout says something else"
[ "$(sed -n '3,5p' "$work/names" | tr '\n' ' ')" = 'oci-layout index.json manifest.json ' ] || fail "the members are not those of a bundle"
[ -z "$(sort "$work/names" | uniq -d)" ] || fail "a member is there twice"
says "\"layout\":{\"sha256\":\"$(digest < "$work/content/index.json")\"}"

# 5. Every byte between the members: packing what was found makes the same file again.
tar -b 1 --format=ustar --no-recursion --mode=0644 --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$work/content" -T "$work/names" -cf - |
  cmp - "$bundle" || fail "the file has bytes that belong to no member"

echo "$good of the keys given have signed; every byte of $bundle is what they signed"
echo "the bundle's digest is sha256:$(digest < "$work/statement.json")"
