/* Signatures as they stand in files, and how many of them count. Parsing allocates nothing: what it is given was not checked by anybody
 * yet. */
#include <inttypes.h>
#include <string.h>

#include "gapship/num.h"
#include "gapship/trust.h"

int gs_pae(const char *type, const void *body, size_t len, gs_buf *out, gs_error *err)
{
    gs_buf_printf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, len);
    gs_buf_add(out, body, len);
    return gs_buf_check(out, err);
}

/* One entry at `at`, which is at most size. */
static int parse_entry(const unsigned char *data, size_t size, size_t at, gs_signature_entry *out, gs_error *err)
{
    if (size - at < GS_SIGNATURE_HEADER) {
        return gs_fail(err, GS_EFORMAT, "a signature does not fit its place");
    }
    const unsigned char *entry = data + at;
    uint32_t length = gs_load_u32(entry + 4);
    if (gs_load_u16(entry + 2) != 0) {
        return gs_fail(err, GS_EFORMAT, "a signature uses a field that this gapship does not know");
    }
    if (length == 0 || length > GS_MAX_SIGNATURE_BYTES || length > size - at - GS_SIGNATURE_HEADER) {
        return gs_fail(err, GS_EFORMAT, "the length %" PRIu32 " of a signature is not possible", length);
    }
    *out = (gs_signature_entry){.scheme = gs_load_u16(entry), .offset = at + GS_SIGNATURE_HEADER, .length = length};
    memcpy(out->key_id.bytes, entry + 8, GS_DIGEST_BYTES);
    return 0;
}

static bool is_repeated(const gs_signature_entry *entries, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (entries[i].scheme == entries[j].scheme && gs_digest_equal(&entries[i].key_id, &entries[j].key_id)) {
            return true;
        }
    }
    return false;
}

int gs_signature_entries_parse(const unsigned char *data, size_t size, size_t at, size_t count, gs_signature_entry *out,
                               size_t *end, gs_error *err)
{
    for (size_t i = 0; i < count; i++) {
        int code = parse_entry(data, size, at, &out[i], err);
        if (code != 0) {
            return code;
        }
        if (is_repeated(out, i)) {
            return gs_fail(err, GS_EFORMAT, "there are two signatures by one key");
        }
        at = out[i].offset + out[i].length;
    }
    *end = at;
    return 0;
}

void gs_signature_entry_write(gs_buf *out, unsigned scheme, const gs_digest *key_id, const void *signature, size_t len)
{
    gs_buf_add_u16(out, (uint16_t)scheme);
    gs_buf_add_u16(out, 0);
    gs_buf_add_u32(out, (uint32_t)len);
    gs_buf_add(out, key_id->bytes, sizeof key_id->bytes);
    gs_buf_add(out, signature, len);
}

static const gs_public_key *find_key(const gs_trust_role *role, const gs_digest *id)
{
    for (size_t i = 0; role && i < role->count; i++) {
        if (gs_digest_equal(gs_public_key_id(role->keys[i]), id)) {
            return role->keys[i];
        }
    }
    return NULL;
}

/* How a signature is to be read follows from the trusted key, never from the file: a scheme that is another one's was written by
 * somebody who wants the bytes read in a way the key's owner never meant. */
static int verify(const gs_public_key *key, const gs_signed *what, const gs_signature_entry *entry, gs_error *err)
{
    if (entry->scheme != gs_public_key_scheme(key)) {
        char id[GS_DIGEST_HEX];
        gs_digest_hex(&entry->key_id, id);
        return gs_fail(err, GS_ESIGNATURE, "a signature by the key %s is of scheme %u, but this key signs by scheme %u", id,
                       entry->scheme, gs_public_key_scheme(key));
    }
    return gs_signature_verify(key, what->encoding->data, what->encoding->len, what->data + entry->offset, entry->length, err);
}

static bool is_known_scheme(unsigned scheme)
{
    return scheme == GS_SCHEME_KEY || scheme == GS_SCHEME_MINISIGN;
}

int gs_signatures_count(const gs_trust_role *role, const gs_signed *what, gs_signature_report *reports, unsigned *good,
                        gs_error *err)
{
    int code = 0;
    unsigned found = 0;
    for (size_t i = 0; code == 0 && i < what->count; i++) {
        const gs_signature_entry *entry = &what->entries[i];
        const gs_public_key *key = is_known_scheme(entry->scheme) ? find_key(role, &entry->key_id) : NULL;
        reports[i] = (gs_signature_report){.key_id = entry->key_id, .known = key != NULL};
        if (key) {
            code = verify(key, what, entry, err);
            reports[i].good = code == 0;
            found += code == 0 ? 1 : 0;
        }
    }
    if (code == 0) {
        *good = found;
    }
    return code;
}
