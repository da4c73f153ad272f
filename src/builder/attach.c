/* `gapship attach-signature`: takes in a signature that was made where gapship was not, after proving that it verifies. When it does
 * not, finds out what was signed instead: whoever holds the key is in another room, and must be told what to do differently. */
#include <fcntl.h>

#include "gapship/build.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/signature.h"
#include "gapship/text.h"
#include "sign.h"

/* A larger bundle is not read whole for a better message. */
#define SMALL_BUNDLE_BYTES GS_MIB(64)

typedef struct attachment {
    const gs_attach_options *options;
    gs_trust *trust;    /* NULL: a key was given */
    gs_public_key *own; /* the key that was given */
    const gs_public_key *key;
    gs_signature_file file;
    gs_signable bundle;
} attachment;

static void attachment_init(attachment *it, const gs_attach_options *options)
{
    *it = (attachment){.options = options};
    gs_signable_init(&it->bundle);
}

static void attachment_done(attachment *it)
{
    gs_signable_done(&it->bundle);
    gs_signature_file_done(&it->file);
    gs_public_key_free(it->own);
    gs_trust_free(it->trust);
}

/* ---- the key ---- */

static int find_key(attachment *it, gs_error *err)
{
    const gs_attach_options *options = it->options;
    if (options->key) {
        int code = gs_public_key_load(options->key, &it->own, err);
        it->key = it->own;
        return code;
    }
    int code = gs_trust_load(options->root, &it->trust, err);
    return code < 0 ? code : gs_trust_find_key(it->trust, options->key_id, &it->key, err);
}

/* ---- why it does not verify ---- */

/* How the key is to be used, for the one who has it. */
static const char *command_for(gs_key_type type)
{
    static const char *const commands[] = {
        [GS_KEY_ECDSA_P256] = "openssl dgst -sha256 -sign KEY -out SIGNATURE TBS",
        [GS_KEY_ECDSA_P384] = "openssl dgst -sha384 -sign KEY -out SIGNATURE TBS",
        [GS_KEY_ED25519] = "openssl pkeyutl -sign -inkey KEY -rawin -in TBS -out SIGNATURE",
        [GS_KEY_RSA_PSS] =
            "openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -sign KEY -out SIGNATURE TBS",
        [GS_KEY_MINISIGN] = "minisign -Sm TBS -s KEY",
    };
    return commands[type];
}

/* Whether the signature is one by this key over these bytes, made in the right way or in another one, and says so. */
static bool explain_bytes(const attachment *it, const gs_buf *data, const char *what, gs_error *err)
{
    const gs_buf *fits = NULL;
    const char *how = NULL;
    if (gs_signature_file_fit(&it->file, it->key, data, &fits, NULL) == 0) {
        gs_fail(err, GS_ESIGNATURE, "the signature is by this key, but over %s", what);
        return true;
    }
    for (size_t i = 0; !how && i < it->file.count; i++) {
        how = gs_signature_guess(it->key, data->data, data->len, it->file.forms[i].data, it->file.forms[i].len);
    }
    if (how) {
        gs_fail(err, GS_ESIGNATURE, "the signature is by this key over %s, but was made with %s", what, how);
    }
    return how != NULL;
}

static bool explain_digest(const attachment *it, gs_error *err)
{
    gs_digest digest;
    gs_buf data;
    gs_buf_init(&data, GS_DIGEST_HEX);
    bool found = false;
    if (gs_digest_of(it->bundle.encoding.data, it->bundle.encoding.len, &digest, NULL) == 0) {
        char hex[GS_DIGEST_HEX];
        gs_digest_hex(&digest, hex);
        gs_buf_add(&data, digest.bytes, sizeof digest.bytes);
        found = explain_bytes(it, &data, "the SHA-256 of the bytes to be signed, which was then hashed once more", err);
        gs_buf_clear(&data);
        gs_buf_add_text(&data, hex);
        found = found || explain_bytes(it, &data, "the SHA-256 of the bytes to be signed, written as text", err);
    }
    gs_buf_done(&data);
    return found;
}

static bool explain_file(const attachment *it, gs_error *err)
{
    gs_buf file;
    gs_buf_init(&file, SMALL_BUNDLE_BYTES);
    bool found = gs_fs_read_file(AT_FDCWD, it->options->bundle, &file, NULL) == 0 &&
                 explain_bytes(it, &file, "the whole file of the bundle", err);
    gs_buf_done(&file);
    return found;
}

static bool explain_line_feed(const attachment *it, gs_error *err)
{
    gs_buf data;
    gs_buf_init(&data, it->bundle.encoding.len + 1);
    gs_buf_add(&data, it->bundle.encoding.data, it->bundle.encoding.len);
    gs_buf_add_text(&data, "\n");
    bool found = explain_bytes(it, &data, "the bytes to be signed with a line feed behind them", err);
    gs_buf_done(&data);
    return found;
}

static bool explain_other_key(const attachment *it, gs_error *err)
{
    for (int r = 0; it->trust && r < GS_ROLES; r++) {
        const gs_trust_role *role = gs_trust_role_of(it->trust, (gs_role)r);
        for (size_t i = 0; i < role->count; i++) {
            const gs_buf *fits = NULL;
            if (gs_signature_file_fit(&it->file, role->keys[i], &it->bundle.encoding, &fits, NULL) == 0) {
                char id[GS_DIGEST_HEX];
                gs_digest_hex(gs_public_key_id(role->keys[i]), id);
                gs_fail(err, GS_ESIGNATURE, "the signature is over this bundle, but by another key of the root: %s", id);
                return true;
            }
        }
    }
    return false;
}

/* err holds what the verification said. */
static int explain(const attachment *it, gs_error *err)
{
    char id[GS_DIGEST_HEX];
    gs_digest_hex(gs_public_key_id(it->key), id);
    bool found = explain_other_key(it, err) || explain_bytes(it, &it->bundle.encoding, "the bytes to be signed", err) ||
                 explain_bytes(it, &it->bundle.statement, "the bare statement, without what its encoding puts before it", err) ||
                 explain_digest(it, err) || explain_line_feed(it, err) || explain_file(it, err);
    if (!found && gs_public_key_type(it->key) != GS_KEY_MINISIGN) {
        gs_fail(err, GS_ESIGNATURE,
                "the signature does not fit: it is over another bundle, or not by the key %s; what is signed by mistake was tried",
                id);
    }
    (void)gs_error_hint(err, "sign what `gapship sign %s --emit-tbs TBS` writes: %s", it->options->bundle,
                        command_for(gs_public_key_type(it->key)));
    return gs_error_at(err, "%s", it->options->signature);
}

int gs_attach_signature(const gs_attach_options *options, gs_digest *key_id, gs_error *err)
{
    attachment it;
    const gs_buf *fits = NULL;
    attachment_init(&it, options);
    int code = find_key(&it, err);
    if (code == 0) {
        code = gs_signature_file_read(options->signature, gs_public_key_type(it.key), &it.file, err);
    }
    if (code == 0) {
        code = gs_signable_read(options->bundle, true, &it.bundle, err);
    }
    if (code == 0) {
        code = gs_signature_file_fit(&it.file, it.key, &it.bundle.encoding, &fits, err);
        code = code == GS_ESIGNATURE ? explain(&it, err) : code;
    }
    if (code == 0) {
        code = gs_bundle_add_signature(options->bundle, it.key, fits->data, fits->len, err);
    }
    if (code == 0) {
        *key_id = *gs_public_key_id(it.key);
    }
    attachment_done(&it);
    return code;
}
