/* Migrations as Jobs. A Job is proved by looking at it, never by memory: a rerun finds it by its name, skips it when it is
 * complete, waits for it when it is active, and tries again when it failed. */
#include "job.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"

#define GS_JOB_POLL_MS       1000
#define GS_JOB_GONE_MS       60000
#define GS_JOB_SLACK_MS      60000 /* beyond its own deadline: scheduling, pulling */
#define GS_JOB_TAIL_LINES    8
#define GS_MAX_JOB_LOG_BYTES GS_MIB(8)

static gs_job_state state_of(const gs_node *live)
{
    char reason[GS_ERROR_MESSAGE_MAX];
    gs_health health = gs_kube_health(live, reason, sizeof reason);
    return health == GS_HEALTHY ? GS_JOB_COMPLETE : health == GS_FAILED ? GS_JOB_FAILED : GS_JOB_ACTIVE;
}

int gs_job_observe(gs_api *api, const gs_object_id *id, gs_job_state *out, int64_t *attempt, gs_error *err)
{
    GS_AUTO_DOC gs_doc *live = NULL;
    uint64_t number = 1;
    int rc = gs_api_get(api, id, &live, err);
    if (rc < 0) {
        return rc;
    }
    *out = live ? state_of(live->root) : GS_JOB_ABSENT;
    const char *text = live ? gs_node_text(gs_node_at(live->root, "metadata/annotations"), GS_ATTEMPT_ANNOTATION) : NULL;
    if (text) {
        (void)gs_parse_u64(text, INT32_MAX, &number);
    }
    *attempt = (int64_t)number;
    return 0;
}

int gs_job_remove(gs_api *api, const gs_run *run, const gs_object_id *id, gs_error *err)
{
    int64_t began = gs_ticks();
    int rc = gs_api_delete(api, id, err);
    while (rc == 0) {
        GS_AUTO_DOC gs_doc *live = NULL;
        rc = gs_api_get(api, id, &live, err);
        if (rc < 0 || !live) {
            return rc;
        }
        if (gs_ticks() - began > GS_JOB_GONE_MS) {
            return gs_fail(err, GS_ETIMEOUT, "Job %s/%s does not go away", id->namespace, id->name);
        }
        rc = gs_sleep(run, GS_JOB_POLL_MS, err);
    }
    return rc;
}

int gs_job_await(gs_api *api, const gs_run *run, const gs_object_id *id, int64_t timeout_ms, gs_job_state *out, gs_error *err)
{
    int64_t began = gs_ticks(), attempt = 0;
    for (;;) {
        int rc = gs_job_observe(api, id, out, &attempt, err);
        if (rc < 0 || *out == GS_JOB_COMPLETE || *out == GS_JOB_FAILED) {
            return rc;
        }
        if (*out == GS_JOB_ABSENT) {
            gs_fail(err, GS_EUNCERTAIN, "Job %s/%s vanished while it ran", id->namespace, id->name);
            return gs_error_hint(err, "look whether it did its work before you run the same command again");
        }
        if (gs_ticks() - began > timeout_ms) {
            return gs_fail(err, GS_ETIMEOUT, "Job %s/%s is not finished after %lld s", id->namespace, id->name,
                           (long long)(timeout_ms / 1000));
        }
        rc = gs_sleep(run, GS_JOB_POLL_MS, err);
        if (rc < 0) {
            return rc;
        }
    }
}

/* ---- logs ---- */

static int read_log(gs_api *api, const char *namespace, const char *pod, gs_buf *out, gs_error *err)
{
    GS_AUTO_BUF gs_buf path;
    int status = 0;
    gs_buf_init(&path, GS_KIB(8));
    gs_buf_add_text(&path, "/api/v1/namespaces/");
    gs_url_escape(namespace, &path);
    gs_buf_add_text(&path, "/pods/");
    gs_url_escape(pod, &path);
    gs_buf_printf(&path, "/log?limitBytes=%zu", GS_MAX_JOB_LOG_BYTES - 1);
    int rc = gs_buf_check(&path, err);
    if (rc == 0) {
        rc = gs_api_send(api, &(gs_api_call){.path = gs_buf_text(&path)}, &status, out, err);
    }
    return rc < 0 || status == 200 ? rc : gs_api_fail(status, out, err);
}

int gs_job_log(gs_api *api, const gs_object_id *id, gs_buf *out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *pods = NULL;
    GS_AUTO_BUF gs_buf selector;
    gs_buf_init(&selector, GS_KIB(1));
    gs_buf_printf(&selector, "job-name=%s", id->name);
    int rc = gs_api_pods(api, id->namespace, gs_buf_text(&selector), &pods, err);
    const gs_node *items = rc == 0 ? gs_node_get(pods->root, "items") : NULL;
    for (size_t i = 0; rc == 0 && items && i < items->count; i++) {
        const char *pod = gs_node_text(gs_node_get(items->items[i], "metadata"), "name");
        if (pod) {
            rc = read_log(api, id->namespace, pod, out, err);
        }
    }
    return rc;
}

