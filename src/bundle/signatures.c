/* Makes signatures: all at once for a new bundle, one more for a finished one. */
#include "signatures.h"

#include <stdlib.h>

#include "bundle_internal.h"
#include "gapship/fs.h"

static int fail_repeated(const gs_digest *key_id, gs_error *err)
{
    char id[GS_DIGEST_HEX];
    gs_digest_hex(key_id, id);
    return gs_fail(err, GS_EEXISTS, "the key %s has signed already", id);
}

static int fail_many(gs_error *err)
{
    return gs_fail(err, GS_ELIMIT, "a bundle has at most %u signatures", GS_MAX_SIGNATURES);
}

static int fail_full(gs_error *err)
{
    (void)gs_fail(err, GS_ELIMIT, "the bundle has no room left for this signature");
    (void)gs_error_hint(err, "build it again with all keys, or with smaller signatures: ECDSA and Ed25519 take less than RSA");
    return GS_ELIMIT;
}

static bool has_signed(const gs_envelope *envelope, const gs_public_key *key)
{
    for (size_t i = 0; i < envelope->count; i++) {
        const gs_signature_entry *entry = &envelope->signatures[i];
        if (entry->scheme == gs_public_key_scheme(key) && gs_digest_equal(&entry->key_id, gs_public_key_id(key))) {
            return true;
        }
    }
    return false;
}

static int append_signature(const gs_private_key *key, const gs_buf *encoding, gs_buf *out, gs_digest *id, gs_error *err)
{
    GS_AUTO_PUBLIC_KEY gs_public_key *public = NULL;
    GS_AUTO_BUF gs_buf signature;
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    int code = gs_private_key_public(key, &public, err);
    code = code == 0 ? gs_sign(key, encoding->data, encoding->len, &signature, err) : code;
    if (code != 0) {
        return code;
    }
    *id = *gs_public_key_id(public);
    gs_signature_entry_write(out, GS_SCHEME_KEY, id, signature.data, signature.len);
    return 0;
}

int gs_envelope_sign(const gs_envelope_parts *parts, size_t envelope_size, const gs_private_key *const *keys, size_t key_count,
                     gs_buf *out, gs_error *err)
{
    gs_digest ids[GS_MAX_SIGNATURES];
    GS_AUTO_BUF gs_buf encoding;
    gs_buf_init(&encoding, GS_MAX_STATEMENT_BYTES + GS_BLOCK);
    int code = key_count <= GS_MAX_SIGNATURES ? 0 : fail_many(err);
    code = code == 0 ? gs_pae(GS_STATEMENT_TYPE, parts->statement, parts->statement_len, &encoding, err) : code;
    size_t start = out->len;
    gs_envelope_write_head(out, envelope_size, parts, key_count);
    for (size_t i = 0; code == 0 && i < key_count; i++) {
        code = append_signature(keys[i], &encoding, out, &ids[i], err);
        for (size_t j = 0; code == 0 && j < i; j++) {
            code = gs_digest_equal(&ids[i], &ids[j]) ? fail_repeated(&ids[i], err) : 0;
        }
    }
    code = code == 0 ? gs_buf_check(out, err) : code;
    if (code == 0 && out->len - start > envelope_size) {
        code = fail_full(err);
    }
    if (code == 0) {
        gs_buf_add_zeros(out, envelope_size - (out->len - start));
        code = gs_buf_check(out, err);
    }
    return code;
}

static int check_addition(const gs_bundle *bundle, const gs_public_key *key, const void *signature, size_t len, gs_error *err)
{
    const gs_envelope *envelope = &bundle->envelope;
    GS_AUTO_BUF gs_buf encoding;
    gs_buf_init(&encoding, GS_MAX_STATEMENT_BYTES + GS_BLOCK);
    int code = gs_pae(GS_STATEMENT_TYPE, bundle->head + GS_ENVELOPE_HEADER, envelope->statement_length, &encoding, err);
    code = code == 0 ? gs_signature_verify(key, encoding.data, encoding.len, signature, len, err) : code;
    if (code != 0) {
        return code;
    }
    if (has_signed(envelope, key)) {
        return fail_repeated(gs_public_key_id(key), err);
    }
    if (envelope->count >= GS_MAX_SIGNATURES) {
        return fail_many(err);
    }
    bool fits = len <= GS_MAX_SIGNATURE_BYTES && GS_SIGNATURE_HEADER + len <= envelope->size - envelope->end;
    return fits ? 0 : fail_full(err);
}

/* First the entry, with zeros up to the end of the envelope, then the count, which lies in one sector: FORMAT.md section 9 says
 * what a power loss leaves of this. */
static int write_addition(const gs_bundle *bundle, const gs_public_key *key, const void *signature, size_t len, gs_error *err)
{
    const gs_envelope *envelope = &bundle->envelope;
    GS_AUTO_BUF gs_buf entry;
    GS_AUTO_BUF gs_buf count;
    gs_buf_init(&entry, GS_MAX_ENVELOPE_BYTES);
    gs_buf_init(&count, sizeof(uint32_t));
    gs_signature_entry_write(&entry, gs_public_key_scheme(key), gs_public_key_id(key), signature, len);
    gs_buf_add_zeros(&entry, envelope->size - envelope->end - entry.len);
    gs_buf_add_u32(&count, (uint32_t)(envelope->count + 1));
    int code = gs_buf_check(&entry, err);
    code = code == 0 ? gs_buf_check(&count, err) : code;
    code = code == 0 ? gs_medium_write(&bundle->medium, entry.data, entry.len, GS_ENVELOPE_OFFSET + envelope->end, err) : code;
    code = code == 0 ? gs_fs_sync(bundle->medium.parts[0].fd, err) : code;
    code = code == 0 ? gs_medium_write(&bundle->medium, count.data, count.len, GS_ENVELOPE_OFFSET + GS_ENVELOPE_COUNT_OFFSET, err)
                     : code;
    return code == 0 ? gs_fs_sync(bundle->medium.parts[0].fd, err) : code;
}

/* The head alone is opened: where a bundle is split, its first volume. */
static int open_head(const char *path, gs_bundle **out, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    gs_medium medium = {0};
    unsigned char start[GS_MAGIC_BYTES] = {0};
    uint64_t length = 0;
    int code = gs_fs_open_locked(path, false, &fd, &length, err);
    if (code != 0) {
        return code;
    }
    code = length < sizeof start ? 0 : gs_fs_pread(fd, start, sizeof start, 0, err);
    if (code == 0) {
        code = gs_volume_begins(start)
                   ? gs_volume_open_head(&(gs_volume_file){.fd = fd, .length = length, .path = path}, &medium, err)
                   : gs_medium_whole(fd, path, length, &medium, err);
    }
    if (code != 0) {
        return code;
    }
    fd = -1;
    code = gs_bundle_read_head(&medium, path, out, err);
    gs_medium_done(&medium);
    return code;
}

int gs_bundle_add_signature(const char *path, const gs_public_key *key, const void *signature, size_t len, gs_error *err)
{
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    int code = open_head(path, &bundle, err);
    code = code == 0 ? check_addition(bundle, key, signature, len, err) : code;
    code = code == 0 ? write_addition(bundle, key, signature, len, err) : code;
    code = code == 0 ? gs_fs_close(&bundle->medium.parts[0].fd, err) : code;
    if (code != 0 && err && err->where[0] == '\0') {
        (void)gs_error_at(err, "%s", path);
    }
    return code;
}
