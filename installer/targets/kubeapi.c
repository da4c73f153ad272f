/* kubectl proxy and the calls through it. Knows no object but by its identity. */
#include "kubeapi.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/proc.h"
#include "gapship/text.h"

#define GS_PROXY_START_MS 15000
#define GS_PROXY_POLL_MS  50
#define GS_API_IDLE_MS    30000

struct gs_api {
    const gs_run *run;
    const gs_target_job *job;
    gs_tempdir dir; /* 0700: the socket in it is as good as the kubeconfig */
    char *socket;
    gs_child *proxy;
    gs_http *http;
    gs_http_host host;
    bool answered; /* the cluster is there: from now on a failing call is tried again */
    gs_arena *arena;
    gs_text_map plurals; /* "apps/v1 Deployment" -> "deployments"; "" for a kind the cluster does not have */
};

/* ---- the proxy ---- */

static int start_proxy(gs_api *api, gs_error *err)
{
    const gs_site_environment *place = api->job->place;
    const char *argv[16];
    size_t n = 0;
    const char *socket = gs_arena_printf(api->arena, "--unix-socket=%s", api->socket);
    const char *kubeconfig = gs_arena_printf(api->arena, "--kubeconfig=%s", place->kubeconfig);
    if (!socket || !kubeconfig) {
        return gs_fail_nomem(err);
    }
    argv[n++] = api->job->tools->kubectl;
    argv[n++] = kubeconfig;
    if (place->context) {
        argv[n++] = "--context";
        argv[n++] = place->context;
    }
    argv[n++] = "proxy";
    argv[n++] = socket;
    argv[n++] = "--accept-paths=^/.*";
    argv[n] = NULL;
    const char *temporary = gs_arena_printf(api->arena, "TMPDIR=%s", api->dir.path);
    gs_confinement confined;
    int code = temporary ? gs_tool_confinement(api->job, api->dir.path, api->arena, &confined, err) : gs_fail_nomem(err);
    if (code < 0) {
        return code;
    }
    const char *const environment[] = {temporary, NULL};
    const gs_proc proc = {.argv = argv, .environment = environment, .cwd = -1, .confined = &confined};
    return gs_child_start(&proc, &api->proxy, err);
}

static int ask_version(gs_api *api, gs_error *err)
{
    GS_AUTO_BUF gs_buf body;
    int status = 0;
    gs_buf_init(&body, GS_MIB(1));
    int code = gs_api_send(api, &(gs_api_call){.path = "/version"}, &status, &body, err);
    if (code == 0 && status != 200) {
        code = gs_api_fail(status, &body, err);
        gs_error_context(err, "the cluster does not answer");
        gs_error_hint(err, "try: kubectl --kubeconfig %s version", api->job->place->kubeconfig);
    }
    return code;
}

/* Until the proxy passes a call on to the cluster. Its socket is there a moment before anybody listens on it. */
static int wait_for_proxy(gs_api *api, gs_error *err)
{
    int64_t began = gs_ticks();
    for (;;) {
        gs_error why = {0};
        int code = gs_fs_exists(AT_FDCWD, api->socket) ? ask_version(api, &why) : GS_ENETWORK;
        if (code != GS_ENETWORK) {
            api->answered = code == 0;
            if (code < 0 && err) {
                *err = why;
            }
            return code;
        }
        if (!gs_child_running(api->proxy)) {
            char said[GS_ERROR_MESSAGE_MAX / 2];
            gs_text_printable(gs_child_errors(api->proxy), said, sizeof said);
            return gs_fail(err, GS_ENETWORK, "kubectl proxy ended: %s", said);
        }
        if (gs_ticks() - began > GS_PROXY_START_MS) {
            return gs_fail(err, GS_ETIMEOUT, "kubectl proxy did not start within %d s", GS_PROXY_START_MS / 1000);
        }
        code = gs_sleep(api->run, GS_PROXY_POLL_MS, err);
        if (code < 0) {
            return code;
        }
    }
}

