/* Digests, signatures, keys, random bytes. The only module that knows OpenSSL.
 *
 * The algorithm of a signature is fixed by the key that verifies it, never by the bundle. Keys are standard PEM files (PKCS#8
 * private, SubjectPublicKeyInfo public) of ECDSA P-256 or P-384 (with SHA-256, SHA-384), Ed25519 (RFC 8032) or RSA-PSS with at
 * least 3072 bits (SHA-256, salt of the digest's length; a plain RSA key is used so too). Public keys of minisign verify what
 * minisign made (Ed25519 over BLAKE2b-512). A key id is the SHA-256 of the SubjectPublicKeyInfo DER.
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
typedef enum gs_key_type { GS_KEY_ECDSA_P256, GS_KEY_ECDSA_P384, GS_KEY_ED25519, GS_KEY_RSA_PSS, GS_KEY_MINISIGN } gs_key_type;
typedef struct gs_public_key gs_public_key;
typedef struct gs_private_key gs_private_key;

/* "ecdsa-p256" and back; false for an unknown name. */
const char *gs_key_type_name(gs_key_type type);
bool gs_key_type_parse(const char *name, gs_key_type *out);

/* How a signature is stored and verified (FORMAT.md section 3), which follows from the key's type alone. */
#define GS_SCHEME_KEY      1u /* by the key's own algorithm */
#define GS_SCHEME_MINISIGN 2u /* the bytes of a .minisig file */

/* Where the secret that opens a key comes from: a passphrase, or the PIN of a token. */
typedef struct gs_passphrase {
    /* what names the key ("release.key"). Appends the secret to out, which has room for GS_MAX_PASSPHRASE_BYTES, is never moved and is
     * wiped by the caller. */
    int (*ask)(void *state, const char *what, gs_buf *out, gs_error *err);
    void *state;
} gs_passphrase;
/* Makes out ready for a secret of at most max bytes: all of its memory is there, so that growing leaves no copy behind. */
int gs_secret_init(gs_buf *out, size_t max, gs_error *err) GS_MUST_USE;
/* gs_buf_done with the memory wiped before. */
void gs_secret_done(gs_buf *secret);
#define GS_AUTO_SECRET __attribute__((cleanup(gs_secret_done)))

/* GS_EUSAGE for minisign, whose keys minisign makes. */
int gs_key_generate(gs_key_type type, gs_private_key **out, gs_error *err) GS_MUST_USE;
/* PKCS#8; the text must be wiped by the caller (gs_secret_done). */
int gs_private_key_pem(const gs_private_key *key, gs_buf *out, gs_error *err) GS_MUST_USE;
/* PKCS#8, encrypted (PBES2: scrypt, AES-256-CBC). GS_ESPEC: the passphrase is empty, too long or has a NUL. */
int gs_private_key_pem_encrypted(const gs_private_key *key, const gs_buf *passphrase, gs_buf *out, gs_error *err) GS_MUST_USE;
/* SubjectPublicKeyInfo in PEM; GS_EUSAGE for minisign's keys. */
int gs_public_key_pem(const gs_public_key *key, gs_buf *out, gs_error *err) GS_MUST_USE;
/* What gs_public_key_parse reads, in its one canonical form: PEM, or minisign's base64 line with a line feed. */
int gs_public_key_text(const gs_public_key *key, gs_buf *out, gs_error *err) GS_MUST_USE;
/* Reads a key file (at most GS_MAX_KEY_FILE_BYTES). passphrase (NULL: none) is asked when it is encrypted. On the build side name may
 * also be a URI of OpenSSL's stores ("pkcs11:…"), or engine:ENGINE:KEY, unless there is a file of this name; such a key may ask again
 * when it signs, so passphrase and its state must outlive it. A private key file that others can read, a passphrase that does not fit, a
 * public key where a private one is due, an unsupported type or size: GS_ESPEC with what to do. */
int gs_private_key_load(const char *name, const gs_passphrase *passphrase, gs_private_key **out, gs_error *err) GS_MUST_USE;
/* PEM; or minisign's text: an untrusted comment and the key in base64, or that line alone. */
int gs_public_key_load(const char *path, gs_public_key **out, gs_error *err) GS_MUST_USE;
int gs_public_key_parse(const char *text, size_t len, gs_public_key **out, gs_error *err) GS_MUST_USE;
/* The public half; the caller's. */
int gs_private_key_public(const gs_private_key *key, gs_public_key **out, gs_error *err) GS_MUST_USE;
/* Another handle on the same key; the caller's. */
int gs_public_key_copy(const gs_public_key *key, gs_public_key **out, gs_error *err) GS_MUST_USE;
gs_key_type gs_public_key_type(const gs_public_key *key);
/* GS_SCHEME_KEY or GS_SCHEME_MINISIGN. */
unsigned gs_public_key_scheme(const gs_public_key *key);
const gs_digest *gs_public_key_id(const gs_public_key *key);
#define GS_KEY_NUMBER_TEXT 17
/* The number by which minisign calls its key, in hexadecimal as minisign writes it; false when the key is not minisign's. */
bool gs_public_key_number(const gs_public_key *key, char out[GS_KEY_NUMBER_TEXT]);
/* Whether both are one key, even where its two files write it differently: RSA has two ways, and an Ed25519 key of minisign may stand
 * in PEM as well. A threshold counts keys. */
bool gs_public_key_same(const gs_public_key *a, const gs_public_key *b);
void gs_private_key_free(gs_private_key *key);
void gs_public_key_free(gs_public_key *key);
void gs_private_key_free_p(gs_private_key **key);
void gs_public_key_free_p(gs_public_key **key);
#define GS_AUTO_PRIVATE_KEY __attribute__((cleanup(gs_private_key_free_p)))
#define GS_AUTO_PUBLIC_KEY  __attribute__((cleanup(gs_public_key_free_p)))

/* Signs data (the pre-authentication encoding, at most GS_MAX_STATEMENT_BYTES and some). ECDSA: DER (SEQUENCE of r and s). */
int gs_sign(const gs_private_key *key, const void *data, size_t len, gs_buf *signature, gs_error *err) GS_MUST_USE;
/* 0 when it verifies, GS_ESIGNATURE when not, another code when that could not be found out. For a key of minisign the signature is a
 * whole .minisig file: prehashed, by a key of this number, with its trusted comment signed. */
int gs_signature_verify(const gs_public_key *key, const void *data, size_t len, const void *signature, size_t signature_len,
                        gs_error *err) GS_MUST_USE;

/* How a signature was made that does not verify, for telling whoever made it: "SHA-512", as in "was made with SHA-512"; NULL when in no
 * way that is known. Proves nothing: a signature is one by gs_signature_verify alone. Of the build side. */
const char *gs_signature_guess(const gs_public_key *key, const void *data, size_t len, const void *signature, size_t signature_len);

/* The first thing that a program does: a site's program takes no configuration of OpenSSL, and so loads none of the modules that it
 * names. The build side does, for keys in tokens. */
void gs_crypto_start(void);
int gs_random(void *out, size_t len, gs_error *err) GS_MUST_USE;
/* Clears memory that held a secret, so that no optimiser drops it. */
void gs_wipe(void *data, size_t len);
/* "OpenSSL 3.0.19 …" for --version. */
const char *gs_crypto_version(void);

/* Base64 (RFC 4648 section 4, padded). Decoding is strict. */
int gs_base64_encode(const void *data, size_t len, gs_buf *out, gs_error *err) GS_MUST_USE;
int gs_base64_decode(const char *text, gs_buf *out, gs_error *err) GS_MUST_USE;

#endif
