/* minisign's public keys and signatures, read strictly: exact lines, exact lengths, strict base64. Of its two algorithms only the one
 * that hashes first, "ED", counts. Knows nothing of secret keys: minisign signs, gapship verifies. */
#include "minisign.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>

#include "base64.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"

#define UNTRUSTED   "untrusted comment: "
#define TRUSTED     "trusted comment: "
#define ALGORITHM   2
#define KEY_BYTES   (ALGORITHM + GS_MINISIGN_NUMBER + GS_ED25519_POINT)
#define PLAIN_BYTES 64 /* an Ed25519 signature */
#define ENTRY_BYTES (ALGORITHM + GS_MINISIGN_NUMBER + PLAIN_BYTES)

/* A .minisig file taken apart; the pointers are into it. */
typedef struct minisig {
    unsigned char entry[ENTRY_BYTES]; /* algorithm, key number, signature */
    unsigned char global[PLAIN_BYTES];
    gs_span comment; /* the trusted one, without its prefix */
} minisig;

/* Takes text apart into exactly count lines; each ends with one line feed, which the last may lack. */
static bool split_lines(gs_span text, gs_span *lines, size_t count)
{
    const char *rest = text.data;
    const char *end = rest + text.len;
    for (size_t i = 0; i < count; i++) {
        const char *feed = rest < end ? memchr(rest, '\n', (size_t)(end - rest)) : NULL;
        if (!feed && i + 1 < count) {
            return false;
        }
        lines[i] = (gs_span){rest, (size_t)((feed ? feed : end) - rest)};
        rest = feed ? feed + 1 : end;
    }
    return rest == end;
}

