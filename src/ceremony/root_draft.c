/* Roots in the making: the first one, and the one that follows another. Signing them is in root.c. */
#include <inttypes.h>
#include <string.h>

#include "gapship/ceremony.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/num.h"

/* How the command line names the keys of a role. */
static const char *const options[GS_ROLES] = {
    [GS_ROLE_ROOT] = "--key",
    [GS_ROLE_RELEASE] = "--release-key",
    [GS_ROLE_SITE] = "--site-key",
};

/* The lists have room for the keys that stay and for all that are added. */
typedef struct role_draft {
    const gs_public_key **keys;
    size_t count;
    unsigned threshold;    /* 0: not said */
    gs_public_key **added; /* the draft's own, among them */
    size_t added_count;
} role_draft;

typedef struct root_draft {
    gs_arena *arena;
    role_draft roles[GS_ROLES];
    uint64_t version, epoch;
    int64_t expires;
} root_draft;

static void draft_done(root_draft *draft)
{
    for (size_t role = 0; role < GS_ROLES; role++) {
        for (size_t i = 0; i < draft->roles[role].added_count; i++) {
            gs_public_key_free(draft->roles[role].added[i]);
        }
    }
    gs_arena_free(draft->arena);
}
#define AUTO_DRAFT __attribute__((cleanup(draft_done)))

/* The keys of `old` (NULL: none), with room for `more`. */
static int take_over(gs_arena *arena, const gs_trust_role *old, size_t more, role_draft *out, gs_error *err)
{
    const size_t kept = old ? old->count : 0;
    out->keys = gs_arena_array(arena, kept + more, sizeof *out->keys);
    out->added = gs_arena_array(arena, more, sizeof *out->added);
    if (!out->keys || !out->added) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < kept; i++) {
        out->keys[out->count++] = old->keys[i];
    }
    out->threshold = old ? old->threshold : 0;
    return 0;
}

static int take_over_all(const gs_trust *before, const gs_root_change *change, root_draft *draft, gs_error *err)
{
    draft->arena = gs_arena_new();
    int code = draft->arena ? 0 : gs_fail_nomem(err);
    for (gs_role role = GS_ROLE_ROOT; code == 0 && role <= GS_ROLE_SITE; role++) {
        code = take_over(draft->arena, before ? gs_trust_role_of(before, role) : NULL, change->roles[role].count,
                         &draft->roles[role], err);
    }
    return code;
}

static int drop_keys(const gs_trust *before, const gs_root_change *change, root_draft *draft, gs_error *err)
{
    for (size_t k = 0; k < change->drop_count; k++) {
        const gs_public_key *dropped = NULL;
        int code = gs_trust_find_key(before, change->drop[k], &dropped, err);
        if (code != 0) {
            return code;
        }
        for (size_t role = 0; role < GS_ROLES; role++) {
            role_draft *d = &draft->roles[role];
            size_t kept = 0;
            for (size_t i = 0; i < d->count; i++) {
                if (d->keys[i] != dropped) {
                    d->keys[kept++] = d->keys[i];
                }
            }
            d->count = kept;
        }
    }
    return 0;
}

static int add_keys(const gs_role_change *change, role_draft *d, gs_error *err)
{
    int code = 0;
    d->threshold = change->threshold > 0 ? change->threshold : d->threshold;
    for (size_t i = 0; code == 0 && i < change->count; i++) {
        code = gs_public_key_load(change->keys[i], &d->added[d->added_count], err);
        if (code == 0) {
            d->keys[d->count++] = d->added[d->added_count++];
        }
    }
    return code;
}

static int read_expires(const char *text, int64_t *out, gs_error *err)
{
    int64_t time = 0;
    if (!text) {
        return 0;
    }
    if (strcmp(text, "never") != 0 && (!gs_parse_time(text, &time) || time <= 0)) {
        (void)gs_fail(err, GS_EUSAGE, "\"%s\" is no time", text);
        return gs_error_hint(err, "give it in UTC, as 2030-01-01T00:00:00Z");
    }
    *out = time;
    return 0;
}

