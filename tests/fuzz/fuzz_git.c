/* The address of a git remote, a line, and behind it a known_hosts file: an address that is accepted has a host and nothing in it that
 * another program would take for an option or a command, and of an ssh host one key alone is trusted: one that a line of the file gives
 * it, in a file that revokes none. */
#include <string.h>

#include "fuzz.h"
#include "git/internal.h"
#include "scratch.h"

#define NAME_CHARACTERS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_"
#define KEY             "\0\0\0\013ssh-ed25519\0\0\0\040gapship's only host has this key"
#define KEY_TEXT        "AAAAC3NzaC1lZDI1NTE5AAAAIGdhcHNoaXAncyBvbmx5IGhvc3QgaGFzIHRoaXMga2V5"

/* libssh2 1.10 forgets the context of a hash that a hashed name of a wrong length needs: its leak, not gapship's. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:CRYPTO_zalloc\n";
}

static void check_name(const char *name)
{
    check(name[0] != '\0' && name[0] != '-' && name[strspn(name, NAME_CHARACTERS)] == '\0');
}

static void check_url(const gs_git_url *url, const char *text)
{
    check(strcmp(url->text, text) == 0 && url->port >= -1 && url->port <= 65535 && url->port != 0);
    if (url->scheme == GS_GIT_LOCAL) {
        check(strcmp(url->host, text) == 0 && !url->user);
        return;
    }
    check(strstr(text, url->host));
    if (strchr(url->host, ':')) {
        check(url->host[strspn(url->host, "0123456789abcdefABCDEF:.")] == '\0');
    } else {
        check_name(url->host);
    }
    if (url->user) {
        check_name(url->user);
    }
    if (url->scheme == GS_GIT_SSH) {
        check(!strpbrk(text, " \t\n'\"\\$`;|&<>(){}*?!#%"));
    }
}

/* The next line, or NULL. */
static const char *next_line(const char **text, size_t *len)
{
    const char *line = **text != '\0' ? *text : NULL;
    *len = strcspn(*text, "\n");
    *text += *len + ((*text)[*len] == '\n');
    return line;
}

static bool is_trusted(const char *text, const char *host)
{
    size_t len;
    bool trusted = false;
    for (const char *line = next_line(&text, &len); line; line = next_line(&text, &len)) {
        const char *entry = line + strspn(line, " \t");
        const size_t left = len - (size_t)(entry - line);
        if (left >= strlen("@revoked") && memcmp(entry, "@revoked", strlen("@revoked")) == 0) {
            return false;
        }
        trusted = trusted || (left > 0 && entry[0] != '@' && entry[0] != '#' && memmem(entry, left, KEY_TEXT, strlen(KEY_TEXT)) &&
                              (memmem(entry, left, host, strlen(host)) || memmem(entry, left, "|1|", 3)));
    }
    return trusted;
}

static void check_host(const gs_git_url *url, const char *known_hosts)
{
    gs_error err = {0};
    char path[SCRATCH_PATH];
    scratch_write("known_hosts", known_hosts, strlen(known_hosts), path);
    const gs_git git = {.url = *url, .access = {.known_hosts = path}};
    const git_cert_hostkey key = {.type = (git_cert_ssh_t)(GIT_CERT_SSH_RAW | GIT_CERT_SSH_SHA256),
                                  .raw_type = GIT_CERT_SSH_RAW_TYPE_KEY_ED25519,
                                  .hostkey = KEY,
                                  .hostkey_len = sizeof KEY - 1};
    if (gs_git_hostkey_check(&git, &key, &err) == 0) {
        check(is_trusted(known_hosts, url->host));
    } else {
        check(err.code == GS_ESPEC || err.code == GS_ENETWORK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_git_url url;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    char *text = arena ? gs_arena_copy(arena, data, size) : NULL;
    check(text);
    char *line = strchr(text, '\n');
    if (line) {
        *line = '\0';
    }
    if (gs_git_url_parse(text, arena, &url, &err) < 0) {
        check(err.code == GS_ESPEC);
        return 0;
    }
    check_url(&url, text);
    if (url.scheme == GS_GIT_SSH && line) {
        check_host(&url, line + 1);
    }
    return 0;
}
