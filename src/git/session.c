/* One exchange with the remote: connecting, credentials, what libgit2 calls back with, and the error at its end. Knows neither what
 * is fetched nor what is pushed. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "internal.h"

#define MAX_PASSWORD_BYTES 4096u

/* The first line of the file, for gs_buf_done after it was wiped. */
static int read_password(const char *path, gs_buf *out, gs_error *err)
{
    int code = gs_fs_read_secret(AT_FDCWD, path, out, err);
    if (code != 0) {
        return code;
    }
    out->data[strcspn(gs_buf_text(out), "\r\n")] = '\0';
    if (out->data[0] == '\0') {
        (void)gs_fail(err, GS_ESPEC, "this file should hold a password, and its first line is empty");
        return gs_error_at(err, "%s", path);
    }
    return 0;
}

static int give_password(gs_git_session *session, git_credential **out)
{
    const gs_git_access *access = &session->git->access;
    if (!access->user || !access->password_file) {
        (void)gs_fail(session->err, GS_EAUTH, "the server asks for a user and a password, and none are configured for it");
        (void)gs_error_hint(session->err, "name the user and a file with the password in the configuration of this repository");
        return gs_error_at(session->err, "%s", session->git->url.host);
    }
    gs_buf password;
    gs_buf_init(&password, MAX_PASSWORD_BYTES);
    int code = read_password(access->password_file, &password, session->err);
    if (code == 0 && git_credential_userpass_plaintext_new(out, access->user, password.data) < 0) {
        code = gs_fail_nomem(session->err);
    }
    if (password.data) {
        explicit_bzero(password.data, password.cap);
    }
    gs_buf_done(&password);
    return code;
}

static int give_key(gs_git_session *session, git_credential **out)
{
    const gs_git_access *access = &session->git->access;
    int status;
    if (access->key_file) {
        GS_AUTO_FD int fd = -1;
        uint64_t size;
        int code = gs_fs_open_read(AT_FDCWD, access->key_file, false, &fd, &size, session->err);
        if (code != 0) {
            return code;
        }
        if (gs_fs_check_secret(fd, session->err) != 0) {
            return gs_error_at(session->err, "%s", access->key_file);
        }
        status = git_credential_ssh_key_new(out, access->user, NULL, access->key_file, NULL);
    } else {
        status = git_credential_ssh_key_from_agent(out, access->user);
    }
    return status == 0 ? 0 : gs_git_fail(session->err, status, GS_EAUTH, "the ssh key cannot be used");
}

static int give_credential(gs_git_session *session, git_credential **out, unsigned int allowed)
{
    const gs_git_access *access = &session->git->access;
    const char *host = session->git->url.host;
    bool ssh = session->git->url.scheme == GS_GIT_SSH;
    if (ssh && !access->user) {
        (void)gs_fail(session->err, GS_EAUTH, "no user is configured for this ssh remote");
        (void)gs_error_hint(session->err, "write ssh://USER@host/path; most git servers call it git");
        return gs_error_at(session->err, "%s", host);
    }
    if (allowed == GIT_CREDENTIAL_USERNAME) {
        return git_credential_username_new(out, access->user) == 0 ? 0 : gs_fail_nomem(session->err);
    }
    if (session->asked) {
        (void)gs_fail(session->err, GS_EAUTH, "the server refused %s of \"%s\"",
                      !ssh               ? "the password"
                      : access->key_file ? "the ssh key"
                                         : "every key in the ssh agent",
                      access->user);
        (void)gs_error_hint(
            session->err, ssh ? "check that the public key is allowed on the server; RSA keys are often refused, Ed25519 keys work"
                              : "check the user and the password file");
        return gs_error_at(session->err, "%s", host);
    }
    session->asked = true;
    if (ssh && (allowed & GIT_CREDENTIAL_SSH_KEY)) {
        return give_key(session, out);
    }
    if (!ssh && (allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT)) {
        return give_password(session, out);
    }
    (void)gs_fail(session->err, GS_EAUTH, "the server wants a kind of login that gapship does not have");
    (void)gs_error_hint(session->err, ssh ? "allow public keys on the server" : "allow basic authentication on the server");
    return gs_error_at(session->err, "%s", host);
}

static int on_credential(git_credential **out, const char *url, const char *user, unsigned int allowed, void *payload)
{
    (void)url;
    (void)user;
    gs_git_session *session = payload;
    session->code = give_credential(session, out, allowed);
    return session->code == 0 ? 0 : GIT_EUSER;
}

static int on_certificate(git_cert *certificate, int valid, const char *host, void *payload)
{
    (void)valid;
    (void)host;
    gs_git_session *session = payload;
    if (certificate->cert_type != GIT_CERT_HOSTKEY_LIBSSH2) {
        return GIT_PASSTHROUGH; /* TLS: the verdict of the certificate check stands */
    }
    session->code = gs_git_hostkey_check(session->git, (const git_cert_hostkey *)(const void *)certificate, session->err);
    return session->code == 0 ? 0 : GIT_EUSER;
}

static int check_stop(gs_git_session *session)
{
    session->code = gs_check_stop(session->run, 2, session->err);
    return session->code == 0 ? 0 : GIT_EUSER;
}

