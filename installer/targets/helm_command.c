/* Helm's command lines and its answers. Knows nothing of what a release should be. */
#include "helm_command.h"

#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"

const char *gs_helm_release(const gs_target_job *job)
{
    return job->unit->target.release ? job->unit->target.release : job->unit->name;
}

void gs_helm_add(gs_helm_line *line, const char *word)
{
    if (!word) {
        line->failed = GS_ENOMEM;
    } else if (line->count + 1 >= GS_MAX_HELM_ARGUMENTS) {
        line->failed = GS_ELIMIT;
    } else {
        line->argv[line->count++] = word;
    }
}

void gs_helm_begin(gs_helm_line *line, const gs_target_job *job, gs_arena *arena, const char *verb, const char *noun)
{
    *line = (gs_helm_line){.job = job, .arena = arena};
    gs_helm_add(line, job->tools->helm);
    gs_helm_add(line, verb);
    if (noun) {
        gs_helm_add(line, noun);
    }
    gs_helm_add(line, gs_arena_printf(arena, "--kubeconfig=%s", job->place->kubeconfig));
    if (job->place->context) {
        gs_helm_add(line, gs_arena_printf(arena, "--kube-context=%s", job->place->context));
    }
    gs_helm_add(line, gs_arena_printf(arena, "--namespace=%s", gs_unit_namespace(job)));
}

const char *gs_helm_assignment(const gs_text_pair *pair, gs_arena *arena)
{
    GS_AUTO_BUF gs_buf out;
    gs_buf_init(&out, GS_KIB(64));
    gs_buf_printf(&out, "%s=", pair->key);
    for (const char *c = pair->value; *c != '\0'; c++) {
        if (strchr(",{}\\", *c)) {
            gs_buf_add_text(&out, "\\");
        }
        gs_buf_add(&out, c, 1);
    }
    return out.failed ? NULL : gs_arena_text(arena, gs_buf_text(&out));
}

int gs_helm_run(gs_helm_line *line, int64_t deadline, gs_proc_result *result, gs_error *err)
{
    if (line->failed == GS_ELIMIT) {
        return gs_fail(err, GS_ELIMIT, "more than %u arguments for helm", GS_MAX_HELM_ARGUMENTS);
    }
    if (line->failed < 0) {
        return gs_fail_nomem(err);
    }
    line->argv[line->count] = NULL;
    GS_AUTO_TEMPDIR gs_tempdir own = GS_TEMPDIR_INIT;
    gs_confinement confined;
    int code = gs_tempdir_make(&own, err);
    if (code == 0) {
        code = gs_tool_confinement(line->job, own.path, line->arena, &confined, err);
    }
    const char *temporary = code == 0 ? gs_arena_printf(line->arena, "TMPDIR=%s", own.path) : NULL;
    if (!temporary) {
        return code < 0 ? code : gs_fail_nomem(err);
    }
    const char *const environment[] = {temporary, NULL};
    const gs_proc proc = {.argv = line->argv, .environment = environment, .cwd = -1, .deadline = deadline, .confined = &confined};
    return gs_proc_check(line->job->run, &proc, GS_EAPPLY, result, err);
}

int gs_helm_status(const gs_target_job *job, gs_arena *arena, const char **status, gs_error *err)
{
    gs_helm_line line;
    gs_error why = {0};
    GS_AUTO_PROC gs_proc_result result = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_helm_begin(&line, job, arena, "status", NULL);
    gs_helm_add(&line, "--output=json");
    gs_helm_add(&line, gs_helm_release(job));
    int code = gs_helm_run(&line, 0, &result, &why);
    if (code == GS_EAPPLY && strstr(gs_buf_text(&result.errors), "release: not found")) {
        *status = "";
        return 0;
    }
    if (code < 0) {
        if (err) {
            *err = why;
        }
        return code;
    }
    code = gs_doc_parse(GS_JSON, "helm status", result.output.data, result.output.len, &doc, err);
    if (code < 0) {
        return code;
    }
    const char *found = gs_node_text(gs_node_get(doc->root, "info"), "status");
    if (!found) {
        return gs_fail(err, GS_EAPPLY, "helm status says nothing about the status of release %s", gs_helm_release(job));
    }
    const char *kept = gs_arena_text(arena, found);
    *status = kept ? kept : *status;
    return kept ? 0 : gs_fail_nomem(err);
}

int gs_helm_objects(const gs_target_job *job, const char *what, gs_doc **out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_PROC gs_proc_result result = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_helm_line line;
    if (!arena) {
        return gs_fail_nomem(err);
    }
    gs_helm_begin(&line, job, arena, "get", what);
    gs_helm_add(&line, gs_helm_release(job));
    int code = gs_helm_run(&line, 0, &result, err);
    if (code == 0) {
        code = gs_doc_parse_manifests("helm get", result.output.data, result.output.len, &doc, err);
    }
    if (code == 0) {
        code = gs_kube_set_namespace(doc->arena, doc->root, gs_unit_namespace(job), err);
    }
    if (code == 0) {
        *out = GS_STEAL(doc);
    }
    return code;
}