/* Points at the last lines: what a person reads first. */
static const char *tail_of(gs_buf *log)
{
    const char *text = gs_buf_text(log);
    const char *at = text + log->len;
    int lines = 0;
    while (at > text && lines <= GS_JOB_TAIL_LINES) {
        at--;
        lines += *at == '\n' ? 1 : 0;
    }
    return at > text ? at + 1 : at;
}

/* ---- migrations ---- */

typedef struct migration_run {
    const gs_migration_job *job;
    gs_api *api;
    gs_arena *arena;
    gs_object_id id;
} migration_run;

/* The newest things first that make a Job this one: the migration, the direction, the bundle. */
static const char *job_name(const gs_migration_job *job, gs_arena *arena)
{
    return gs_arena_printf(arena, "%s%s-%.12s", job->migration->name, job->down ? "-down" : "",
                           job->target->bundle_digest + strlen("sha256:"));
}

static const char *job_namespace(const gs_migration_job *job)
{
    const gs_environment_spec *environment = job->target->environment;
    if (job->migration->namespace) {
        return job->migration->namespace;
    }
    for (size_t i = 0; i < environment->units.count; i++) {
        if (environment->units.items[i].target.namespace) {
            return environment->units.items[i].target.namespace;
        }
    }
    return NULL;
}

static int prepare(const gs_migration_job *job, gs_arena *arena, gs_object_id *id, gs_error *err)
{
    const char *namespace = job_namespace(job);
    if (!namespace) {
        gs_fail(err, GS_ECHECK, "no namespace to run migration %s in", job->migration->name);
        return gs_error_hint(err, "give the migration a namespace");
    }
    *id = (gs_object_id){.api_version = "batch/v1", .kind = "Job", .namespace = namespace, .name = job_name(job, arena)};
    return id->name ? 0 : gs_fail_nomem(err);
}

static int expand_list(const gs_text_list *in, const gs_text_map *variables, gs_arena *arena, const char ***out, gs_error *err)
{
    const char **items = gs_arena_array(arena, in->count + 1, sizeof *items);
    int rc = items ? 0 : gs_fail_nomem(err);
    for (size_t i = 0; rc == 0 && i < in->count; i++) {
        GS_AUTO_BUF gs_buf text;
        gs_buf_init(&text, GS_KIB(64));
        rc = gs_expand(in->items[i], variables, &text, err);
        if (rc == 0 && !(items[i] = gs_arena_text(arena, gs_buf_text(&text)))) {
            rc = gs_fail_nomem(err);
        }
    }
    *out = items;
    return rc;
}

static int create(migration_run *run, int64_t attempt, gs_error *err)
{
    const gs_migration_spec *migration = run->job->migration;
    const gs_target_job *target = run->job->target;
    const gs_locked_image *image = gs_lock_image(target->lock, migration->image);
    const gs_text_list *command = run->job->down ? &migration->down : &migration->command;
    const char **words = NULL;
    char number[24];
    if (!image) {
        return gs_fail(err, GS_ECHECK, "migration %s runs %s, which is not in the bundle", migration->name, migration->image);
    }
    int rc = expand_list(command, target->variables, run->arena, &words, err);
    gs_text_map env = {.items = gs_arena_array(run->arena, migration->env.count + 1, sizeof(gs_text_pair))};
    for (size_t i = 0; rc == 0 && env.items && i < migration->env.count; i++) {
        GS_AUTO_BUF gs_buf value;
        gs_buf_init(&value, GS_KIB(64));
        rc = gs_expand(migration->env.items[i].value, target->variables, &value, err);
        env.items[env.count++] = (gs_text_pair){migration->env.items[i].key, gs_arena_text(run->arena, gs_buf_text(&value))};
    }
    if (rc < 0) {
        return gs_error_at(err, "migration %s", migration->name);
    }
    const gs_job_spec spec = {.name = run->id.name,
                              .namespace = run->id.namespace,
                              .image = gs_relocated(target->site, image, run->arena),
                              .command = words,
                              .command_count = command->count,
                              .env = &env,
                              .env_from = &migration->env_from,
                              .service_account = migration->service_account,
                              .deadline_seconds = migration->deadline / 1000};
    gs_node *job = env.items && spec.image ? gs_kube_job(run->arena, &spec) : NULL;
    (void)snprintf(number, sizeof number, "%lld", (long long)attempt);
    gs_node *annotations = gs_node_set_text(run->arena, gs_node_new_map(run->arena), GS_ATTEMPT_ANNOTATION, number);
    gs_node *metadata = job ? gs_node_get(job, "metadata") : NULL;
    if (!metadata || !gs_node_set(run->arena, metadata, "annotations", annotations)) {
        return gs_fail_nomem(err);
    }
    return gs_api_apply(run->api, job, false, NULL, err);
}

