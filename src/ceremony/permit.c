/* Permits in the making: for one bundle, signed here or elsewhere. Believes nobody; who may permit what is the site's business. */
#include <fcntl.h>
#include <string.h>

#include "gapship/bundle.h"
#include "gapship/ceremony.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/num.h"

/* ---- what it says ---- */

/* "EPOCH.SEQUENCE". */
static int parse_place(const char *text, uint64_t *epoch, uint64_t *sequence, gs_error *err)
{
    char first[24];
    const char *dot = strchr(text, '.');
    size_t len = dot ? (size_t)(dot - text) : sizeof first;
    if (len < sizeof first) {
        memcpy(first, text, len);
        first[len] = '\0';
        if (gs_parse_u64(first, GS_LARGEST_NUMBER, epoch) && gs_parse_u64(dot + 1, GS_LARGEST_NUMBER, sequence)) {
            return 0;
        }
    }
    (void)gs_fail(err, GS_EUSAGE, "--below takes EPOCH.SEQUENCE, and not '%s'", text);
    return gs_error_hint(err, "as of the newest bundle that the site has accepted, like 0.42: `gapship status` there shows it");
}

static int open_bundle(const gs_permit_options *options, gs_verified **out, gs_error *err)
{
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_TRUST gs_trust *trust = NULL;
    int code = options->root ? gs_trust_load(options->root, &trust, err) : 0;
    if (code == 0) {
        code = gs_bundle_open(options->bundle, &bundle, err);
    }
    if (code == 0 && trust) {
        code = gs_bundle_walk(bundle, &trust, NULL, NULL, err);
    }
    const gs_terms terms = {.trust = trust, .allow_unsigned = !trust};
    return code == 0 ? gs_bundle_verify(&bundle, &terms, out, err) : code;
}

static int fill(const gs_run *run, const gs_permit_options *options, const gs_verified *verified, gs_arena *arena, gs_permit *out,
                gs_error *err)
{
    const gs_statement *statement = gs_verified_statement(verified);
    int64_t lasts = 0;
    if (!gs_parse_age(options->lasts ? options->lasts : "30d", &lasts)) {
        (void)gs_fail(err, GS_EUSAGE, "--expires takes a number of days or hours, and not '%s'", options->lasts);
        return gs_error_hint(err, "like 30d");
    }
    gs_permit permit = {.product = gs_arena_text(arena, statement->product),
                        .site = options->site,
                        .bundle = *gs_verified_digest(verified),
                        .epoch = statement->epoch,
                        .sequence = statement->sequence,
                        .issued_at = gs_now(run),
                        .reason = options->reason};
    permit.expires = permit.issued_at + lasts;
    if (!permit.product) {
        return gs_fail_nomem(err);
    }
    int code = parse_place(options->below, &permit.below_epoch, &permit.below_sequence, err);
    if (code == 0) {
        *out = permit;
    }
    return code;
}

/* ---- signatures ---- */

static int encode(const gs_buf *permit, gs_buf *out, gs_error *err)
{
    gs_document document;
    int code = gs_document_parse(permit->data, permit->len, &document, err);
    return code == 0 ? gs_document_encoding(GS_DOCUMENT_PERMIT, document.data + document.body_offset, document.body_len, out, err)
                     : code;
}

static int sign(gs_buf *permit, const gs_signer *signer, gs_digest *key_id, gs_error *err)
{
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    GS_AUTO_BUF gs_buf encoding;
    GS_AUTO_BUF gs_buf signature;
    gs_buf_init(&encoding, GS_PERMIT_FILE_BYTES);
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    int code = encode(permit, &encoding, err);
    if (code == 0) {
        code = gs_signer_sign(signer, &encoding, &key, &signature, err);
    }
    if (code == 0) {
        code = gs_document_sign(permit, key, signature.data, signature.len, err);
    }
    if (code == 0) {
        *key_id = *gs_public_key_id(key);
    }
    return code;
}

/* ---- the use cases ---- */

int gs_permit_make(const gs_run *run, const gs_permit_options *options, gs_arena *arena, gs_permit *out, gs_error *err)
{
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    GS_AUTO_BUF gs_buf body;
    GS_AUTO_BUF gs_buf document;
    gs_permit permit;
    gs_buf_init(&body, GS_MAX_DOCUMENT_BYTES);
    gs_buf_init(&document, GS_PERMIT_FILE_BYTES);
    int code = open_bundle(options, &verified, err);
    if (code == 0) {
        code = fill(run, options, verified, arena, &permit, err);
    }
    if (code == 0) {
        code = gs_permit_body(&permit, &body, err);
    }
    if (code == 0) {
        code = gs_document_write(GS_DOCUMENT_PERMIT, body.data, body.len, &document, err);
    }
    for (size_t i = 0; code == 0 && i < options->key_count; i++) {
        gs_digest ignored;
        code = sign(&document, &(gs_signer){.key = options->keys[i], .passphrase = options->passphrase}, &ignored, err);
    }
    if (code == 0) {
        code = gs_fs_write_new(options->output, &document, err);
    }
    if (code == 0) {
        *out = permit;
    }
    return code;
}

int gs_permit_sign(const char *path, const gs_signer *signer, gs_digest *key_id, gs_error *err)
{
    GS_AUTO_FD int lock = -1;
    uint64_t size = 0;
    GS_AUTO_BUF gs_buf permit;
    gs_document document;
    gs_buf_init(&permit, GS_PERMIT_FILE_BYTES);
    int code = gs_fs_open_locked(path, false, &lock, &size, err);
    if (code == 0) {
        code = gs_permit_read(path, &permit, &document, err);
    }
    if (code == 0) {
        code = sign(&permit, signer, key_id, err);
    }
    return code == 0 ? gs_fs_write_file(AT_FDCWD, path, permit.data, permit.len, 0644, err) : code;
}

int gs_permit_emit(const char *path, const char *output, gs_tbs *out, gs_error *err)
{
    GS_AUTO_BUF gs_buf permit;
    GS_AUTO_BUF gs_buf encoding;
    gs_document document;
    gs_buf_init(&encoding, GS_PERMIT_FILE_BYTES);
    int code = gs_permit_read(path, &permit, &document, err);
    if (code == 0) {
        code = encode(&permit, &encoding, err);
    }
    return code == 0 ? gs_tbs_write(&encoding, output, false, out, err) : code;
}