int gs_api_open(const gs_target_job *job, gs_api **out, gs_error *err)
{
    if (!job->place || !job->place->kubeconfig) {
        gs_fail(err, GS_ECHECK, "site.yaml gives no kubeconfig for this environment");
        gs_error_at(err, "%s", job->environment->name);
        return gs_error_hint(err, "add under environments:  %s: {kubeconfig: FILE}", job->environment->name);
    }
    int code = gs_tools_need_kubectl(job->tools, err);
    GS_AUTO_API gs_api *api = code == 0 ? calloc(1, sizeof *api) : NULL;
    if (code == 0 && !api) {
        code = gs_fail_nomem(err);
    }
    if (code < 0) {
        return code;
    }
    *api = (gs_api){.run = job->run, .job = job, .dir = GS_TEMPDIR_INIT, .arena = gs_arena_new()};
    code = api->arena ? gs_tempdir_make(&api->dir, err) : gs_fail_nomem(err);
    if (code == 0 && !(api->socket = gs_arena_printf(api->arena, "%s/api", api->dir.path))) {
        code = gs_fail_nomem(err);
    }
    if (code == 0) {
        code = start_proxy(api, err);
    }
    if (code == 0) {
        api->host.unix_socket = api->socket;
        code = gs_http_new(api->run, &api->host, &api->http, err);
    }
    if (code == 0) {
        code = wait_for_proxy(api, err);
    }
    if (code < 0) {
        return gs_error_at(err, "%s", job->environment->name);
    }
    *out = GS_STEAL(api);
    return 0;
}

void gs_api_close(gs_api *api)
{
    if (!api) {
        return;
    }
    gs_http_free(api->http);
    gs_child_stop(api->proxy);
    gs_tempdir_done(&api->dir);
    gs_arena_free(api->arena);
    free(api);
}

void gs_api_close_p(gs_api **api)
{
    gs_api_close(*api);
}

/* ---- calls ---- */

int gs_api_send(gs_api *api, const gs_api_call *call, int *status, gs_buf *body, gs_error *err)
{
    GS_AUTO_BUF gs_buf url;
    gs_buf_init(&url, GS_KIB(16));
    gs_buf_printf(&url, "http://localhost%s", call->path);
    int code = gs_buf_check(&url, err);
    if (code < 0) {
        return code;
    }
    const gs_http_header headers[] = {{"Accept", "application/json, */*"},
                                      {"Content-Type", call->content_type ? call->content_type : "application/json"}};
    gs_http_request request = {GS_HTTP_REQUEST};
    request.method = call->method;
    request.url = gs_buf_text(&url);
    request.headers = headers;
    request.header_count = call->body ? 2 : 1;
    request.body = call->body ? call->body->data : NULL;
    request.body_len = call->body ? call->body->len : 0;
    request.max_body = GS_MAX_DOC_BYTES;
    request.idle_ms = GS_API_IDLE_MS;
    /* Every call can be repeated, so an API server that restarts is waited for. */
    const gs_http_retry retry = {.tries = api->answered ? 0 : 1};
    GS_AUTO_RESPONSE gs_http_response response = {0};
    code = gs_http_send_retrying(api->http, &request, &retry, &response, err);
    if (code < 0) {
        return code;
    }
    *status = response.status;
    gs_buf_clear(body);
    gs_buf_add(body, response.body.data, response.body.len);
    return gs_buf_check(body, err);
}

int gs_api_fail(int status, const gs_buf *body, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_error ignored = {0};
    const char *message = NULL;
    if (gs_doc_parse(GS_JSON, "answer", body->data, body->len, &doc, &ignored) == 0) {
        message = gs_node_text(doc->root, "message");
    }
    int code = status == 409 ? GS_ECONFLICT : status == 401 || status == 403 ? GS_EAUTH : status == 404 ? GS_ENOTFOUND : GS_EAPPLY;
    gs_fail(err, code, "the cluster says %d: %s", status, message ? message : "no reason given");
    if (status == 401 || status == 403) {
        gs_error_recode(err, GS_EAPPLY);
        gs_error_hint(err, "the kubeconfig's user lacks this right");
    }
    return err ? err->code : code;
}

/* What may stand between two '/' of a path: nothing is the path of all objects of a kind, and "." and ".." are resolved on the way, so
 * that ".." in place of a ConfigMap would be its namespace. */
static bool is_step(const char *text, size_t len)
{
    return len > 0 && !(text[0] == '.' && (len == 1 || (len == 2 && text[1] == '.')));
}

static bool has_path(const gs_object_id *id)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    const char *group = id->api_version;
    size_t len = strspn(group, allowed);
    const char *version = group[len] == '/' ? group + len + 1 : group;
    size_t version_len = strspn(version, allowed);
    return is_step(group, len) && is_step(version, version_len) && version[version_len] == '\0' &&
           is_step(id->name, strlen(id->name)) && (id->namespace[0] == '\0' || is_step(id->namespace, strlen(id->namespace)));
}

