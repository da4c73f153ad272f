/* Credentials from the places people have them: docker's config.json and the auth.json of podman and skopeo, their credential
 * helpers, or a line "user:password". Knows nothing of HTTP. Every copy of a secret that is made here is wiped here. */
#include "credentials.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gapship/crypto.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"

#define HUB            "docker.io"
#define MAX_FILE_BYTES GS_MIB(1)

static void wipe_text(char **text)
{
    if (*text) {
        gs_wipe(*text, strlen(*text));
        free(*text);
        *text = NULL;
    }
}

void gs_credentials_done(gs_credentials *credentials)
{
    if (credentials) {
        wipe_text(&credentials->user);
        wipe_text(&credentials->password);
        wipe_text(&credentials->identity_token);
        wipe_text(&credentials->registry_token);
    }
}

bool gs_credentials_empty(const gs_credentials *credentials)
{
    return !credentials->user && !credentials->identity_token && !credentials->registry_token;
}

static void wipe_buf(gs_buf *buf)
{
    if (buf->data) {
        gs_wipe(buf->data, buf->cap);
    }
    gs_buf_done(buf);
}

/* Docker Hub has four names; files call it by any of them. */
static const char *plain_host(const char *host)
{
    bool hub = strcmp(host, "index.docker.io") == 0 || strcmp(host, "registry-1.docker.io") == 0;
    return hub ? HUB : host;
}

/* How much of host/repository the key of an "auths" entry names: 0 is not at all. Keys are "host[/path]", or the old
 * "https://host/v1/". */
static size_t key_match(const char *key, const char *host, const char *repository)
{
    const char *scheme = strstr(key, "://");
    const char *rest = scheme ? scheme + 3 : key;
    char name[GS_MAX_REFERENCE_BYTES];
    size_t len = strcspn(rest, "/");
    if (len == 0 || len >= sizeof name) {
        return 0;
    }
    memcpy(name, rest, len);
    name[len] = '\0';
    if (strcmp(plain_host(name), plain_host(host)) != 0) {
        return 0;
    }
    const char *path = rest + len;
    bool whole = scheme || *path == '\0' || strcmp(path, "/") == 0 || strcmp(path, "/v1/") == 0 || strcmp(path, "/v2/") == 0;
    if (whole) {
        return 1;
    }
    path++;
    size_t path_len = strlen(path);
    bool prefix = repository && strncmp(repository, path, path_len) == 0 &&
                  (repository[path_len] == '\0' || repository[path_len] == '/');
    return prefix ? 1 + path_len : 0;
}

static int copy_text(const gs_node *map, const char *key, char **out, gs_error *err)
{
    const char *text = gs_node_text(map, key);
    if (!text || text[0] == '\0') {
        return 0;
    }
    *out = strdup(text);
    return *out ? 0 : gs_fail_nomem(err);
}

int gs_credentials_split(const char *line, gs_credentials *out, gs_error *err)
{
    const char *colon = strchr(line, ':');
    if (!colon || colon == line) {
        return gs_fail(err, GS_ESPEC, "it is not of the form user:password");
    }
    out->user = strndup(line, (size_t)(colon - line));
    out->password = strdup(colon + 1);
    return out->user && out->password ? 0 : gs_fail_nomem(err);
}

static int read_entry(const gs_node *entry, gs_credentials *out, gs_error *err)
{
    int code = copy_text(entry, "identitytoken", &out->identity_token, err);
    code = code ? code : copy_text(entry, "registrytoken", &out->registry_token, err);
    const char *auth = gs_node_text(entry, "auth");
    if (code || !auth || auth[0] == '\0') {
        code = code ? code : copy_text(entry, "username", &out->user, err);
        return code ? code : copy_text(entry, "password", &out->password, err);
    }
    gs_buf line;
    gs_buf_init(&line, GS_MAX_TOKEN_BYTES);
    code = gs_base64_decode(auth, &line, err);
    if (code && code != GS_ENOMEM) {
        code = gs_fail(err, GS_ESPEC, "\"auth\" is not base64");
    }
    code = code ? code : gs_credentials_split(gs_buf_text(&line), out, err);
    wipe_buf(&line);
    if (code == 0 && out->identity_token && out->password[0] == '\0') {
        wipe_text(&out->password);
    }
    return code;
}

static int read_auths(const gs_node *root, const char *host, const char *repository, gs_credentials *out, gs_error *err)
{
    const gs_node *auths = gs_node_get(root, "auths");
    const gs_pair *best = NULL;
    size_t best_match = 0;
    for (size_t i = 0; auths && auths->kind == GS_NODE_MAP && i < auths->count; i++) {
        size_t match = key_match(auths->pairs[i].key, host, repository);
        if (match > best_match) {
            best = &auths->pairs[i];
            best_match = match;
        }
    }
    if (!best) {
        return 0;
    }
    int code = read_entry(best->value, out, err);
    if (code && code != GS_ENOMEM) {
        gs_error_context(err, "the entry \"%s\"", best->key);
    }
    return code;
}

