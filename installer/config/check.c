/* What the tables cannot see: which keys of a registry and a git repository belong together. Must not know YAML, and opens nothing.
 */
#include "config_internal.h"

#include <string.h>

#include "gapship/text.h"

static int fail_at(const gs_site *site, gs_place place, const char *path, gs_error *err, const char *message)
{
    return gs_bind_fail(site->doc, gs_bind_place_of(site->doc, place, path), err, "%s", message);
}

/* What stands behind "scheme://", or NULL. */
static const char *behind_scheme(const char *url)
{
    const char *scheme = strstr(url, "://");
    return scheme ? scheme + 3 : NULL;
}

/* HOST:PORT with a port of 1 to 65535; the host may be in brackets (IPv6). */
static bool is_host_and_port(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || strlen(colon) > 6 || colon[1] == '\0' || strpbrk(text, "/@?# ")) {
        return false;
    }
    long port = 0;
    for (const char *p = colon + 1; *p; p++) {
        if (*p < '0' || *p > '9') {
            return false;
        }
        port = port * 10 + (*p - '0');
    }
    return port >= 1 && port <= 65535;
}

static int check_url(const gs_site *site, gs_error *err)
{
    const gs_site_registry *registry = &site->registry;
    const char *host = behind_scheme(registry->url);
    if (!gs_text_starts(registry->url, "https://") && !gs_text_starts(registry->url, "http://")) {
        return fail_at(site, registry->place, "url", err, "the registry's url begins with neither https:// nor http://");
    }
    if (strchr(host, '@')) {
        (void)fail_at(site, registry->place, "url", err, "the registry's url holds a user or password");
        return gs_error_hint(err, "put them into a file and name it under credentials: {file: …}");
    }
    if (*host == '\0' || strpbrk(host, "/?# ")) {
        (void)fail_at(site, registry->place, "url", err, "the registry's url is more than a host and a port");
        return gs_error_hint(err, "what stands before every repository is `prefix`");
    }
    return 0;
}

static int check_registry(const gs_site *site, gs_error *err)
{
    const gs_site_registry *registry = &site->registry;
    bool embedded = registry->embedded.listen != NULL;
    if (embedded == (registry->url != NULL)) {
        return fail_at(site, registry->place, "", err,
                       embedded ? "the registry has both a url and `embedded`; one is due"
                                : "\"url\" is missing in the site's registry");
    }
    if (!embedded) {
        return check_url(site, err);
    }
    if (registry->credentials) {
        return fail_at(site, registry->place, "credentials", err, "\"credentials\" is only for a registry with a url");
    }
    if (!is_host_and_port(registry->embedded.listen)) {
        return fail_at(site, registry->place, "embedded/listen", err,
                       "\"listen\" is not an address and a port, like 10.0.0.5:5000");
    }
    return 0;
}

/* scp's form USER@HOST:PATH, or ssh://. */
static bool is_ssh(const char *url)
{
    const char *at = strchr(url, '@');
    return gs_text_starts(url, "ssh://") || (!strstr(url, "://") && at && strchr(at, ':'));
}

static bool is_http(const char *url)
{
    return gs_text_starts(url, "https://") || gs_text_starts(url, "http://");
}

static int check_git(const gs_site *site, const gs_site_git *git, gs_error *err)
{
    const char *host = behind_scheme(git->url);
    const char *at = host ? strchr(host, '@') : NULL;
    const char *colon = host ? strchr(host, ':') : NULL;
    if (host && !is_http(git->url) && !is_ssh(git->url) && !gs_text_starts(git->url, "file://")) {
        return fail_at(site, git->place, "url", err, "the repository's url is none of https, http, ssh, file and a path");
    }
    if (at && colon && colon < at) {
        (void)fail_at(site, git->place, "url", err, "the repository's url holds a password");
        return gs_error_hint(err, "put it into a file and name it under password: {file: …}");
    }
    if (git->password_file && !is_http(git->url)) {
        return fail_at(site, git->place, "password", err, "\"password\" is only for an https repository");
    }
    if (git->password_file && !git->user) {
        return fail_at(site, git->place, "password", err, "a password without a user");
    }
    if (git->key_file && !is_ssh(git->url)) {
        return fail_at(site, git->place, "key", err, "\"key\" is only for an ssh repository");
    }
    if (git->known_hosts && !is_ssh(git->url)) {
        return fail_at(site, git->place, "knownHosts", err, "\"knownHosts\" is only for an ssh repository");
    }
    if (git->ca && !is_http(git->url)) {
        return fail_at(site, git->place, "ca", err, "\"ca\" is only for an https repository");
    }
    const char *open = git->author ? strstr(git->author, " <") : NULL;
    if (git->author && (!open || open == git->author || !gs_text_ends(git->author, ">"))) {
        return fail_at(site, git->place, "author", err, "\"author\" is not like: gapship <gapship@plant-7>");
    }
    return 0;
}

int gs_site_check(const gs_site *site, gs_error *err)
{
    int code = check_registry(site, err);
    for (size_t i = 0; code == 0 && i < site->git.count; i++) {
        code = check_git(site, &site->git.items[i], err);
    }
    if (code == 0 && !site->root && !site->allow_unsigned) {
        (void)gs_bind_fail(site->doc, (gs_place){1, 1}, err,
                           "\"trust\" with its \"root\" is missing in a site that accepts signed bundles only");
        return gs_error_hint(err, "write trust: {root: trust/root.json}");
    }
    return code;
}