static int on_received(const git_indexer_progress *stats, void *payload)
{
    gs_git_session *session = payload;
    if (stats->received_bytes > GS_MAX_GIT_BYTES) {
        (void)gs_fail(session->err, GS_ELIMIT, "the repository sends more than %zu MiB", GS_MAX_GIT_BYTES >> 20);
        session->code = gs_error_at(session->err, "%s", session->git->url.host);
        return GIT_EUSER;
    }
    gs_report_progress(session->run, session->what, stats->received_bytes, 0);
    return check_stop(session);
}

static int on_sent(unsigned int current, unsigned int total, size_t bytes, void *payload)
{
    (void)current;
    (void)total;
    gs_git_session *session = payload;
    gs_report_progress(session->run, session->what, bytes, 0);
    return check_stop(session);
}

static int on_packed(int stage, uint32_t current, uint32_t total, void *payload)
{
    (void)stage;
    (void)current;
    (void)total;
    return check_stop(payload);
}

/* Keeps what a hook says; lines that end in a carriage return are progress. */
static int on_said(const char *text, int len, void *payload)
{
    gs_git_session *session = payload;
    const char *end = text + len;
    while (text < end) {
        size_t line = 0;
        while (text + line < end && text[line] != '\n' && text[line] != '\r') {
            line++;
        }
        bool progress = text + line < end && text[line] == '\r';
        size_t used = strlen(session->said);
        if (!progress && line > 0 && used < sizeof(session->said)) {
            (void)snprintf(session->said + used, sizeof(session->said) - used, "%s%.*s", used > 0 ? "; " : "", (int)line, text);
        }
        text += line + 1;
    }
    return check_stop(session);
}

static int on_reference(const char *name, const char *status, void *payload)
{
    (void)name;
    gs_git_session *session = payload;
    if (status) {
        gs_text_printable(status, session->refused, sizeof(session->refused));
    }
    return 0;
}

git_remote_callbacks gs_git_session_callbacks(gs_git_session *session)
{
    git_remote_callbacks callbacks = GIT_REMOTE_CALLBACKS_INIT;
    callbacks.payload = session;
    callbacks.credentials = on_credential;
    callbacks.certificate_check = on_certificate;
    callbacks.transfer_progress = on_received;
    callbacks.push_transfer_progress = on_sent;
    callbacks.pack_progress = on_packed;
    callbacks.sideband_progress = on_said;
    callbacks.push_update_reference = on_reference;
    return callbacks;
}

int gs_git_session_open(gs_git_session *session, git_direction direction)
{
    gs_git *git = session->git;
    int code = gs_check_stop(session->run, 2, session->err);
    if (code != 0) {
        return code;
    }
    /* libgit2 keeps one set of CAs for the process. */
    if (git->url.scheme == GS_GIT_HTTPS && git->access.ca_file) {
        int status = git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, git->access.ca_file, NULL);
        if (status < 0) {
            (void)gs_git_fail(session->err, status, GS_ESPEC, "the CA certificates cannot be read");
            return gs_error_at(session->err, "%s", git->access.ca_file);
        }
    }
    git_remote_create_options options = GIT_REMOTE_CREATE_OPTIONS_INIT;
    options.repository = git->repo;
    options.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
    int status = git_remote_create_with_opts(&session->remote, git->url.text, &options);
    if (status == 0) {
        git_remote_connect_options connect = GIT_REMOTE_CONNECT_OPTIONS_INIT;
        connect.callbacks = gs_git_session_callbacks(session);
        connect.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
        status = git_remote_connect_ext(session->remote, direction, &connect);
    }
    return status == 0 ? 0 : gs_git_session_fail(session, status, "the git repository cannot be reached");
}

void gs_git_session_close(gs_git_session *session)
{
    git_remote_free(session->remote);
    session->remote = NULL;
}

/* The code that libgit2's words stand for where its own code does not tell. */
static int code_of_reason(const gs_git_session *session, int status, const char *reason)
{
    bool local = session->git->url.scheme == GS_GIT_LOCAL;
    if (status == GIT_EAUTH || strstr(reason, "status code: 401") || strstr(reason, "status code: 403") ||
        (session->asked && session->git->url.scheme == GS_GIT_SSH && strstr(reason, "uthenticat"))) {
        return GS_EAUTH;
    }
    if (strstr(reason, "status code: 404") || (local && (status == GIT_ENOTFOUND || strstr(reason, "unsupported URL protocol")))) {
        return GS_ENOTFOUND;
    }
    return local ? GS_EIO : GS_ENETWORK;
}

int gs_git_session_fail(gs_git_session *session, int status, const char *action)
{
    if (session->code != 0) {
        return session->code;
    }
    status = gs_git_open_status(status);
    char reason[GS_ERROR_MESSAGE_MAX];
    gs_text_printable(gs_git_reason(), reason, sizeof(reason));
    /* A signal, the first one too, ends the system call that libgit2 waits in. */
    int code = gs_check_stop(session->run, 1, session->err);
    if (code != 0) {
        return code;
    }
    code = code_of_reason(session, status, reason);
    if (code == GS_ENOTFOUND) {
        (void)gs_fail(session->err, code, "%s: there is no repository at %s", action, session->git->url.text);
    } else {
        (void)gs_git_fail(session->err, status, code, "%s", action);
        if (session->said[0]) {
            (void)gs_error_hint(session->err, "the server said: %s", session->said);
        }
    }
    return gs_error_at(session->err, "%s", session->git->url.host);
}