/* A line with this prefix and without control characters but the tabs that minisign itself writes. */
static bool is_comment(gs_span line, const char *prefix)
{
    const unsigned char *bytes = line.data;
    size_t prefix_len = strlen(prefix);
    if (line.len < prefix_len || memcmp(bytes, prefix, prefix_len) != 0) {
        return false;
    }
    for (size_t i = 0; i < line.len; i++) {
        if ((bytes[i] < 0x20 && bytes[i] != '\t') || bytes[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static void number_text(const unsigned char number[GS_MINISIGN_NUMBER], char out[GS_KEY_NUMBER_TEXT])
{
    (void)snprintf(out, GS_KEY_NUMBER_TEXT, "%" PRIX64, gs_load_u64(number));
}

bool gs_minisign_is_text(const char *text)
{
    return gs_text_starts(text, "untrusted comment:") || gs_text_starts(text, "RW") || gs_text_starts(text, "RU");
}

/* Its own line of base64, whichever file it is. */
static gs_span find_base64(const char *text, size_t len)
{
    const char *feed = gs_text_starts(text, UNTRUSTED) ? memchr(text, '\n', len) : NULL;
    const char *line = feed ? feed + 1 : text;
    return (gs_span){line, strcspn(line, "\n")};
}

const char *gs_minisign_what(const char *text, size_t len)
{
    gs_span line = find_base64(text, len);
    if (line.len == GS_BASE64_LENGTH(KEY_BYTES)) {
        return "a minisign public key";
    }
    if (line.len == GS_BASE64_LENGTH(ENTRY_BYTES)) {
        return "a minisign signature";
    }
    /* "Ed", how its passphrase is stretched, "B2". */
    return gs_text_starts(line.data, "RWRTY0Iy") || gs_text_starts(line.data, "RWQAAEIy") ? "a minisign secret key"
                                                                                          : "something else of minisign";
}

int gs_minisign_parse_key(const char *text, size_t len, gs_minisign_key *out, gs_error *err)
{
    gs_span lines[2] = {{text, len}};
    unsigned char bytes[KEY_BYTES];
    bool commented = gs_text_starts(text, UNTRUSTED);
    bool read = split_lines((gs_span){text, len}, lines, commented ? 2 : 1) && (!commented || is_comment(lines[0], UNTRUSTED));
    const gs_span *line = &lines[commented ? 1 : 0];
    if (!read || !gs_base64_decode_exactly(line->data, line->len, bytes, sizeof bytes) || memcmp(bytes, "Ed", ALGORITHM) != 0) {
        (void)gs_fail(err, GS_ESPEC, "a public key was expected, but this is %s", gs_minisign_what(text, len));
        (void)gs_error_hint(err, "give minisign's .pub file as it was written: a line \"" UNTRUSTED "…\" and one of base64");
        return GS_ESPEC;
    }
    memcpy(out->number, bytes + ALGORITHM, sizeof out->number);
    memcpy(out->point, bytes + ALGORITHM + GS_MINISIGN_NUMBER, sizeof out->point);
    return 0;
}

int gs_minisign_write_key(const gs_minisign_key *key, gs_buf *out, gs_error *err)
{
    unsigned char bytes[KEY_BYTES] = {'E', 'd'};
    memcpy(bytes + ALGORITHM, key->number, sizeof key->number);
    memcpy(bytes + ALGORITHM + GS_MINISIGN_NUMBER, key->point, sizeof key->point);
    int code = gs_base64_encode(bytes, sizeof bytes, out, err);
    gs_buf_add(out, "\n", 1);
    return code == 0 ? gs_buf_check(out, err) : code;
}

bool gs_public_key_number(const gs_public_key *key, char out[GS_KEY_NUMBER_TEXT])
{
    if (key->type != GS_KEY_MINISIGN) {
        return false;
    }
    number_text(key->number, out);
    return true;
}

static int parse_signature(gs_span text, minisig *out, gs_error *err)
{
    gs_span lines[4];
    if (text.len > GS_MAX_SIGNATURE_BYTES || !split_lines(text, lines, 4)) {
        return gs_fail(err, GS_ESIGNATURE, "a minisign signature has four lines and at most %u bytes", GS_MAX_SIGNATURE_BYTES);
    }
    if (!is_comment(lines[0], UNTRUSTED) || !is_comment(lines[2], TRUSTED)) {
        return gs_fail(err, GS_ESIGNATURE, "line %d of the minisign signature is not \"%s…\", or has control characters",
                       is_comment(lines[0], UNTRUSTED) ? 3 : 1, is_comment(lines[0], UNTRUSTED) ? TRUSTED : UNTRUSTED);
    }
    if (!gs_base64_decode_exactly(lines[1].data, lines[1].len, out->entry, sizeof out->entry)) {
        return gs_fail(err, GS_ESIGNATURE, "line 2 of the minisign signature is not %d bytes in base64", ENTRY_BYTES);
    }
    if (!gs_base64_decode_exactly(lines[3].data, lines[3].len, out->global, sizeof out->global)) {
        return gs_fail(err, GS_ESIGNATURE, "line 4 of the minisign signature is not %d bytes in base64", PLAIN_BYTES);
    }
    size_t prefix_len = strlen(TRUSTED);
    out->comment = (gs_span){(const char *)lines[2].data + prefix_len, lines[2].len - prefix_len};
    return 0;
}

/* That it is of this key and of the algorithm that hashes first. */
static int check_origin(const gs_public_key *key, const minisig *signature, gs_error *err)
{
    if (memcmp(signature->entry, "Ed", ALGORITHM) == 0) {
        (void)gs_fail(err, GS_ESIGNATURE, "the minisign signature is of the legacy kind, which does not hash first");
        (void)gs_error_hint(err, "sign with: minisign -S -H -m statement.pae");
        return GS_ESIGNATURE;
    }
    if (memcmp(signature->entry, "ED", ALGORITHM) != 0) {
        return gs_fail(err, GS_ESIGNATURE, "the minisign signature has an algorithm that minisign does not have");
    }
    const unsigned char *number = signature->entry + ALGORITHM;
    if (memcmp(number, key->number, GS_MINISIGN_NUMBER) != 0) {
        char wanted[GS_KEY_NUMBER_TEXT], found[GS_KEY_NUMBER_TEXT];
        number_text(key->number, wanted);
        number_text(number, found);
        return gs_fail(err, GS_ESIGNATURE, "the minisign signature is by key %s, not by %s", found, wanted);
    }
    return 0;
}

static int check_message(const gs_public_key *key, gs_span message, const minisig *signature, gs_error *err)
{
    unsigned char hash[64];
    size_t hash_len = 0;
    if (EVP_Q_digest(NULL, "BLAKE2B-512", NULL, message.data, message.len, hash, &hash_len) != 1 || hash_len != sizeof hash) {
        return gs_openssl_fail(err, GS_EINTERNAL, "cannot compute BLAKE2b-512");
    }
    gs_span plain = {signature->entry + ALGORITHM + GS_MINISIGN_NUMBER, PLAIN_BYTES};
    return gs_plain_verify(key->handle, GS_KEY_ED25519, (gs_span){hash, sizeof hash}, plain, err);
}

/* The global signature: over the signature and the trusted comment. */
static int check_comment(const gs_public_key *key, const minisig *signature, gs_error *err)
{
    unsigned char covered[PLAIN_BYTES + GS_MAX_SIGNATURE_BYTES];
    memcpy(covered, signature->entry + ALGORITHM + GS_MINISIGN_NUMBER, PLAIN_BYTES);
    memcpy(covered + PLAIN_BYTES, signature->comment.data, signature->comment.len);
    gs_span message = {covered, PLAIN_BYTES + signature->comment.len};
    int code = gs_plain_verify(key->handle, GS_KEY_ED25519, message, (gs_span){signature->global, PLAIN_BYTES}, err);
    return code == GS_ESIGNATURE ? gs_fail(err, code, "the trusted comment is not the one that was signed") : code;
}

int gs_minisign_verify(const gs_public_key *key, gs_span message, gs_span signature, gs_error *err)
{
    minisig parsed;
    int code = parse_signature(signature, &parsed, err);
    code = code == 0 ? check_origin(key, &parsed, err) : code;
    code = code == 0 ? check_message(key, message, &parsed, err) : code;
    return code == 0 ? check_comment(key, &parsed, err) : code;
}