static int keep_log(migration_run *run, gs_buf *log, gs_error *err)
{
    gs_error why = {0};
    if (gs_job_log(run->api, &run->id, log, &why) < 0) {
        gs_emit(run->job->target->run, GS_WARNING, "logMissing", NULL, 0, "the log of %s/%s could not be read: %s",
                run->id.namespace, run->id.name, why.message);
        return 0;
    }
    return run->job->log ? gs_fs_write_file(AT_FDCWD, run->job->log, log->data, log->len, 0600, err) : 0;
}

static int64_t pause_before(const gs_retry_spec *retry, int64_t attempt)
{
    int64_t pause = retry->initial;
    for (int64_t i = 2; i < attempt && pause < retry->max; i++) {
        pause *= retry->factor > 1 ? retry->factor : 1;
    }
    return pause < retry->max || retry->max == 0 ? pause : retry->max;
}

static int failed(migration_run *run, gs_buf *log, gs_error *err)
{
    char tail[GS_ERROR_MESSAGE_MAX / 2];
    gs_text_printable(tail_of(log), tail, sizeof tail);
    gs_fail(err, GS_EMIGRATION, "migration %s failed: %s", run->job->migration->name, tail[0] != '\0' ? tail : "it wrote nothing");
    gs_error_at(err, "Job %s/%s", run->id.namespace, run->id.name);
    return gs_error_hint(err, "its whole log: %s; the old version keeps running", run->job->log ? run->job->log : "kubectl logs");
}

/* From whatever state the Job is in to a verdict of this attempt. */
static int settle(migration_run *run, int64_t *attempt, gs_job_state *state, gs_buf *log, gs_error *err)
{
    const gs_run *context = run->job->target->run;
    int rc = gs_job_observe(run->api, &run->id, state, attempt, err);
    if (rc < 0 || *state == GS_JOB_COMPLETE) {
        return rc;
    }
    if (*state == GS_JOB_FAILED) { /* from an earlier run of this command */
        *attempt = *attempt < run->job->migration->retry.attempts ? *attempt + 1 : 1;
        rc = gs_job_remove(run->api, context, &run->id, err);
        *state = GS_JOB_ABSENT;
    }
    if (rc == 0 && *state == GS_JOB_ABSENT) {
        rc = create(run, *attempt, err);
    }
    if (rc == 0) {
        rc = gs_job_await(run->api, context, &run->id, run->job->migration->deadline + GS_JOB_SLACK_MS, state, err);
    }
    if (rc == 0) {
        gs_buf_clear(log);
        rc = keep_log(run, log, err);
    }
    return rc;
}

static int run_migration(migration_run *run, gs_error *err)
{
    const gs_retry_spec *retry = &run->job->migration->retry;
    GS_AUTO_BUF gs_buf log;
    gs_buf_init(&log, GS_MAX_JOB_LOG_BYTES);
    for (;;) {
        int64_t attempt = 1;
        gs_job_state state = GS_JOB_ABSENT;
        int rc = settle(run, &attempt, &state, &log, err);
        if (rc < 0 || state == GS_JOB_COMPLETE) {
            return rc;
        }
        if (attempt >= retry->attempts) {
            return failed(run, &log, err);
        }
        int64_t pause = pause_before(retry, attempt + 1);
        gs_emit(run->job->target->run, GS_WARNING, "migrationRetry", NULL, 0,
                "migration %s failed, attempt %lld of %lld; again in %lld s", run->job->migration->name, (long long)attempt,
                (long long)retry->attempts, (long long)(pause / 1000));
        rc = gs_sleep(run->job->target->run, pause, err);
        if (rc < 0) {
            return rc;
        }
    }
}

int gs_migration_observe(const gs_migration_job *job, gs_job_state *out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_API gs_api *api = NULL;
    gs_object_id id;
    int64_t attempt = 0;
    int rc = arena ? prepare(job, arena, &id, err) : gs_fail_nomem(err);
    if (rc == 0) {
        rc = gs_api_open(job->target, &api, err);
    }
    return rc < 0 ? rc : gs_job_observe(api, &id, out, &attempt, err);
}

int gs_migration_run(const gs_migration_job *job, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_API gs_api *api = NULL;
    migration_run run = {.job = job, .arena = arena};
    int rc = arena ? prepare(job, arena, &run.id, err) : gs_fail_nomem(err);
    if (rc == 0) {
        rc = gs_api_open(job->target, &api, err);
    }
    run.api = api;
    return rc < 0 ? rc : run_migration(&run, err);
}