/* The names under which the API knows the kinds of one group and version. */
static int learn_kinds(gs_api *api, const char *api_version, gs_error *err)
{
    GS_AUTO_BUF gs_buf body;
    GS_AUTO_DOC gs_doc *doc = NULL;
    int status = 0;
    gs_buf_init(&body, GS_MAX_DOC_BYTES);
    const char *path = gs_arena_printf(api->arena, "%s/%s", strchr(api_version, '/') ? "/apis" : "/api", api_version);
    if (!path) {
        return gs_fail_nomem(err);
    }
    int code = gs_api_send(api, &(gs_api_call){.path = path}, &status, &body, err);
    if (code < 0 || status == 404) {
        return code;
    }
    if (status != 200) {
        return gs_api_fail(status, &body, err);
    }
    code = gs_doc_parse(GS_JSON, "resources", body.data, body.len, &doc, err);
    const gs_node *resources = code == 0 ? gs_node_list(doc->root, "resources") : NULL;
    size_t count = resources ? resources->count : 0;
    gs_text_pair *pairs = gs_arena_array(api->arena, api->plurals.count + count + 1, sizeof *pairs);
    if (code < 0 || !pairs) {
        return code < 0 ? code : gs_fail_nomem(err);
    }
    if (api->plurals.count > 0) {
        memcpy(pairs, api->plurals.items, api->plurals.count * sizeof *pairs);
    }
    api->plurals.items = pairs;
    for (size_t i = 0; i < count; i++) {
        const char *name = gs_node_text(resources->items[i], "name");
        const char *kind = gs_node_text(resources->items[i], "kind");
        if (!name || !kind || strchr(name, '/') || !is_step(name, strlen(name))) {
            continue; /* a subresource */
        }
        const char *key = gs_arena_printf(api->arena, "%s %s", api_version, kind);
        const char *value = gs_arena_text(api->arena, name);
        if (!key || !value) {
            return gs_fail_nomem(err);
        }
        pairs[api->plurals.count++] = (gs_text_pair){key, value};
    }
    return 0;
}

static const char *known_plural(const gs_api *api, const char *api_version, const char *kind)
{
    size_t len = strlen(api_version);
    for (size_t i = 0; i < api->plurals.count; i++) {
        const char *key = api->plurals.items[i].key;
        if (strncmp(key, api_version, len) == 0 && key[len] == ' ' && strcmp(key + len + 1, kind) == 0) {
            return api->plurals.items[i].value;
        }
    }
    return NULL;
}

int gs_api_path(gs_api *api, const gs_object_id *id, gs_arena *arena, const char **out, gs_error *err)
{
    char what[GS_ERROR_WHERE_MAX];
    if (!has_path(id)) {
        gs_object_id_text(id, what, sizeof what);
        return gs_fail(err, GS_ESPEC, "no cluster has an object of this name: %s %s", id->api_version, what);
    }
    const char *plural = known_plural(api, id->api_version, id->kind);
    if (!plural) {
        int code = learn_kinds(api, id->api_version, err);
        if (code < 0) {
            return code;
        }
        plural = known_plural(api, id->api_version, id->kind);
    }
    if (!plural) {
        gs_fail(err, GS_ENOTFOUND, "the cluster has no %s %s", id->api_version, id->kind);
        return gs_error_hint(err, "its CustomResourceDefinition has to be installed first");
    }
    GS_AUTO_BUF gs_buf path;
    gs_buf_init(&path, GS_KIB(8));
    gs_buf_printf(&path, "%s/%s", strchr(id->api_version, '/') ? "/apis" : "/api", id->api_version);
    if (id->namespace[0] != '\0') {
        gs_buf_add_text(&path, "/namespaces/");
        gs_url_escape(id->namespace, &path);
    }
    gs_buf_add_text(&path, "/");
    gs_url_escape(plural, &path);
    gs_buf_add_text(&path, "/");
    gs_url_escape(id->name, &path);
    int code = gs_buf_check(&path, err);
    if (code < 0) {
        return code;
    }
    *out = gs_arena_text(arena, gs_buf_text(&path));
    return *out ? 0 : gs_fail_nomem(err);
}

/* ---- objects ---- */

static int parse_object(const gs_buf *body, gs_doc **out, gs_error *err)
{
    return gs_doc_parse(GS_JSON, "object", body->data, body->len, out, err);
}

/* The path; NULL for a kind that the cluster does not have. */
static int known_path(gs_api *api, const gs_object_id *id, gs_arena *arena, const char **out, gs_error *err)
{
    gs_error why = {0};
    int code = gs_api_path(api, id, arena, out, &why);
    if (code < 0 && code != GS_ENOTFOUND && err) {
        *err = why;
    }
    return code == GS_ENOTFOUND ? 0 : code;
}

int gs_api_get(gs_api *api, const gs_object_id *id, gs_doc **out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf body;
    const char *path = NULL;
    int status = 0;
    gs_buf_init(&body, GS_MAX_DOC_BYTES);
    *out = NULL;
    int code = arena ? known_path(api, id, arena, &path, err) : gs_fail_nomem(err);
    if (code < 0 || !path) {
        return code;
    }
    if (code == 0) {
        code = gs_api_send(api, &(gs_api_call){.path = path}, &status, &body, err);
    }
    if (code < 0 || status == 404) {
        return code;
    }
    return status == 200 ? parse_object(&body, out, err) : gs_api_fail(status, &body, err);
}

