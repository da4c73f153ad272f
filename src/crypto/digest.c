/* SHA-256: of memory, of parts of files, piece by piece; and digests as text. Streams are in hash_stream.c. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"
#include "openssl.h"

#define PREFIX     "sha256:"
#define PREFIX_LEN (sizeof PREFIX - 1)

struct gs_hash {
    EVP_MD_CTX *context;
};

bool gs_digest_equal(const gs_digest *a, const gs_digest *b)
{
    return CRYPTO_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

int gs_digest_compare(const gs_digest *a, const gs_digest *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

int gs_digest_parse(const char *text, gs_digest *out, gs_error *err)
{
    gs_digest parsed;
    if (!gs_text_starts(text, PREFIX) || !gs_hex_decode(text + PREFIX_LEN, parsed.bytes, sizeof parsed.bytes)) {
        return gs_fail(err, GS_EFORMAT, "not a digest of the form sha256: and 64 lower-case hex digits: \"%.150s\"", text);
    }
    *out = parsed;
    return 0;
}

void gs_digest_text(const gs_digest *digest, char out[GS_DIGEST_TEXT])
{
    memcpy(out, PREFIX, PREFIX_LEN);
    gs_digest_hex(digest, out + PREFIX_LEN);
}

void gs_digest_hex(const gs_digest *digest, char out[GS_DIGEST_HEX])
{
    gs_hex_encode(digest->bytes, sizeof digest->bytes, out);
}

int gs_hash_new(gs_hash **out, gs_error *err)
{
    int code = gs_openssl_ready(err);
    if (code != 0) {
        return code;
    }
    gs_hash *hash = calloc(1, sizeof *hash);
    if (!hash) {
        return gs_fail_nomem(err);
    }
    hash->context = EVP_MD_CTX_new();
    if (!hash->context || EVP_DigestInit_ex2(hash->context, EVP_sha256(), NULL) != 1) {
        gs_hash_free(hash);
        return gs_openssl_fail(err, GS_EINTERNAL, "cannot start a SHA-256");
    }
    *out = hash;
    return 0;
}

int gs_hash_add(gs_hash *hash, const void *data, size_t len, gs_error *err)
{
    return EVP_DigestUpdate(hash->context, data, len) == 1 ? 0 : gs_openssl_fail(err, GS_EINTERNAL, "SHA-256 failed");
}

int gs_hash_finish(gs_hash *hash, gs_digest *out, gs_error *err)
{
    gs_digest digest;
    if (EVP_DigestFinal_ex(hash->context, digest.bytes, NULL) != 1 || EVP_DigestInit_ex2(hash->context, NULL, NULL) != 1) {
        return gs_openssl_fail(err, GS_EINTERNAL, "SHA-256 failed");
    }
    *out = digest;
    return 0;
}

void gs_hash_free(gs_hash *hash)
{
    if (hash) {
        EVP_MD_CTX_free(hash->context);
        free(hash);
    }
}

void gs_hash_free_p(gs_hash **hash)
{
    gs_hash_free(*hash);
    *hash = NULL;
}

int gs_digest_of(const void *data, size_t len, gs_digest *out, gs_error *err)
{
    gs_digest digest;
    int code = gs_openssl_ready(err);
    if (code != 0) {
        return code;
    }
    if (EVP_Digest(data, len, digest.bytes, NULL, EVP_sha256(), NULL) != 1) {
        return gs_openssl_fail(err, GS_EINTERNAL, "SHA-256 failed");
    }
    *out = digest;
    return 0;
}

int gs_digest_of_file(int fd, uint64_t offset, uint64_t len, gs_digest *out, gs_error *err)
{
    GS_AUTO_HASH gs_hash *hash = NULL;
    size_t capacity = len < GS_BUFFER_BYTES ? (size_t)len : GS_BUFFER_BYTES;
    GS_AUTO_FREE unsigned char *buffer = malloc(capacity ? capacity : 1);
    if (!buffer) {
        return gs_fail_nomem(err);
    }
    int code = gs_hash_new(&hash, err);
    while (code == 0 && len > 0) {
        size_t piece = len < capacity ? (size_t)len : capacity;
        code = gs_fs_pread(fd, buffer, piece, offset, err);
        if (code == 0) {
            code = gs_hash_add(hash, buffer, piece, err);
        }
        offset += piece;
        len -= piece;
    }
    return code == 0 ? gs_hash_finish(hash, out, err) : code;
}
