/* A cluster: lines that name objects, as an inventory does, and after lines "====" what the Kubernetes API and helm answer, each with its
 * status on a line before it. Every call goes to the path of one object, to a list of Pods or of kinds, or to a log; and what the answers say
 * ends in a result or an error. */
#include <string.h>

#include "fuzz.h"
#include "scratch.h"
/* A gs_api without kubectl can be made only here. */
#include "targets/kubeapi.c"

#include "targets/helm_command.h"
#include "targets/inventory.h"
#include "targets/job.h"

#define SEPARATOR    "\n====\n"
#define MOST_OBJECTS 4u

static const uint8_t *answers;
static size_t answers_size;
static gs_api *opened;
static int64_t ticks;

/* ---- in place of kubectl and of time ---- */

static void check_url(const char *url)
{
    static const char host[] = "http://localhost";
    check(gs_text_starts(url, host));
    const char *path = url + strlen(host);
    check(gs_text_starts(path, "/api/") || gs_text_starts(path, "/apis/"));
    for (const char *c = url; *c != '\0'; c++) {
        check(*c > ' ' && *c < 0x7f && *c != '#');
    }
    for (const char *end = path + strcspn(path, "?"); path < end;) {
        size_t len = strcspn(path + 1, "/?");
        check(len > strspn(path + 1, ".") || len > 2); /* neither nothing nor "." nor ".." */
        path += len + 1;
    }
}

/* The next answer: its status, and its body into out. */
static int next_answer(gs_buf *out, size_t most, int *status, gs_error *err)
{
    const uint8_t *next = memmem(answers, answers_size, SEPARATOR, strlen(SEPARATOR));
    if (!next) {
        return gs_fail(err, GS_ENETWORK, "no more answers");
    }
    answers_size -= (size_t)(next - answers) + strlen(SEPARATOR);
    answers = next + strlen(SEPARATOR);
    next = memmem(answers, answers_size, SEPARATOR, strlen(SEPARATOR));
    size_t len = next ? (size_t)(next - answers) : answers_size;
    const uint8_t *line = memchr(answers, '\n', len);
    const size_t body = line ? (size_t)(line - answers) + 1 : len;
    *status = 0;
    for (size_t i = 0; i < body && i < 3 && answers[i] >= '0' && answers[i] <= '9'; i++) {
        *status = 10 * *status + answers[i] - '0';
    }
    gs_buf_init(out, most);
    gs_buf_add(out, answers + body, len - body);
    return gs_buf_check(out, err);
}

int __wrap_gs_http_send_retrying(gs_http *http, const gs_http_request *request, const gs_http_retry *retry,
                                 gs_http_response *response, gs_error *err);

int __wrap_gs_http_send_retrying(gs_http *http, const gs_http_request *request, const gs_http_retry *retry,
                                 gs_http_response *response, gs_error *err)
{
    (void)http;
    (void)retry;
    check_url(request->url);
    return next_answer(&response->body, request->max_body, &response->status, err);
}

int __wrap_gs_proc_check(const gs_run *run, const gs_proc *proc, int code, gs_proc_result *result, gs_error *err);

int __wrap_gs_proc_check(const gs_run *run, const gs_proc *proc, int code, gs_proc_result *result, gs_error *err)
{
    int status = 0;
    (void)run;
    check(strcmp(proc->argv[0], "helm") == 0 && proc->confined && proc->confined->network);
    gs_buf_init(&result->errors, 1);
    int answered = next_answer(&result->output, GS_MAX_CHILD_OUTPUT_BYTES, &status, err);
    if (answered < 0 || status == 200) {
        return answered;
    }
    const gs_buf said = result->output;
    result->output = result->errors;
    result->errors = said;
    return gs_fail(err, code, "helm ended with %d", status);
}

int __wrap_gs_api_open(const gs_target_job *job, gs_api **out, gs_error *err);

int __wrap_gs_api_open(const gs_target_job *job, gs_api **out, gs_error *err)
{
    (void)job;
    (void)err;
    *out = opened;
    return 0;
}

void __wrap_gs_api_close_p(gs_api **api);

void __wrap_gs_api_close_p(gs_api **api)
{
    *api = NULL;
}

int64_t __wrap_gs_ticks(void);

int64_t __wrap_gs_ticks(void)
{
    return ticks;
}

int __wrap_gs_sleep(const gs_run *run, int64_t milliseconds, gs_error *err);

int __wrap_gs_sleep(const gs_run *run, int64_t milliseconds, gs_error *err)
{
    (void)run;
    (void)err;
    ticks += milliseconds;
    return 0;
}

/* ---- calls ---- */

static void check_result(int code, const gs_error *err)
{
    check(code == 0 || (code < 0 && code == err->code && err->message[0] != '\0'));
    check(code != GS_EINTERNAL && code != GS_ENOMEM);
}