static int apply(const gs_root_change *change, root_draft *draft, gs_error *err)
{
    int code = 0;
    for (size_t role = 0; code == 0 && role < GS_ROLES; role++) {
        code = add_keys(&change->roles[role], &draft->roles[role], err);
    }
    return code == 0 ? read_expires(change->expires, &draft->expires, err) : code;
}

/* A role whose last key is gone: the site's is no role any more, the other two must have one. */
static int check_roles(const gs_root_change *change, root_draft *draft, gs_error *err)
{
    for (gs_role role = GS_ROLE_ROOT; role <= GS_ROLE_SITE; role++) {
        role_draft *d = &draft->roles[role];
        if (d->count > 0) {
            d->threshold = d->threshold > 0 ? d->threshold : 1;
        } else if (role == GS_ROLE_SITE && change->roles[role].threshold == 0) {
            d->threshold = 0;
        } else {
            (void)gs_fail(err, GS_ESPEC, "the %s role has no keys", gs_role_name(role));
            return gs_error_hint(err, "add one with %s PUB", options[role]);
        }
    }
    return 0;
}

static int finish(root_draft *draft, const char *output, gs_trust **out, gs_error *err)
{
    GS_AUTO_TRUST gs_trust *root = NULL;
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_ROOT_BYTES);
    gs_trust_draft spec = {.version = draft->version, .epoch = draft->epoch, .expires = draft->expires};
    for (size_t role = 0; role < GS_ROLES; role++) {
        const role_draft *d = &draft->roles[role];
        spec.roles[role] = (gs_trust_role){.keys = d->keys, .count = d->count, .threshold = d->threshold};
    }
    int code = gs_trust_make(&spec, &root, err);
    if (code == 0) {
        code = gs_trust_write(root, &text, err);
    }
    if (code == 0) {
        code = gs_fs_write_new(output, &text, err);
    }
    if (code == GS_EEXISTS) {
        (void)gs_error_hint(err, "name another file with -o; a root that somebody trusts must not get lost");
    }
    if (code == 0) {
        *out = GS_STEAL(root);
    }
    return code;
}

int gs_root_init(const gs_root_change *change, const char *output, gs_trust **out, gs_error *err)
{
    AUTO_DRAFT root_draft draft = {.version = 1, .epoch = 1};
    const role_draft *root = &draft.roles[GS_ROLE_ROOT];
    role_draft *release = &draft.roles[GS_ROLE_RELEASE];
    if (change->roles[GS_ROLE_ROOT].count == 0) {
        (void)gs_fail(err, GS_EUSAGE, "root init needs the keys that sign later roots: --key PUB");
        return gs_error_hint(err,
                             "`gapship key new NAME` makes NAME.pub; three of them, held by different people, and --threshold 2 "
                             "are recommended");
    }
    int code = take_over_all(NULL, change, &draft, err);
    if (code == 0) {
        code = apply(change, &draft, err);
    }
    if (code == 0 && release->count == 0) {
        release->keys = root->keys;
        release->count = root->count;
    }
    if (code == 0) {
        code = check_roles(change, &draft, err);
    }
    return code == 0 ? finish(&draft, output, out, err) : code;
}

int gs_root_next(const gs_trust *before, const gs_root_change *change, const char *output, gs_trust **out, gs_error *err)
{
    AUTO_DRAFT root_draft draft = {.version = gs_trust_version(before) + 1,
                                   .epoch = gs_trust_epoch(before) + (change->new_epoch ? 1 : 0),
                                   .expires = gs_trust_expires(before)};
    int code = take_over_all(before, change, &draft, err);
    if (code == 0) {
        code = drop_keys(before, change, &draft, err);
    }
    if (code == 0) {
        code = apply(change, &draft, err);
    }
    if (code == 0) {
        code = check_roles(change, &draft, err);
    }
    return code == 0 ? finish(&draft, output, out, err) : code;
}
