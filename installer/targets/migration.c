/* Migrations as Jobs. A migration is proved by looking at its Job, never by memory: a rerun finds it by its name, skips it when it
 * is complete, waits for it when it is active, and tries again when it failed. Going down removes the Job that went up and the other
 * way round, so that a Job that is there says what the database is like now. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "gapship/crypto.h"
#include "gapship/fs.h"
#include "gapship/text.h"
#include "job.h"

#define GS_JOB_SLACK_MS  60000 /* beyond its own deadline: scheduling, pulling */
#define GS_JOB_NAME_HEAD 45    /* of 63: "-down", "-" and 12 hex digits follow */

typedef struct migration_run {
    const gs_migration_job *job;
    gs_api *api;
    gs_arena *arena;
    gs_object_id id;
    gs_buf *log;
} migration_run;

/* Names that people give may be longer than a Job's and have an underscore, which it may not. What makes the Job this one is hashed: two
 * environments may share a namespace. In arena. */
static const char *job_name(const gs_migration_job *job, bool down, gs_arena *arena)
{
    const char *name = job->migration->name;
    const char *text = gs_arena_printf(arena, "%s %s %s", job->target->bundle_digest, job->target->environment->name, name);
    char *head = gs_arena_printf(arena, "%.*s", GS_JOB_NAME_HEAD, name);
    gs_digest digest;
    char hex[GS_DIGEST_HEX];
    if (!text || !head || gs_digest_of(text, strlen(text), &digest, NULL) < 0) {
        return NULL;
    }
    for (char *c = head; *c != '\0'; c++) {
        *c = *c == '_' || *c == '.' ? '-' : *c;
    }
    gs_digest_hex(&digest, hex);
    return gs_arena_printf(arena, "%s%s-%.12s", head, down ? "-down" : "", hex);
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
    return job->target->place ? job->target->place->namespace : NULL;
}

static int prepare(const gs_migration_job *job, migration_run *run, gs_error *err)
{
    const char *namespace = job_namespace(job);
    if (!namespace) {
        gs_fail(err, GS_ECHECK, "no namespace to run migration %s in", job->migration->name);
        return gs_error_hint(err, "give the migration a namespace");
    }
    run->id = (gs_object_id){
        .api_version = "batch/v1", .kind = "Job", .namespace = namespace, .name = job_name(job, job->down, run->arena)};
    return run->id.name ? gs_api_open(job->target, &run->api, err) : gs_fail_nomem(err);
}

/* ---- the Job -------------------------------------------------------------------------------------------------------------------
 */