/* The helper that is asked for this host, or NULL. */
static const char *helper_of(const gs_node *root, const char *host)
{
    const gs_node *helpers = gs_node_get(root, "credHelpers");
    for (size_t i = 0; helpers && helpers->kind == GS_NODE_MAP && i < helpers->count; i++) {
        if (key_match(helpers->pairs[i].key, host, NULL) && helpers->pairs[i].value->kind == GS_NODE_TEXT) {
            return helpers->pairs[i].value->text;
        }
    }
    const char *store = gs_node_text(root, "credsStore");
    return store && store[0] ? store : NULL;
}

static int read_config(const gs_run *run, const gs_node *root, const char *host, const char *repository, gs_credentials *out,
                       gs_error *err)
{
    const char *helper = helper_of(root, host);
    if (helper) {
        const char *server = strcmp(plain_host(host), HUB) == 0 ? "https://index.docker.io/v1/" : host;
        int code = gs_credentials_ask_helper(run, helper, server, out, err);
        if (code || !gs_credentials_empty(out)) {
            return code;
        }
    }
    return read_auths(root, host, repository, out, err);
}

static int read_line(gs_buf *content, gs_credentials *out, gs_error *err)
{
    while (content->len > 0 && (content->data[content->len - 1] == '\n' || content->data[content->len - 1] == '\r')) {
        content->len--;
    }
    const char *line = gs_buf_text(content);
    if (strpbrk(line, "\r\n") || strlen(line) != content->len) {
        return gs_fail(err, GS_ESPEC, "it is neither one line user:password nor a docker config");
    }
    return gs_credentials_split(line, out, err);
}

static int read_content(const gs_run *run, gs_buf *content, const char *host, const char *repository, gs_credentials *out,
                        gs_error *err)
{
    const char *text = gs_buf_text(content);
    if (text[strspn(text, " \t\r\n")] != '{') {
        return read_line(content, out, err);
    }
    gs_credentials found = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    int code = gs_doc_parse(GS_JSON, "credentials", content->data, content->len, &doc, err);
    code = code ? code : read_config(run, doc->root, host, repository, &found, err);
    if (code) {
        gs_credentials_done(&found);
        return code;
    }
    *out = found;
    return 0;
}

static int read_file(const gs_run *run, const char *path, const char *host, const char *repository, gs_credentials *out,
                     gs_error *err)
{
    gs_buf content;
    gs_buf_init(&content, MAX_FILE_BYTES);
    int code = gs_fs_read_file(AT_FDCWD, path, &content, err);
    gs_credentials found = {0};
    if (code == 0) {
        code = read_content(run, &content, host, repository, &found, err);
        if (code && code != GS_ENOMEM) {
            gs_error_context(err, "the credentials file %s cannot be used", path);
        }
    }
    wipe_buf(&content);
    if (code) {
        gs_credentials_done(&found);
        return code;
    }
    *out = found;
    return 0;
}

int gs_credentials_read(const gs_run *run, const char *path, const char *host, const char *repository, gs_credentials *out,
                        gs_error *err)
{
    struct stat info;
    if (stat(path, &info) == 0 && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        gs_fail(err, GS_ESPEC, "the credentials file %s can be read by others", path);
        return gs_error_hint(err, "chmod 600 %s", path);
    }
    return read_file(run, path, host, repository, out, err);
}

/* The n-th usual place into out, or false when there are no more. A place whose variable is not set is "". */
static bool usual_place(size_t n, gs_buf *out)
{
    const struct {
        const char *variable;
        const char *below;
    } places[] = {
        {"XDG_RUNTIME_DIR", "/containers/auth.json"},
        {"XDG_CONFIG_HOME", "/containers/auth.json"},
        {"HOME", "/.config/containers/auth.json"},
        {"DOCKER_CONFIG", "/config.json"},
        {"HOME", "/.docker/config.json"},
    };
    gs_buf_clear(out);
    if (n >= sizeof places / sizeof places[0]) {
        return false;
    }
    const char *base = getenv(places[n].variable);
    if (base && base[0]) {
        gs_buf_printf(out, "%s%s", base, places[n].below);
    }
    return true;
}

int gs_credentials_find(const gs_run *run, const char *host, const char *repository, gs_credentials *out, gs_error *err)
{
    const char *named = getenv("REGISTRY_AUTH_FILE");
    if (named && named[0]) {
        return read_file(run, named, host, repository, out, err);
    }
    GS_AUTO_BUF gs_buf path;
    gs_buf_init(&path, GS_MAX_ENTRY_NAME_BYTES);
    gs_credentials found = {0};
    for (size_t i = 0; usual_place(i, &path) && gs_credentials_empty(&found); i++) {
        int code = gs_buf_check(&path, err);
        if (code == 0 && path.len > 0 && gs_fs_exists(AT_FDCWD, gs_buf_text(&path))) {
            code = read_file(run, gs_buf_text(&path), host, repository, &found, err);
        }
        if (code) {
            return code;
        }
    }
    *out = found;
    return 0;
}
