/* One registry: its address, its trust, the first question. Knows nothing of what is pulled or pushed. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "internal.h"

#define HUB        "docker.io"
#define HUB_SERVER "registry-1.docker.io"

/* Splits "[SCHEME://]HOST[:PORT][/PATH]" into base and host. */
static int read_address(gs_registry *registry, const char *url, gs_error *err)
{
    const char *scheme = gs_text_starts(url, "http://") ? "http://" : "https://";
    const char *rest = gs_text_starts(url, "http://") || gs_text_starts(url, "https://") ? strstr(url, "://") + 3 : url;
    size_t host_len = strcspn(rest, "/?#");
    size_t len = strlen(rest);
    while (len > host_len && rest[len - 1] == '/') {
        len--;
    }
    bool plain = host_len > 0 && !strpbrk(rest, "?#") && !strstr(rest, "://");
    const char *shown = strchr(rest, '@') ? "" : url;
    if (!plain) {
        gs_fail(err, GS_ESPEC, "\"%s\" is not the address of a registry", shown);
        return gs_error_hint(err, "write https://HOST[:PORT], or http://HOST[:PORT] for a registry without TLS");
    }
    registry->host = strndup(rest, host_len);
    if (!registry->host) {
        return gs_fail_nomem(err);
    }
    bool hub = strcmp(registry->host, HUB) == 0;
    gs_buf base;
    gs_buf_init(&base, GS_MAX_HTTP_HEADER_BYTES);
    gs_buf_printf(&base, "%s%s%.*s", scheme, hub ? HUB_SERVER : registry->host, (int)(len - host_len), rest + host_len);
    int code = gs_buf_check(&base, err);
    registry->base = code ? NULL : gs_buf_steal(&base);
    gs_buf_done(&base);
    if (code) {
        return code;
    }
    char origin[GS_URL_ORIGIN];
    code = registry->base ? gs_url_origin(registry->base, origin, err) : gs_fail_nomem(err);
    return code == GS_ENETWORK ? gs_error_recode(err, GS_ESPEC) : code;
}

/* DIRECTORY/NAME when that is there. */
static int find_file(const char *directory, const char *name, char **out, gs_error *err)
{
    GS_AUTO_BUF gs_buf path;
    gs_buf_init(&path, GS_MAX_ENTRY_NAME_BYTES);
    gs_buf_printf(&path, "%s/%s", directory, name);
    int code = gs_buf_check(&path, err);
    if (code == 0 && !*out && gs_fs_exists(AT_FDCWD, gs_buf_text(&path))) {
        *out = gs_buf_steal(&path);
    }
    return code;
}

/* The directories in which docker, podman and skopeo look for the CA of a registry. */
static int find_certificates(gs_registry *registry, gs_error *err)
{
    const char *home = getenv("HOME");
    const struct {
        const char *base;
        const char *below;
    } places[] = {
        {home ? home : "", "/.config/containers/certs.d"},
        {"", "/etc/containers/certs.d"},
        {"", "/etc/docker/certs.d"},
    };
    for (size_t i = home && home[0] ? 0 : 1; i < sizeof places / sizeof places[0]; i++) {
        GS_AUTO_BUF gs_buf directory;
        gs_buf_init(&directory, GS_MAX_ENTRY_NAME_BYTES);
        gs_buf_printf(&directory, "%s%s/%s", places[i].base, places[i].below, registry->host);
        int code = gs_buf_check(&directory, err);
        code = code ? code : find_file(gs_buf_text(&directory), "ca.crt", &registry->ca_file, err);
        code = code ? code : find_file(gs_buf_text(&directory), "client.cert", &registry->client_certificate, err);
        code = code ? code : find_file(gs_buf_text(&directory), "client.key", &registry->client_key, err);
        if (code) {
            return code;
        }
    }
    return 0;
}

static int set_up(gs_registry *registry, const gs_registry_options *options, gs_error *err)
{
    int code = read_address(registry, options->url, err);
    if (code == 0 && options->ca_file) {
        registry->ca_file = strdup(options->ca_file);
        code = registry->ca_file ? 0 : gs_fail_nomem(err);
    } else if (code == 0 && gs_text_starts(registry->base, "https:")) {
        code = find_certificates(registry, err);
    }
    if (code) {
        return code;
    }
    const gs_http_host host = {
        .ca_file = registry->ca_file, .client_certificate = registry->client_certificate, .client_key = registry->client_key};
    code = gs_http_new(registry->run, &host, &registry->http, err);
    const gs_auth_options auth = {.run = registry->run,
                                  .http = registry->http,
                                  .base = registry->base,
                                  .host = registry->host,
                                  .credentials_file = options->credentials_file,
                                  .anonymous = options->anonymous,
                                  .tries = options->tries};
    return code ? code : gs_auth_new(&auth, &registry->auth, err);
}

int gs_registry_new(const gs_run *run, const gs_registry_options *options, gs_registry **out, gs_error *err)
{
    gs_registry *registry = calloc(1, sizeof *registry);
    if (!registry) {
        return gs_fail_nomem(err);
    }
    registry->run = run;
    registry->idle_ms = options->idle_ms;
    registry->tries = options->tries;
    if (pthread_mutex_init(&registry->lock, NULL) != 0) {
        free(registry);
        return gs_fail_nomem(err);
    }
    if (pthread_mutex_init(&registry->referrers_lock, NULL) != 0) {
        pthread_mutex_destroy(&registry->lock);
        free(registry);
        return gs_fail_nomem(err);
    }
    int code = set_up(registry, options, err);
    if (code) {
        gs_registry_free(registry);
        return code;
    }
    *out = registry;
    return 0;
}

void gs_registry_free(gs_registry *registry)
{
    if (!registry) {
        return;
    }
    gs_auth_free(registry->auth);
    gs_http_free(registry->http);
    pthread_mutex_destroy(&registry->lock);
    pthread_mutex_destroy(&registry->referrers_lock);
    free(registry->base);
    free(registry->host);
    free(registry->ca_file);
    free(registry->client_certificate);
    free(registry->client_key);
    free(registry);
}

void gs_registry_free_p(gs_registry **registry)
{
    gs_registry_free(*registry);
    *registry = NULL;
}

const char *gs_registry_host(const gs_registry *registry)
{
    return registry->host;
}

int gs_registry_ping(gs_registry *registry, gs_error *err)
{
    GS_AUTO_BUF gs_buf url;
    gs_buf_init(&url, GS_MAX_HTTP_HEADER_BYTES);
    gs_buf_printf(&url, "%s/v2/", registry->base);
    int code = gs_buf_check(&url, err);
    if (code) {
        return code;
    }
    gs_call call = {.http = {GS_HTTP_REQUEST, .url = gs_buf_text(&url)}};
    GS_AUTO_RESPONSE gs_http_response response = {0};
    code = gs_call_send(registry, &call, &response, err);
    if (code || response.status == 200) {
        return code;
    }
    if (response.status == 404) {
        gs_fail(err, GS_EREGISTRY, "there is no registry here: GET /v2/ answers 404");
        gs_registry_at(registry, NULL, err);
        return gs_error_hint(err, "are host and port right?");
    }
    return gs_call_refused(registry, &call, &response, err, "this registry cannot be used");
}