static void call_job(const gs_object_id *id)
{
    static const gs_run run = {0};
    gs_error err = {0};
    gs_job_seen seen;
    char words[80];
    GS_AUTO_BUF gs_buf log;
    gs_buf_init(&log, GS_MAX_JOB_LOG_BYTES);
    int code = gs_job_await(opened, &run, id, 5000, &seen, &log, &err);
    check_result(code, &err);
    if (code == 0) {
        check(seen.state == GS_JOB_COMPLETE || seen.state == GS_JOB_FAILED);
        gs_job_last_words(&log, &seen, words, sizeof words);
        check(strlen(words) < sizeof words && !strchr(words, '\n')); /* an error makes it printable */
    }
}

static void call_object(const gs_object_id *id)
{
    gs_error err = {0};
    GS_AUTO_DOC gs_doc *live = NULL;
    int code = gs_api_get(opened, id, &live, &err);
    check_result(code, &err);
    check(code == 0 || !live);
    err = (gs_error){0};
    check_result(gs_api_delete(opened, id, false, &err), &err);
}

/* The objects as a release would have them, waited for. */
static void call_live(const gs_target_job *job, const gs_inventory *ids, gs_arena *arena)
{
    gs_error err = {0};
    gs_node *objects = gs_node_new_list(arena);
    gs_object_id *missing = NULL;
    gs_text_list images = {0};
    size_t count = 0;
    for (size_t i = 0; i < ids->count; i++) {
        gs_node *labels = gs_node_set_text(arena, gs_node_new_map(arena), "app", "a");
        gs_node *selector = gs_node_set(arena, gs_node_new_map(arena), "matchLabels", labels);
        gs_node *spec = gs_node_set(arena, gs_node_new_map(arena), "selector", selector);
        gs_node *metadata = gs_node_set_text(arena, gs_node_new_map(arena), "name", ids->items[i].name);
        metadata = gs_node_set_text(arena, metadata, "namespace", ids->items[i].namespace);
        gs_node *object = gs_node_set_text(arena, gs_node_new_map(arena), "apiVersion", ids->items[i].api_version);
        object = gs_node_set_text(arena, object, "kind", ids->items[i].kind);
        object = gs_node_set(arena, gs_node_set(arena, object, "metadata", metadata), "spec", spec);
        check(gs_node_append(arena, objects, object));
    }
    check_result(gs_live_wait(job, objects, &err), &err);
    err = (gs_error){0};
    check_result(gs_live_missing(job, objects, arena, &missing, &count, &err), &err);
    check(count <= ids->count);
    err = (gs_error){0};
    check_result(gs_live_images(job, objects, arena, &images, &err), &err);
    for (size_t i = 0; i < images.count; i++) {
        check(images.items[i]);
    }
}

/* A release of helm's that an earlier run left half done. */
static void call_helm(const gs_target_job *job, gs_arena *arena)
{
    gs_error err = {0};
    const char *status = NULL;
    int code = gs_helm_status(job, arena, &status, &err);
    check_result(code, &err);
    check(code < 0 || status);
    err = (gs_error){0};
    check_result(gs_helm_recover(job, "pending-upgrade", &err), &err);
    err = (gs_error){0};
    gs_fail(&err, GS_EAPPLY, "helm failed");
    gs_helm_explain(job, &err);
    check(err.code == GS_EAPPLY);
}

static void call_all(const gs_inventory *ids, gs_arena *arena)
{
    static const gs_unit_spec unit = {.name = "unit", .target = {.namespace = "shop"}, .wait = {.timeout = 3000, .stable = 1000}};
    static const gs_environment_spec environment = {.name = "prod"};
    static const gs_release release = {.name = "shop"};
    static const gs_site_environment place = {.kubeconfig = "/nonexistent/kubeconfig"};
    static char helm[] = "helm";
    static const gs_tools tools = {.helm = helm};
    static const gs_run run = {0};
    const gs_target_job job = {.run = &run,
                               .tools = &tools,
                               .place = &place,
                               .release = &release,
                               .environment = &environment,
                               .unit = &unit,
                               .work = "/nonexistent"};
    gs_error err = {0};
    gs_inventory inventory;
    check_result(gs_inventory_read(&job, opened, arena, &inventory, &err), &err);
    for (size_t i = 0; i < ids->count; i++) {
        call_object(&ids->items[i]);
    }
    if (ids->count > 0) {
        call_live(&job, ids, arena);
        call_job(&ids->items[0]);
    } else {
        call_helm(&job, arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_inventory ids = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_api api = {.arena = arena};
    char folder[SCRATCH_PATH];
    answers = data;
    answers_size = size;
    opened = &api;
    ticks = 1;
    scratch_path("", folder);
    check(setenv("TMPDIR", folder, 1) == 0); /* of helm */
    const uint8_t *end = memmem(data, size, SEPARATOR, strlen(SEPARATOR));
    const char *lines = arena ? gs_arena_copy(arena, data, end ? (size_t)(end - data) : size) : NULL;
    check(lines);
    if (gs_inventory_parse(lines, arena, &ids, &err) == 0) {
        ids.count = ids.count < MOST_OBJECTS ? ids.count : MOST_OBJECTS;
        call_all(&ids, arena);
    }
    return 0;
}
