/* Verbs of either side: keys. */
#include <fcntl.h>

#include "gapship/crypto.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "passphrase.h"
#include "terminal.h"
#include "verbs.h"

static int print_key(gs_invocation *invocation, const gs_public_key *key, const char *file, gs_error *err)
{
    char id[GS_DIGEST_HEX], number[GS_KEY_NUMBER_TEXT];
    const char *type = gs_key_type_name(gs_public_key_type(key));
    bool numbered = gs_public_key_number(key, number);
    gs_digest_hex(gs_public_key_id(key), id);
    gs_print(invocation->terminal, "%s  %s  %s\n", type, id, file);
    if (numbered) {
        gs_print(invocation->terminal, "minisign key %s\n", number);
    }
    gs_arena *arena = invocation->arena;
    gs_node *result = gs_node_new_map(arena);
    result = gs_node_set_text(arena, result, "type", type);
    result = gs_node_set_text(arena, result, "keyId", id);
    result = numbered ? gs_node_set_text(arena, result, "keyNumber", number) : result;
    return gs_print_result(invocation->terminal, gs_node_set_text(arena, result, "file", file), err);
}

/* The private key's text: encrypted when that was asked for. pem was made by gs_secret_init. */
static int write_private(gs_invocation *invocation, const gs_private_key *key, const char *file, gs_buf *pem, gs_error *err)
{
    if (!gs_flag(invocation->arguments, "passphrase") && !gs_value(invocation->arguments, "passphrase-file")) {
        return gs_private_key_pem(key, pem, err);
    }
    GS_AUTO_SECRET gs_buf passphrase;
    int code = gs_secret_init(&passphrase, GS_MAX_PASSPHRASE_BYTES, err);
    if (code == 0) {
        code = gs_passphrase_choose(invocation, file, &passphrase, err);
    }
    return code < 0 ? code : gs_private_key_pem_encrypted(key, &passphrase, pem, err);
}

/* The private half first: a public key without its private one is of no use. Neither file is ever replaced. */
static int write_pair(gs_invocation *invocation, const gs_private_key *key, const gs_public_key *public_key,
                      const char *private_file, const char *public_file, gs_error *err)
{
    if (gs_fs_exists(AT_FDCWD, private_file) || gs_fs_exists(AT_FDCWD, public_file)) {
        gs_fail(err, GS_EEXISTS, "%s or %s exists already", private_file, public_file);
        return gs_error_hint(err, "choose another name; a key that signed something must not get lost");
    }
    GS_AUTO_SECRET gs_buf pem;
    int code = gs_secret_init(&pem, GS_MAX_KEY_FILE_BYTES, err);
    if (code == 0) {
        code = write_private(invocation, key, private_file, &pem, err);
    }
    if (code == 0) {
        code = gs_fs_write_file(AT_FDCWD, private_file, pem.data, pem.len, 0600, err);
    }
    gs_buf_clear(&pem);
    if (code == 0) {
        code = gs_public_key_pem(public_key, &pem, err);
    }
    if (code == 0) {
        code = gs_fs_write_file(AT_FDCWD, public_file, pem.data, pem.len, 0644, err);
    }
    return code;
}

int gs_verb_key_new(gs_invocation *invocation, gs_error *err)
{
    const char *name = gs_positional(invocation->arguments, 0);
    const char *type_name = gs_value(invocation->arguments, "type");
    gs_key_type type = GS_KEY_ECDSA_P256;
    if (type_name && !gs_key_type_parse(type_name, &type)) {
        return gs_fail(err, GS_EUSAGE, "\"%s\" is no key type: ecdsa-p256, ecdsa-p384, ed25519 or rsa-pss", type_name);
    }
    const char *private_file = gs_arena_printf(invocation->arena, "%s.key", name);
    const char *public_file = gs_arena_printf(invocation->arena, "%s.pub", name);
    gs_private_key *key = NULL;
    gs_public_key *public_key = NULL;
    int code = private_file && public_file ? gs_key_generate(type, &key, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_private_key_public(key, &public_key, err);
    }
    if (code == 0) {
        code = write_pair(invocation, key, public_key, private_file, public_file, err);
    }
    if (code == 0) {
        code = print_key(invocation, public_key, public_file, err);
    }
    gs_public_key_free(public_key);
    gs_private_key_free(key);
    return code;
}

int gs_verb_key_show(gs_invocation *invocation, gs_error *err)
{
    const char *file = gs_positional(invocation->arguments, 0);
    gs_public_key *key = NULL;
    int code = gs_public_key_load(file, &key, err);
    if (code == 0) {
        code = print_key(invocation, key, file, err);
    }
    gs_public_key_free(key);
    return code;
}
