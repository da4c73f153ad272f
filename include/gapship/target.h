/* Targets: how a unit of an environment gets onto the site, behind one interface; and Jobs, which migrations run as.
 *
 * A target renders what the release wants with references relocated to the site's registry, compares it with what is there, applies it,
 * and says when it is healthy. Every call can be repeated: what is already so is left alone.
 */
#ifndef GAPSHIP_TARGET_H
#define GAPSHIP_TARGET_H

#include "gapship/release.h"
#include "gapship/render.h"
#include "gapship/site.h"

/* All a target needs to know about the unit it works on. Borrowed. */
typedef struct gs_target_job {
    const gs_run *run;
    const gs_tools *tools;
    const gs_site *site;
    const gs_site_environment *place; /* of this environment */
    const gs_release *release;
    const gs_lock *lock;
    const gs_environment_spec *environment;
    const gs_unit_spec *unit;
    const char *work;             /* directory made by gs_contents_extract */
    const char *git_cache;        /* directory for gs_git_open */
    const char *bundle_digest;    /* "sha256:…" */
    const gs_text_map *variables; /* for gs_expand */
    bool rollback;
} gs_target_job;

typedef enum gs_change_kind { GS_CHANGE_ADD, GS_CHANGE_MODIFY, GS_CHANGE_REMOVE } gs_change_kind;
/* One thing that an apply would change: an object, or a file of the GitOps repository. */
typedef struct gs_change {
    gs_change_kind kind;
    const char *what;
    bool
        protected_; /* a removal that is never made (PersistentVolumeClaim, PersistentVolume, Namespace, CustomResourceDefinition) */
} gs_change;

typedef struct gs_changes {
    gs_change *items;
    size_t count;
} gs_changes;

typedef struct gs_target_ops {
    const char *name;
    /* What apply would change; strings in arena. Makes no change. Empty: the unit is as the release wants it. */
    int (*diff)(const gs_target_job *job, gs_arena *arena, gs_changes *out, gs_error *err);
    /* Brings the unit to the release. note (GS_TARGET_NOTE bytes) gets one line for the ledger: "commit 1234…", "revision 3". */
    int (*apply)(const gs_target_job *job, char *note, gs_error *err);
    /* Waits until healthy for unit.wait.stable, at most unit.wait.timeout. GS_ETIMEOUT, or GS_EAPPLY at once when it cannot get healthy. */
    int (*wait)(const gs_target_job *job, gs_error *err);
    /* The images that run now or that the unit's live state names: a list of texts in arena. For `status`. */
    int (*observe)(const gs_target_job *job, gs_arena *arena, gs_text_list *out, gs_error *err);
} gs_target_ops;
#define GS_TARGET_NOTE 160

const gs_target_ops *gs_target_for(int target_kind); /* gs_target_kind; never NULL */

/* Where an image stands in the site's registry: repository "PREFIX/AS", and "HOST/PREFIX/AS:TAG@DIGEST". In arena, NULL when out of
 * memory. */
const char *gs_site_repository(const gs_site *site, const gs_locked_image *image, gs_arena *arena);
const char *gs_relocated(const gs_site *site, const gs_locked_image *image, gs_arena *arena);

/* ---- migrations ---- */

typedef enum gs_job_state { GS_JOB_ABSENT, GS_JOB_ACTIVE, GS_JOB_COMPLETE, GS_JOB_FAILED } gs_job_state;
/* A migration (or its down step, taken from the newer release) as a Job whose name a rerun finds: complete is skipped, active is waited for,
 * failed is logged, deleted and tried again by the declared retry. */
typedef struct gs_migration_job {
    const gs_target_job *target; /* unit is NULL */
    const gs_migration_spec *migration;
    bool down;
    const char *log; /* file that gets the Pod's log */
} gs_migration_job;
int gs_migration_observe(const gs_migration_job *job, gs_job_state *out, gs_error *err) GS_MUST_USE;
/* 0: complete now. GS_EMIGRATION with the last lines of the log; GS_ETIMEOUT; GS_EUNCERTAIN when the Job vanished. */
int gs_migration_run(const gs_migration_job *job, gs_error *err) GS_MUST_USE;

/* One http verification: expands, asks until it holds or the retries are used up. GS_EVERIFY says what was expected and what came. */
int gs_http_check_run(const gs_run *run, const gs_http_check *check, const gs_text_map *variables, gs_error *err) GS_MUST_USE;

#endif
