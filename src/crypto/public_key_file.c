/* Public keys as text: PEM, or what minisign writes. */
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "minisign.h"
#include "pem.h"

static int parse_minisign(const gs_buf *text, gs_public_key **out, gs_error *err)
{
    gs_minisign_key minisign;
    int code = gs_minisign_parse_key(text->data, text->len, &minisign, err);
    return code == 0 ? gs_public_key_from_minisign(&minisign, out, err) : code;
}

static int parse_pem(const gs_buf *text, gs_public_key **out, gs_error *err)
{
    EVP_PKEY *handle = NULL;
    bool encrypted = false;
    int code = gs_pem_check(text, true, &encrypted, err);
    code = code == 0 ? gs_pem_decode(text, true, &handle, err) : code;
    return code == 0 ? gs_public_key_wrap(handle, out, err) : code;
}

int gs_public_key_parse(const char *text, size_t len, gs_public_key **out, gs_error *err)
{
    GS_AUTO_BUF gs_buf copy; /* with a NUL behind it, because it is searched as a string */
    gs_buf_init(&copy, GS_MAX_KEY_FILE_BYTES);
    gs_buf_add(&copy, text, len);
    int code = gs_buf_check(&copy, err);
    if (code != 0) {
        return code;
    }
    return !strstr(copy.data, "-----BEGIN ") && gs_minisign_is_text(copy.data) ? parse_minisign(&copy, out, err)
                                                                               : parse_pem(&copy, out, err);
}

int gs_public_key_load(const char *path, gs_public_key **out, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_KEY_FILE_BYTES);
    int code = gs_fs_read_file(AT_FDCWD, path, &text, err);
    if (code != 0) {
        return code;
    }
    code = gs_public_key_parse(gs_buf_text(&text), text.len, out, err);
    if (code != 0) {
        (void)gs_error_at(err, "%s", path);
    }
    return code;
}

int gs_public_key_pem(const gs_public_key *key, gs_buf *out, gs_error *err)
{
    if (key->type == GS_KEY_MINISIGN) {
        return gs_fail(err, GS_EUSAGE, "a public key of minisign is not written as PEM");
    }
    return gs_pem_encode(key->handle, true, out, err);
}

int gs_public_key_text(const gs_public_key *key, gs_buf *out, gs_error *err)
{
    gs_minisign_key minisign;
    size_t len = sizeof minisign.point;
    if (key->type != GS_KEY_MINISIGN) {
        return gs_public_key_pem(key, out, err);
    }
    memcpy(minisign.number, key->number, sizeof minisign.number);
    if (EVP_PKEY_get_raw_public_key(key->handle, minisign.point, &len) != 1 || len != sizeof minisign.point) {
        return gs_openssl_fail(err, GS_EINTERNAL, "cannot write the key");
    }
    return gs_minisign_write_key(&minisign, out, err);
}
