/* Where the release was built from: commit, ref and time of its git working tree. */
#include "provenance.h"

#include <stdlib.h>
#include <string.h>

#include "gapship/git.h"
#include "gapship/num.h"

static bool is_auto(const char *text)
{
    return !text || strcmp(text, "auto") == 0;
}

int gs_provenance(gs_builder *builder, gs_lock *lock, gs_error *err)
{
    const gs_release *release = builder->release;
    if (!release->source.repo) {
        return 0;
    }
    const char *path = gs_builder_path(builder, release->source.repo);
    gs_git_state state;
    int code = path ? gs_git_describe(path, lock->arena, &state, err) : gs_fail_nomem(err);
    if (code < 0) {
        return gs_error_hint(err, "leave `source:` out when the release does not come from git");
    }
    if (state.dirty && !release->source.allow_dirty) {
        gs_fail(err, GS_ECHECK, "the working tree at %s has changes that are not committed", path);
        return gs_error_hint(err, "commit them, or set source.allowDirty: true");
    }
    char time[GS_TIME_TEXT];
    gs_format_time(state.time, time);
    lock->source.commit = gs_arena_text(lock->arena, is_auto(release->source.commit) ? state.commit : release->source.commit);
    lock->source.ref = is_auto(release->source.ref) ? state.ref : gs_arena_text(lock->arena, release->source.ref);
    lock->source.time = gs_arena_text(lock->arena, time);
    return lock->source.commit && lock->source.time ? 0 : gs_fail_nomem(err);
}

int gs_issue_time(const gs_lock *lock, int64_t *out, gs_error *err)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    *out = 0;
    if (epoch) {
        uint64_t seconds;
        if (!gs_parse_u64(epoch, INT64_MAX, &seconds)) {
            return gs_fail(err, GS_EUSAGE, "SOURCE_DATE_EPOCH is \"%s\", not a number of seconds", epoch);
        }
        *out = (int64_t)seconds;
    } else if (lock->source.time && !gs_parse_time(lock->source.time, out)) {
        return gs_fail(err, GS_ESPEC, "release.lock: source.time is \"%s\", not a time", lock->source.time);
    }
    return 0;
}
