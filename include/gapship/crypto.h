/* Digests, signatures, keys, random bytes. The only module that knows OpenSSL.
 *
 * The algorithm of a signature is fixed by the key that verifies it, never by the bundle. Keys are standard PEM files (PKCS#8
 * private, SubjectPublicKeyInfo public) of ECDSA P-256 or P-384 (with SHA-256, SHA-384), Ed25519 (RFC 8032) or RSA-PSS with at
 * least 3072 bits (SHA-256, salt of the digest's length; a plain RSA key is used so too). A key id is the SHA-256 of the
 * SubjectPublicKeyInfo DER.
 */
#ifndef GAPSHIP_CRYPTO_H
#define GAPSHIP_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/error.h"
#include "gapship/stream.h"

#define GS_DIGEST_BYTES 32
#define GS_DIGEST_HEX   (2 * GS_DIGEST_BYTES + 1) /* with NUL */
#define GS_DIGEST_TEXT  (GS_DIGEST_HEX + 7)       /* "sha256:…" with NUL */

/* A SHA-256 (FIPS 180-4). */
typedef struct gs_digest {
    unsigned char bytes[GS_DIGEST_BYTES];
} gs_digest;

bool gs_digest_equal(const gs_digest *a, const gs_digest *b);  /* constant time */
int gs_digest_compare(const gs_digest *a, const gs_digest *b); /* byte order, for sorting */
/* "sha256:" and 64 lower-case hex digits exactly. Another algorithm or form is GS_EFORMAT. */
int gs_digest_parse(const char *text, gs_digest *out, gs_error *err) GS_MUST_USE;
void gs_digest_text(const gs_digest *digest, char out[GS_DIGEST_TEXT]);
void gs_digest_hex(const gs_digest *digest, char out[GS_DIGEST_HEX]);

typedef struct gs_hash gs_hash;
int gs_hash_new(gs_hash **out, gs_error *err) GS_MUST_USE;
int gs_hash_add(gs_hash *hash, const void *data, size_t len, gs_error *err) GS_MUST_USE;
/* The digest so far; the hash starts anew. */
int gs_hash_finish(gs_hash *hash, gs_digest *out, gs_error *err) GS_MUST_USE;
void gs_hash_free(gs_hash *hash);
void gs_hash_free_p(gs_hash **hash);
#define GS_AUTO_HASH __attribute__((cleanup(gs_hash_free_p)))
int gs_digest_of(const void *data, size_t len, gs_digest *out, gs_error *err) GS_MUST_USE;
/* Digest of [offset, offset + len) of a file. */
int gs_digest_of_file(int fd, uint64_t offset, uint64_t len, gs_digest *out, gs_error *err) GS_MUST_USE;

/* A source that must yield exactly size bytes with this digest: a wrong length is GS_EDIGEST, as soon as it shows, a wrong digest
 * at the end, a close before the end too. The bytes are handed out before the verdict; who uses them before close does so at their
 * own risk. inner is taken over, on failure too. */
int gs_source_hash(gs_source *inner, const gs_digest *expected, uint64_t size, gs_source **out, gs_error *err) GS_MUST_USE;
/* A sink that computes the digest of what passes through; *digest is set by a successful close. inner may be NULL; it is taken
 * over, on failure too. */
int gs_sink_hash(gs_sink *inner, gs_digest *digest, gs_sink **out, gs_error *err) GS_MUST_USE;

/* The set of public keys somebody trusts, and a private key. */
typedef enum gs_key_type { GS_KEY_ECDSA_P256, GS_KEY_ECDSA_P384, GS_KEY_ED25519, GS_KEY_RSA_PSS } gs_key_type;
typedef struct gs_public_key gs_public_key;
typedef struct gs_private_key gs_private_key;

/* "ecdsa-p256" and back; false for an unknown name. */
const char *gs_key_type_name(gs_key_type type);
bool gs_key_type_parse(const char *name, gs_key_type *out);

int gs_key_generate(gs_key_type type, gs_private_key **out, gs_error *err) GS_MUST_USE;
/* PEM of the pair; the private text must be wiped by the caller (gs_wipe). */
int gs_private_key_pem(const gs_private_key *key, gs_buf *out, gs_error *err) GS_MUST_USE;
int gs_public_key_pem(const gs_public_key *key, gs_buf *out, gs_error *err) GS_MUST_USE;
/* Reads a key file (at most GS_MAX_KEY_FILE_BYTES). A private key file that others can read, an encrypted one, a public key where a
 * private one is due, an unsupported type or size: GS_ESPEC with what to do. */
int gs_private_key_load(const char *path, gs_private_key **out, gs_error *err) GS_MUST_USE;
int gs_public_key_load(const char *path, gs_public_key **out, gs_error *err) GS_MUST_USE;
int gs_public_key_parse(const char *pem, size_t len, gs_public_key **out, gs_error *err) GS_MUST_USE;
/* The public half; the caller's. */
int gs_private_key_public(const gs_private_key *key, gs_public_key **out, gs_error *err) GS_MUST_USE;
/* Another handle on the same key; the caller's. */
int gs_public_key_copy(const gs_public_key *key, gs_public_key **out, gs_error *err) GS_MUST_USE;
gs_key_type gs_public_key_type(const gs_public_key *key);
const gs_digest *gs_public_key_id(const gs_public_key *key);
/* Whether both are one key, even where its two files write it differently (RSA has two ways). A threshold counts keys. */
bool gs_public_key_same(const gs_public_key *a, const gs_public_key *b);
void gs_private_key_free(gs_private_key *key);
void gs_public_key_free(gs_public_key *key);
void gs_private_key_free_p(gs_private_key **key);
void gs_public_key_free_p(gs_public_key **key);
#define GS_AUTO_PRIVATE_KEY __attribute__((cleanup(gs_private_key_free_p)))
#define GS_AUTO_PUBLIC_KEY  __attribute__((cleanup(gs_public_key_free_p)))

/* Signs data (the pre-authentication encoding, at most GS_MAX_STATEMENT_BYTES and some). ECDSA: DER (SEQUENCE of r and s). */
int gs_sign(const gs_private_key *key, const void *data, size_t len, gs_buf *signature, gs_error *err) GS_MUST_USE;
/* 0 when it verifies, GS_ESIGNATURE when not, another code when that could not be found out. */
int gs_signature_verify(const gs_public_key *key, const void *data, size_t len, const void *signature, size_t signature_len,
                        gs_error *err) GS_MUST_USE;

int gs_random(void *out, size_t len, gs_error *err) GS_MUST_USE;
/* Clears memory that held a secret, so that no optimiser drops it. */
void gs_wipe(void *data, size_t len);
/* "OpenSSL 3.0.19 …" for --version. */
const char *gs_crypto_version(void);

/* Base64 (RFC 4648 section 4, padded). Decoding is strict. */
int gs_base64_encode(const void *data, size_t len, gs_buf *out, gs_error *err) GS_MUST_USE;
int gs_base64_decode(const char *text, gs_buf *out, gs_error *err) GS_MUST_USE;

#endif
