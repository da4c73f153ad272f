/* `gapship build`: the stages, one after the other. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/trust.h"
#include "provenance.h"

typedef struct build_keys {
    gs_private_key *items[GS_MAX_SIGNATURES];
    size_t count;
} build_keys;

static void keys_done(build_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        gs_private_key_free(keys->items[i]);
    }
    keys->count = 0;
}

/* The key that was loaded last must not be one of those before it. */
static int check_another(const build_keys *keys, const char *file, gs_error *err)
{
    GS_AUTO_PUBLIC_KEY gs_public_key *last = NULL;
    int code = gs_private_key_public(keys->items[keys->count - 1], &last, err);
    for (size_t i = 0; code == 0 && i + 1 < keys->count; i++) {
        GS_AUTO_PUBLIC_KEY gs_public_key *other = NULL;
        code = gs_private_key_public(keys->items[i], &other, err);
        if (code == 0 && gs_public_key_same(last, other)) {
            code = gs_fail(err, GS_EUSAGE, "%s is a key that is given twice; a key signs once", file);
        }
    }
    return code;
}

/* Before anything is fetched: a key that cannot sign must not cost an hour. */
static int load_keys(const gs_build_options *options, build_keys *keys, gs_error *err)
{
    if (options->key_count == 0 && !options->allow_unsigned && !options->emit_tbs) {
        gs_fail(err, GS_EUSAGE, "no key to sign with");
        return gs_error_hint(err,
                             "`gapship key new NAME` makes one: build --key NAME.key; --emit-tbs FILE has it signed elsewhere; "
                             "--unsigned builds without");
    }
    if (options->key_count > GS_MAX_SIGNATURES) {
        return gs_fail(err, GS_ELIMIT, "a bundle has at most %u signatures", GS_MAX_SIGNATURES);
    }
    int code = 0;
    for (size_t i = 0; code == 0 && i < options->key_count; i++) {
        code = gs_private_key_load(options->keys[i], options->passphrase, &keys->items[i], err);
        if (code == 0) {
            keys->count++;
            code = check_another(keys, options->keys[i], err);
        }
    }
    return code;
}

static const char *choose_output(gs_builder *builder, const gs_build_options *options)
{
    if (options->output) {
        return gs_arena_text(builder->arena, options->output);
    }
    const char *name = gs_arena_printf(builder->arena, "%s-%s.gapship", builder->release->name, builder->release->version);
    return name ? gs_builder_path(builder, name) : NULL;
}

static int check_output(const char *output, const gs_build_options *options, gs_error *err)
{
    if (options->force) {
        return 0;
    }
    gs_error taken = {0};
    int code = gs_writer_check_free(output, options->volume_size > 0, &taken);
    if (code == GS_EEXISTS) {
        gs_fail(err, GS_EEXISTS, "%s exists already", taken.where);
        return gs_error_hint(err, "raise metadata.version, name another file with -o, or replace it with --force");
    }
    if (code < 0) {
        return gs_fail(err, code, "%s", taken.message);
    }
    if (options->emit_tbs && gs_fs_exists(AT_FDCWD, options->emit_tbs)) {
        gs_fail(err, GS_EEXISTS, "%s exists already", options->emit_tbs);
        return gs_error_hint(err, "name another file with --emit-tbs, or replace it with --force");
    }
    return 0;
}

/* One build, from stage to stage. */
typedef struct build_job {
    const gs_build_options *options;
    gs_builder builder;
    build_keys keys;
    const char *output;
    const char *bundle; /* what the finished bundle is called: output, or its first volume */
    gs_gathered gathered;
    gs_lock *lock;
    gs_build_layout layout;
    gs_buf roots; /* the chain that the bundle carries */
} build_job;

static void job_done(build_job *job)
{
    gs_build_layout_done(&job->layout);
    gs_buf_done(&job->roots);
    gs_lock_free(job->lock);
    gs_builder_done(&job->builder);
    keys_done(&job->keys);
}