static int expand_list(const gs_text_list *in, const gs_text_map *variables, gs_arena *arena, const char ***out, gs_error *err)
{
    const char **items = gs_arena_array(arena, in->count + 1, sizeof *items);
    int code = items ? 0 : gs_fail_nomem(err);
    for (size_t i = 0; code == 0 && i < in->count; i++) {
        GS_AUTO_BUF gs_buf text;
        gs_buf_init(&text, GS_KIB(64));
        code = gs_expand(in->items[i], variables, &text, err);
        if (code == 0 && !(items[i] = gs_arena_text(arena, gs_buf_text(&text)))) {
            code = gs_fail_nomem(err);
        }
    }
    *out = items;
    return code;
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
    int code = expand_list(command, target->variables, run->arena, &words, err);
    gs_text_map env = {.items = gs_arena_array(run->arena, migration->env.count + 1, sizeof(gs_text_pair))};
    for (size_t i = 0; code == 0 && env.items && i < migration->env.count; i++) {
        GS_AUTO_BUF gs_buf value;
        gs_buf_init(&value, GS_KIB(64));
        code = gs_expand(migration->env.items[i].value, target->variables, &value, err);
        env.items[env.count++] = (gs_text_pair){migration->env.items[i].key, gs_arena_text(run->arena, gs_buf_text(&value))};
    }
    if (code < 0) {
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
    annotations = gs_node_set_text(run->arena, annotations, GS_BUNDLE_ANNOTATION, target->bundle_digest);
    gs_node *metadata = job ? gs_node_get(job, "metadata") : NULL;
    if (!metadata || !gs_node_set(run->arena, metadata, "annotations", annotations)) {
        return gs_fail_nomem(err);
    }
    return gs_api_apply(run->api, job, false, NULL, err);
}

/* ---- attempts ------------------------------------------------------------------------------------------------------------------
 */

static int keep_log(const migration_run *run, gs_error *err)
{
    if (!run->job->log || run->log->len == 0) {
        return 0;
    }
    return gs_fs_write_file(AT_FDCWD, run->job->log, run->log->data, run->log->len, 0600, err);
}

int64_t gs_retry_pause(const gs_retry_spec *retry, int64_t attempt)
{
    int64_t pause = retry->initial;
    for (int64_t i = 2; i < attempt && pause < retry->max; i++) {
        pause *= retry->factor > 1 ? retry->factor : 1;
    }
    return pause < retry->max ? pause : retry->max;
}

static int failed(const migration_run *run, const gs_job_seen *seen, gs_error *err)
{
    char words[GS_ERROR_MESSAGE_MAX / 2];
    gs_job_last_words(run->log, seen, words, sizeof words);
    gs_fail(err, GS_EMIGRATION, "migration %s failed: %s", run->job->migration->name, words);
    gs_error_at(err, "Job %s/%s", run->id.namespace, run->id.name);
    if (run->log->len == 0 || !run->job->log) {
        return gs_error_hint(err, "the old version keeps running; see kubectl describe job %s -n %s", run->id.name,
                             run->id.namespace);
    }
    return gs_error_hint(err, "its whole log: %s; the old version keeps running", run->job->log);
}

/* What the opposite direction left says that the database is where it now leaves. */
static int remove_opposite(const migration_run *run, gs_error *err)
{
    gs_object_id id = run->id;
    gs_job_seen seen;
    id.name = job_name(run->job, !run->job->down, run->arena);
    int code = id.name ? gs_job_see(run->api, &id, &seen, err) : gs_fail_nomem(err);
    return code < 0 || seen.state == GS_JOB_ABSENT ? code : gs_job_remove(run->api, run->job->target->run, &id, err);
}

/* From whatever state the Job is in to a verdict of this attempt. */
static int settle(migration_run *run, gs_job_seen *seen, gs_error *err)
{
    const gs_run *context = run->job->target->run;
    int code = gs_job_see(run->api, &run->id, seen, err);
    if (code < 0 || seen->state == GS_JOB_COMPLETE) {
        return code;
    }
    int64_t attempt = seen->attempt;
    if (seen->state == GS_JOB_FAILED) {
        attempt = attempt < run->job->migration->retry.attempts ? attempt + 1 : 1;
        code = gs_job_remove(run->api, context, &run->id, err);
    }
    if (code == 0 && seen->state != GS_JOB_ACTIVE) {
        code = remove_opposite(run, err);
        if (code == 0) {
            code = create(run, attempt, err);
        }
    }
    gs_buf_clear(run->log);
    if (code == 0) {
        code = gs_job_await(run->api, context, &run->id, run->job->migration->deadline + GS_JOB_SLACK_MS, seen, run->log, err);
    }
    gs_error lost = {0};
    int kept = keep_log(run, code == 0 ? err : &lost);
    return code < 0 ? code : kept;
}

static int run_migration(migration_run *run, gs_error *err)
{
    const gs_retry_spec *retry = &run->job->migration->retry;
    for (;;) {
        gs_job_seen seen = {.attempt = 1};
        int code = settle(run, &seen, err);
        if (code < 0 || seen.state == GS_JOB_COMPLETE) {
            return code;
        }
        if (seen.attempt >= retry->attempts) {
            return failed(run, &seen, err);
        }
        int64_t pause = gs_retry_pause(retry, seen.attempt + 1);
        gs_emit(run->job->target->run, GS_WARNING, "migrationRetry", NULL, 0,
                "migration %s failed, attempt %lld of %lld; again in %lld s", run->job->migration->name, (long long)seen.attempt,
                (long long)retry->attempts, (long long)(pause / 1000));
        code = gs_sleep(run->job->target->run, pause, err);
        if (code < 0) {
            return code;
        }
    }
}

static void run_done(migration_run *run)
{
    gs_api_close(run->api);
    gs_arena_free(run->arena);
}

int gs_migration_observe(const gs_migration_job *job, gs_job_state *out, gs_error *err)
{
    __attribute__((cleanup(run_done))) migration_run run = {.job = job, .arena = gs_arena_new()};
    gs_job_seen seen;
    int code = run.arena ? prepare(job, &run, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_job_see(run.api, &run.id, &seen, err);
    }
    if (code == 0) {
        *out = seen.state;
    }
    return code;
}

int gs_migration_run(const gs_migration_job *job, gs_error *err)
{
    GS_AUTO_BUF gs_buf log;
    gs_buf_init(&log, GS_MAX_JOB_LOG_BYTES);
    __attribute__((cleanup(run_done))) migration_run run = {.job = job, .arena = gs_arena_new(), .log = &log};
    int code = run.arena ? prepare(job, &run, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_api_need_namespace(run.api, run.id.namespace, err);
    }
    return code < 0 ? code : run_migration(&run, err);
}
