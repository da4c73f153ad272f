/* Whether an ssh host is the one that known_hosts names. libgit2 looks only into ~/.ssh/known_hosts; a site may name another file,
 * so both are read here, by libssh2's parser. Knows no session: the key was shown already. */
#include <fcntl.h>
#include <libssh2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "internal.h"

#define MAX_KNOWN_HOSTS_BYTES GS_MIB(4)
#define FINGERPRINT_TEXT      44 /* SHA-256 in base64 without padding, and NUL */

/* As ssh-keygen -l prints it. */
static void fingerprint(const git_cert_hostkey *key, char out[FINGERPRINT_TEXT])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *hash = key->hash_sha256;
    for (size_t i = 0; i < FINGERPRINT_TEXT - 1; i++) {
        size_t bit = i * 6;
        unsigned int pair = (unsigned int)hash[bit / 8] << 8 | (bit / 8 + 1 < sizeof(key->hash_sha256) ? hash[bit / 8 + 1] : 0u);
        out[i] = digits[pair >> (10 - bit % 8) & 63];
    }
    out[FINGERPRINT_TEXT - 1] = '\0';
}

static int key_type(git_cert_ssh_raw_type_t type)
{
    switch (type) {
    case GIT_CERT_SSH_RAW_TYPE_RSA:
        return LIBSSH2_KNOWNHOST_KEY_SSHRSA;
    case GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_256:
        return LIBSSH2_KNOWNHOST_KEY_ECDSA_256;
    case GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_384:
        return LIBSSH2_KNOWNHOST_KEY_ECDSA_384;
    case GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_521:
        return LIBSSH2_KNOWNHOST_KEY_ECDSA_521;
    case GIT_CERT_SSH_RAW_TYPE_KEY_ED25519:
        return LIBSSH2_KNOWNHOST_KEY_ED25519;
    case GIT_CERT_SSH_RAW_TYPE_DSS: /* broken, so never trusted */
    case GIT_CERT_SSH_RAW_TYPE_UNKNOWN:
    default:
        return LIBSSH2_KNOWNHOST_KEY_UNKNOWN;
    }
}

/* The file's text; an absent one knows no host. */
static int read_known_hosts(const gs_git *git, gs_buf *path, gs_buf *text, gs_error *err)
{
    const char *home = getenv("HOME");
    if (git->access.known_hosts) {
        gs_buf_add_text(path, git->access.known_hosts);
    } else {
        gs_buf_printf(path, "%s/.ssh/known_hosts", home ? home : "");
    }
    int code = gs_buf_check(path, err);
    if (code == 0 && (git->access.known_hosts || gs_fs_exists(AT_FDCWD, path->data))) {
        code = gs_fs_read_file(AT_FDCWD, path->data, text, err);
    }
    return code;
}

static int add_lines(LIBSSH2_KNOWNHOSTS *hosts, const char *text, const char *path, gs_error *err)
{
    size_t number = 0;
    while (*text) {
        size_t len = strcspn(text, "\n");
        const char *after = text + len + (text[len] == '\n');
        text += strspn(text, " \t");
        number++;
        /* libssh2 would take the marker for the name of a host, and so trust a key that is revoked. */
        if (gs_text_starts(text, "@revoked")) {
            (void)gs_fail(err, GS_ESPEC, "gapship does not know @revoked in a known_hosts file");
            (void)gs_error_hint(err, "name a file of its own for gapship that lists the keys to trust");
            return gs_error_at(err, "%s:%zu", path, number);
        }
        /* With its line break: libssh2 takes one off what it is given even when the line break stands only behind that. */
        if (text[0] != '@' && libssh2_knownhost_readline(hosts, text, (size_t)(after - text), LIBSSH2_KNOWNHOST_FILE_OPENSSH) < 0) {
            (void)gs_fail(err, GS_ESPEC, "this line of a known_hosts file cannot be read");
            return gs_error_at(err, "%s:%zu", path, number);
        }
        text = after;
    }
    return 0;
}

static int refuse(const gs_git *git, const git_cert_hostkey *key, const char *path, const char *why, gs_error *err)
{
    char print[FINGERPRINT_TEXT];
    char port[16] = "";
    fingerprint(key, print);
    if (git->url.port >= 0) {
        (void)snprintf(port, sizeof(port), "-p %d ", git->url.port);
    }
    (void)gs_fail(err, GS_ENETWORK, "the ssh host is not trusted: %s; it shows SHA256:%s", why, print);
    (void)gs_error_hint(err, "compare this fingerprint with the server's own; if it is right: ssh-keyscan %s%s >> %s", port,
                        git->url.host, path);
    return gs_error_at(err, "%s", git->url.host);
}

static int judge(const gs_git *git, LIBSSH2_KNOWNHOSTS *hosts, const git_cert_hostkey *key, const char *path, gs_error *err)
{
    const int plain = LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW;
    struct libssh2_knownhost *found;
    int verdict = libssh2_knownhost_checkp(hosts, git->url.host, git->url.port, key->hostkey, key->hostkey_len,
                                           plain | key_type(key->raw_type), &found);
    if (verdict == LIBSSH2_KNOWNHOST_CHECK_MATCH) {
        return 0;
    }
    if (verdict == LIBSSH2_KNOWNHOST_CHECK_MISMATCH) {
        return refuse(git, key, path, "its key is not the one in known_hosts (a new server, or somebody in between)", err);
    }
    /* Without a type: is the host known by a key of another kind? */
    verdict = libssh2_knownhost_checkp(hosts, git->url.host, git->url.port, key->hostkey, key->hostkey_len, plain, &found);
    return refuse(git, key, path,
                  verdict == LIBSSH2_KNOWNHOST_CHECK_MISMATCH ? "known_hosts has only keys of other types for it"
                                                              : "known_hosts has no key for it",
                  err);
}

int gs_git_hostkey_check(const gs_git *git, const git_cert_hostkey *key, gs_error *err)
{
    if (!(key->type & GIT_CERT_SSH_RAW) || !(key->type & GIT_CERT_SSH_SHA256)) {
        (void)gs_fail(err, GS_ENETWORK, "the ssh host shows no key that can be checked");
        return gs_error_at(err, "%s", git->url.host);
    }
    gs_buf path;
    gs_buf text;
    gs_buf_init(&path, GS_MAX_ENTRY_NAME_BYTES);
    gs_buf_init(&text, MAX_KNOWN_HOSTS_BYTES);
    LIBSSH2_SESSION *session = libssh2_session_init();
    LIBSSH2_KNOWNHOSTS *hosts = session ? libssh2_knownhost_init(session) : NULL;
    int code = hosts ? read_known_hosts(git, &path, &text, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = add_lines(hosts, gs_buf_text(&text), path.data, err);
    }
    if (code == 0) {
        code = judge(git, hosts, key, path.data, err);
    }
    if (hosts) {
        libssh2_knownhost_free(hosts);
    }
    if (session) {
        (void)libssh2_session_free(session);
    }
    gs_buf_done(&text);
    gs_buf_done(&path);
    return code;
}