/* Everything that can be wrong without a byte of a layer fetched. */
static int prepare(build_job *job, gs_error *err)
{
    gs_builder *builder = &job->builder;
    size_t changed = 0;
    job->output = choose_output(builder, job->options);
    job->bundle = job->output && job->options->volume_size > 0 ? gs_arena_printf(builder->arena, "%s.001", job->output)
                                                               : job->output;
    int code = job->bundle ? check_output(job->output, job->options, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_trust_chain(job->options->roots, job->options->root_count, &job->roots, err);
    }
    if (code == 0) {
        code = gs_gather(builder, &job->gathered, err);
    }
    if (code == 0) {
        code = gs_resolve(builder, &(gs_resolve_request){.gathered = &job->gathered}, &job->lock, &changed, err);
    }
    if (code == 0) {
        code = gs_check(builder, job->lock, err);
    }
    if (code == 0) {
        code = gs_lock_save(builder, job->lock, err);
    }
    if (code == 0) {
        code = gs_lay_out(builder, job->lock, &job->gathered, &job->layout, err);
    }
    return code;
}

static int write_bundle(build_job *job, gs_build_result *out, gs_error *err)
{
    const gs_release *release = job->builder.release;
    const gs_build_layout *layout = &job->layout;
    gs_writer_plan plan = {.index_json = layout->index_json.data,
                           .index_json_len = layout->index_json.len,
                           .manifest_json = layout->manifest_json.data,
                           .manifest_json_len = layout->manifest_json.len,
                           .blobs = layout->blobs,
                           .blob_count = layout->count,
                           .roots = job->roots.data,
                           .roots_len = job->roots.len,
                           .volume_size = job->options->volume_size,
                           .statement = {.product = release->name,
                                         .version = release->version,
                                         .epoch = (uint64_t)release->epoch,
                                         .sequence = (uint64_t)release->sequence,
                                         .security_floor = (uint64_t)release->security_floor,
                                         .upgrades_from = release->requires.upgrades_from}};
    GS_AUTO_WRITER gs_writer *writer = NULL;
    gs_fetched fetched = {0};
    int code = gs_issue_time(job->lock, &plan.statement.issued_at, err);
    int64_t fresh_for = 0;
    if (code == 0 && release->fresh_for && gs_parse_age(release->fresh_for, &fresh_for)) {
        plan.statement.fresh_until = plan.statement.issued_at + fresh_for;
    }
    if (code == 0) {
        code = gs_writer_begin(job->builder.run, job->output, &plan, &writer, err);
    }
    if (code == 0) {
        code = gs_fetch(&job->builder, layout, job->options, job->output, writer, &fetched, err);
    }
    if (code == 0) {
        code = gs_writer_seal(writer, (const gs_private_key *const *)job->keys.items, job->keys.count, job->options->force,
                              &out->digest, err);
    }
    if (code < 0) {
        return code;
    }
    out->size = gs_writer_length(writer);
    out->volumes = gs_writer_volume_count(writer);
    out->fetched = fetched.fetched;
    out->copied = fetched.copied;
    out->images = job->lock->images.count;
    out->blobs = layout->count;
    out->path = strdup(job->bundle);
    return out->path ? 0 : gs_fail_nomem(err);
}

/* From the finished file, so that it is what anybody else would find in it. */
static int write_tbs(const build_job *job, gs_build_result *out, gs_error *err)
{
    const char *path = job->options->emit_tbs;
    int code = path ? gs_bundle_emit(job->bundle, path, job->options->force, &out->digest, &out->tbs, err) : 0;
    if (code < 0) {
        gs_error_hint(err, "the bundle is finished; `gapship sign %s --emit-tbs FILE` writes what is missing", job->bundle);
    }
    return code;
}

int gs_build(const gs_run *run, const gs_build_options *options, gs_build_result *out, gs_error *err)
{
    build_job job = {.options = options, .builder = {.work = GS_TEMPDIR_INIT}};
    gs_build_result result = {0};
    gs_buf_init(&job.roots, GS_MAX_ROOTS_BYTES);
    int code = load_keys(options, &job.keys, err);
    if (code == 0) {
        code = gs_builder_open(run, options->release_file, &job.builder, err);
    }
    if (code == 0) {
        code = prepare(&job, err);
    }
    if (code == 0) {
        code = write_bundle(&job, &result, err);
    }
    if (code == 0) {
        code = write_tbs(&job, &result, err);
    }
    job_done(&job);
    if (code == 0) {
        *out = result;
    } else {
        gs_build_result_done(&result);
    }
    return code;
}

void gs_build_result_done(gs_build_result *result)
{
    free(result->path);
    result->path = NULL;
}
