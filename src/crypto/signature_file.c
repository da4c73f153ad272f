/* Reads signatures as openssl, pkcs11-tool, cloud services and minisign write them: the bytes alone, the same in base64, and for elliptic
 * curves r and s without DER. Knows nothing of what was signed, so it cannot tell which form is meant: who verifies tries each. */
#include "gapship/signature.h"

#include <fcntl.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"

void gs_signature_file_done(gs_signature_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        gs_buf_done(&file->forms[i]);
    }
    file->count = 0;
}

static gs_buf *add_form(gs_signature_file *file)
{
    gs_buf *form = &file->forms[file->count++];
    gs_buf_init(form, GS_MAX_KEY_FILE_BYTES);
    return form;
}

/* An INTEGER of DER, from an unsigned number of fixed width. */
static void add_integer(gs_buf *out, const unsigned char *bytes, size_t len)
{
    while (len > 1 && *bytes == 0) {
        bytes++;
        len--;
    }
    const size_t sign = *bytes & 0x80 ? 1 : 0;
    const unsigned char head[] = {0x02, (unsigned char)(len + sign)};
    gs_buf_add(out, head, sizeof head);
    gs_buf_add_zeros(out, sign);
    gs_buf_add(out, bytes, len);
}

/* Tokens give r and s side by side, OpenSSL and FORMAT.md have a SEQUENCE of them. */
static int add_der(gs_signature_file *file, const gs_buf *raw, size_t width, gs_error *err)
{
    if (raw->len != 2 * width) {
        return 0;
    }
    GS_AUTO_BUF gs_buf numbers;
    gs_buf_init(&numbers, GS_MAX_SIGNATURE_BYTES);
    add_integer(&numbers, (const unsigned char *)raw->data, width);
    add_integer(&numbers, (const unsigned char *)raw->data + width, width);
    gs_buf *form = add_form(file);
    const unsigned char head[] = {0x30, (unsigned char)numbers.len}; /* less than 128 for the widest curve */
    gs_buf_add(form, head, sizeof head);
    gs_buf_add(form, numbers.data, numbers.len);
    return gs_buf_check(form, err);
}

static int add_decoded(gs_signature_file *file, gs_error *err)
{
    const gs_buf *raw = &file->forms[0];
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_KEY_FILE_BYTES);
    for (size_t i = 0; i < raw->len; i++) {
        if (!strchr(" \t\r\n", raw->data[i]) || raw->data[i] == '\0') {
            gs_buf_add(&text, &raw->data[i], 1);
        }
    }
    int code = gs_buf_check(&text, err);
    if (code < 0 || text.len == 0 || strlen(gs_buf_text(&text)) != text.len) {
        return code;
    }
    gs_buf *form = add_form(file);
    if (gs_base64_decode(gs_buf_text(&text), form, NULL) < 0) {
        gs_buf_done(form);
        file->count--;
    }
    return 0;
}

/* A sentence for what people hand in by mistake; NULL when nothing is plainly wrong. */
static const char *find_mistake(const gs_buf *raw, gs_key_type type)
{
    static const unsigned char cms[] = {0x2a, 0x86, 0x48, 0x86,
                                        0xf7, 0x0d, 0x01}; /* how all of its types begin: 1.2.840.113549.1 */
    if (raw->len == 0) {
        return "the file is empty";
    }
    const bool minisign = gs_text_starts(raw->data, "untrusted comment:");
    if (raw->data[0] == 0x30 && raw->len >= 16 && memmem(raw->data, 16, cms, sizeof cms)) {
        return "this is CMS (PKCS #7), which gapship does not read: it takes the signature alone";
    }
    if (gs_text_starts(raw->data, "-----BEGIN ")) {
        return "this is PEM of another kind of signature, or a key: gapship takes the signature alone";
    }
    if (minisign && type != GS_KEY_MINISIGN) {
        return "this is a signature of minisign, but the key is not minisign's";
    }
    return !minisign && type == GS_KEY_MINISIGN ? "the key is minisign's, but this is no signature of minisign" : NULL;
}

int gs_signature_file_read(const char *path, gs_key_type type, gs_signature_file *out, gs_error *err)
{
    GS_AUTO_SIGNATURE_FILE gs_signature_file file = {0};
    gs_buf *raw = add_form(&file);
    int code = gs_fs_read_file(AT_FDCWD, path, raw, err);
    if (code < 0) {
        return code;
    }
    (void)gs_buf_text(raw);
    const char *mistake = find_mistake(raw, type);
    if (mistake) {
        gs_fail(err, GS_ESPEC, "%s", mistake);
        return gs_error_at(err, "%s", path);
    }
    if (type != GS_KEY_MINISIGN) {
        code = add_decoded(&file, err);
    }
    if (type == GS_KEY_ECDSA_P256 || type == GS_KEY_ECDSA_P384) {
        const size_t plain = file.count;
        for (size_t i = 0; code == 0 && i < plain; i++) {
            code = add_der(&file, &file.forms[i], type == GS_KEY_ECDSA_P256 ? 32 : 48, err);
        }
    }
    if (code == 0) {
        *out = file;
        file.count = 0;
    }
    return code;
}

int gs_signature_file_fit(const gs_signature_file *file, const gs_public_key *key, const gs_buf *data, const gs_buf **out,
                          gs_error *err)
{
    int code = GS_ESIGNATURE;
    for (size_t i = 0; code == GS_ESIGNATURE && i < file->count; i++) {
        const gs_buf *form = &file->forms[i];
        code = gs_signature_verify(key, data->data, data->len, form->data, form->len, err);
        if (code == 0) {
            *out = form;
        }
    }
    return code;
}
