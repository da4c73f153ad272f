/* Permits in files: signed documents that count when enough keys of a root signed them. */
#include <fcntl.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/permit.h"

int gs_permit_read(const char *path, gs_buf *text, gs_document *out, gs_error *err)
{
    gs_buf_init(text, GS_PERMIT_FILE_BYTES);
    int code = gs_fs_read_file(AT_FDCWD, path, text, err);
    if (code == 0) {
        code = gs_document_parse(text->data, text->len, out, err);
    }
    if (code == 0 && (out->type != GS_DOCUMENT_PERMIT || out->size != text->len)) {
        code = gs_fail(err, GS_EFORMAT, "this is not a permit");
        (void)gs_error_hint(err, "`gapship permit` makes one");
    }
    if (code != 0 && err && err->where[0] == '\0') {
        (void)gs_error_at(err, "%s", path);
    }
    return code;
}

/* ---- believing ---- */

typedef struct counted {
    unsigned good;
    gs_signature_report reports[GS_MAX_SIGNATURES];
} counted;

static int count_role(const gs_document *document, const gs_trust *trust, gs_role role, counted *out, bool *enough, gs_error *err)
{
    const gs_trust_role *keys = gs_trust_role_of(trust, role);
    int code = gs_document_count(document, keys, out->reports, &out->good, err);
    if (code == 0) {
        *enough = out->good >= keys->threshold;
    }
    return code;
}

static const char *name_signers(const gs_document *document, const counted *who, gs_arena *arena)
{
    const char *text = NULL;
    for (size_t i = 0; i < document->count; i++) {
        char hex[GS_DIGEST_HEX];
        gs_digest_hex(&who->reports[i].key_id, hex);
        if (who->reports[i].known && who->reports[i].good) {
            text = text ? gs_arena_printf(arena, "%s, %.16s", text, hex) : gs_arena_printf(arena, "%.16s", hex);
        }
    }
    return text;
}

static int fail_threshold(const gs_trust *trust, const counted *root, const counted *release, gs_error *err)
{
    (void)gs_fail(err, GS_ESIGNATURE,
                  "the permit is signed by %u of the %u release keys that are required, and by %u of the %u root keys",
                  release->good, gs_trust_role_of(trust, GS_ROLE_RELEASE)->threshold, root->good,
                  gs_trust_role_of(trust, GS_ROLE_ROOT)->threshold);
    return gs_error_hint(err, "a missing signature is added by `gapship permit sign`");
}

int gs_permit_load(const char *path, const gs_trust *trust, gs_arena *arena, gs_permit *out, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_document document;
    counted root = {0};
    counted release = {0};
    bool by_root = false;
    bool by_release = false;
    int code = gs_permit_read(path, &text, &document, err);
    if (code != 0) {
        return code;
    }
    code = count_role(&document, trust, GS_ROLE_ROOT, &root, &by_root, err);
    if (code == 0) {
        code = count_role(&document, trust, GS_ROLE_RELEASE, &release, &by_release, err);
    }
    if (code == 0 && !by_root && !by_release) {
        code = fail_threshold(trust, &root, &release, err);
    }
    gs_permit permit;
    if (code == 0) {
        code = gs_permit_parse(document.data + document.body_offset, document.body_len, arena, &permit, err);
    }
    if (code != 0) {
        return gs_error_at(err, "%s", path);
    }
    permit.role = by_root ? GS_ROLE_ROOT : GS_ROLE_RELEASE;
    permit.signers = name_signers(&document, by_root ? &root : &release, arena);
    if (!permit.signers) {
        return gs_fail_nomem(err);
    }
    *out = permit;
    return 0;
}