int gs_api_apply(gs_api *api, const gs_node *object, bool dry_run, gs_doc **out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf text;
    GS_AUTO_BUF gs_buf body;
    gs_object_id id;
    const char *path = NULL;
    char what[GS_ERROR_WHERE_MAX];
    int status = 0;
    gs_buf_init(&text, GS_MAX_DOC_BYTES);
    gs_buf_init(&body, GS_MAX_DOC_BYTES);
    int code = arena ? gs_object_identify(object, &id, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_api_path(api, &id, arena, &path, err);
    }
    if (code == 0) {
        code = gs_node_write_json(object, GS_JSON_COMPACT, &text, err);
    }
    const char *url = code == 0
                          ? gs_arena_printf(arena, "%s?fieldManager=" GS_FIELD_MANAGER "%s", path, dry_run ? "&dryRun=All" : "")
                          : NULL;
    if (code == 0 && !url) {
        code = gs_fail_nomem(err);
    }
    const gs_api_call call = {.method = "PATCH", .path = url, .content_type = "application/apply-patch+yaml", .body = &text};
    if (code == 0) {
        code = gs_api_send(api, &call, &status, &body, err);
    }
    if (code == 0 && status != 200 && status != 201) {
        code = gs_api_fail(status, &body, err);
        if (code == GS_ECONFLICT) {
            gs_error_hint(err, "leave that field out of the release, or make its manager give it up");
        }
    }
    if (code == 0 && out) {
        code = parse_object(&body, out, err);
    }
    if (code < 0) {
        gs_object_id_text(&id, what, sizeof what);
        return gs_error_at(err, "%s", what);
    }
    return 0;
}

int gs_api_delete(gs_api *api, const gs_object_id *id, bool foreground, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf body;
    const char *path = NULL;
    int status = 0;
    gs_buf_init(&body, GS_MAX_DOC_BYTES);
    int code = arena ? known_path(api, id, arena, &path, err) : gs_fail_nomem(err);
    if (code < 0 || !path) {
        return code;
    }
    const char *url = gs_arena_printf(arena, "%s?propagationPolicy=%s", path, foreground ? "Foreground" : "Background");
    code = url ? gs_api_send(api, &(gs_api_call){.method = "DELETE", .path = url}, &status, &body, err) : gs_fail_nomem(err);
    if (code < 0 || status == 404 || (status >= 200 && status < 300)) {
        return code;
    }
    return gs_api_fail(status, &body, err);
}

int gs_api_need_namespace(gs_api *api, const char *name, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf body;
    const char *path = NULL;
    int status = 0;
    const gs_object_id id = {.api_version = "v1", .kind = "Namespace", .namespace = "", .name = name};
    gs_buf_init(&body, GS_MAX_DOC_BYTES);
    int code = arena ? gs_api_path(api, &id, arena, &path, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_api_send(api, &(gs_api_call){.path = path}, &status, &body, err);
    }
    if (code < 0 || status != 404) {
        return code; /* a user who may not see namespaces may still work in this one */
    }
    gs_node *metadata = gs_node_set_text(arena, gs_node_new_map(arena), "name", name);
    gs_node *object = gs_node_set_text(arena, gs_node_new_map(arena), "apiVersion", id.api_version);
    object = gs_node_set_text(arena, object, "kind", id.kind);
    object = gs_node_set(arena, object, "metadata", metadata);
    return object ? gs_api_apply(api, object, false, NULL, err) : gs_fail_nomem(err);
}

int gs_api_pods(gs_api *api, const char *namespace, const char *selector, gs_doc **out, gs_error *err)
{
    GS_AUTO_BUF gs_buf path;
    GS_AUTO_BUF gs_buf body;
    int status = 0;
    gs_buf_init(&path, GS_KIB(8));
    gs_buf_init(&body, GS_MAX_DOC_BYTES);
    gs_buf_add_text(&path, "/api/v1/namespaces/");
    gs_url_escape(namespace, &path);
    gs_buf_add_text(&path, "/pods?labelSelector=");
    gs_url_escape(selector, &path);
    int code = gs_buf_check(&path, err);
    if (code == 0) {
        code = gs_api_send(api, &(gs_api_call){.path = gs_buf_text(&path)}, &status, &body, err);
    }
    if (code < 0) {
        return code;
    }
    return status == 200 ? parse_object(&body, out, err) : gs_api_fail(status, &body, err);
}
