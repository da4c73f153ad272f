/* The site side's use cases: site init, import, plan, install, load, status, history, rollback, serve. src/cli parses and prints;
 * everything else is here.
 *
 * A run is: open -> verify -> keep -> plan (pure) -> execute (a loop over steps, journal before and after each) -> record.
 */
#ifndef GAPSHIP_INSTALL_H
#define GAPSHIP_INSTALL_H

#include "gapship/contents.h"
#include "gapship/ledger.h"
#include "gapship/permit.h"
#include "gapship/site.h"
#include "gapship/store.h"
#include "gapship/target.h"

/* An opened site: configuration, store, ledger, trust, tools. */
typedef struct gs_installation {
    gs_run run;
    gs_site *site;
    gs_store *store;
    gs_ledger *ledger;
    gs_trust *trust;
    const gs_permit *permit; /* that this run was given, or NULL (gs_installation_permit) */
    const char *permit_file;
    uint64_t permit_root; /* version of the root by which it counts */
    int64_t now;          /* at the beginning of the run, seconds since 1970; never before what the ledger has seen */
    int64_t ticks;        /* gs_ticks() then */
    unsigned told;        /* warnings that were given: GS_TOLD_… */
    gs_tools tools;       /* found when the first plan is carried out or looked at */
    gs_filelock lock;
    const char *const *volumes; /* directories where volumes of a split bundle may be, besides the one that is named; borrowed */
    size_t volume_count;
    char id[17]; /* of this run */
} gs_installation;

/* Makes DIR/site.yaml (commented), DIR/trust/root.json and the store. fingerprint is for people to compare. GS_EEXISTS. */
int gs_site_create(const gs_run *run, const char *directory, const char *root_file, gs_digest *fingerprint,
                   gs_error *err) GS_MUST_USE;
/* site_file NULL: the usual places. change: takes the lock (GS_ELOCKED). */
int gs_installation_open(const gs_run *run, const char *site_file, bool change, gs_installation **out, gs_error *err) GS_MUST_USE;
void gs_installation_free(gs_installation *installation);
void gs_installation_free_p(gs_installation **installation);
#define GS_AUTO_INSTALLATION __attribute__((cleanup(gs_installation_free_p)))

/* Takes a permit file for this run: what it lets in is judged with it. */
int gs_installation_permit(gs_installation *installation, const char *path, gs_error *err) GS_MUST_USE;

/* BUNDLE on the command line: a path, NAME@VERSION, or a digest prefix (8 hex digits at least) of a kept one. A path is verified; with keep
 * it is also copied into the store, judged by the order of bundles (accept.c) and written to the ledger. */
int gs_installation_bundle(gs_installation *installation, const char *bundle, bool keep, gs_verified **out,
                           gs_error *err) GS_MUST_USE;
/* The file of the kept bundle that NAME@VERSION or a digest prefix names, in arena. GS_ENOTFOUND. */
int gs_installation_kept(gs_installation *installation, const char *bundle, gs_arena *arena, const char **path,
                         gs_error *err) GS_MUST_USE;

/* ---- plan ---- */

typedef enum gs_step_kind {
    GS_STEP_GATE,
    GS_STEP_LOAD,
    GS_STEP_DOWN,
    GS_STEP_MIGRATE,
    GS_STEP_APPLY,
    GS_STEP_WAIT,
    GS_STEP_VERIFY,
    GS_STEP_RECORD
} gs_step_kind;

/* One step. The index points into the environment's units, migrations or verify list. */
typedef struct gs_step {
    gs_step_kind kind;
    const char *id;     /* "staging/migrate/main"; unique in the plan. What follows the first '/' is its name in the ledger */
    size_t environment; /* index in the release */
    size_t index;       /* DOWN: in the migrations of the newer release, the one of the environment's past */
    const char *skip;   /* why it is not run ("the database is at this revision already"), or NULL */
    const char *schema, *revision; /* MIGRATE, DOWN: which revision the schema has afterwards, or NULL */
} gs_step;

typedef struct gs_plan {
    gs_arena *arena;
    const char *verb; /* "install", "rollback" */
    gs_step *steps;
    size_t count;
    bool rollback;
} gs_plan;

/* What the planner knows of the past: for each environment, which bundle it runs, or was last on its way to. */
typedef struct gs_plan_past {
    const char *environment;
    bool known;
    gs_digest bundle;
    int64_t epoch, sequence;
    const char *version;
    const gs_contents *contents;       /* of that bundle; NULL when it is not kept any more */
    const gs_contents *const *between; /* bundles that ran here and are newer than the planned one and older than that one */
    size_t between_count;
    gs_text_map revisions; /* schema -> revision that the last migration left it at, or tried to */
    bool verified;         /* the planned bundle once ran here and was verified */
} gs_plan_past;

typedef struct gs_plan_request {
    const gs_contents *contents;
    const gs_digest *bundle;
    const gs_site *site;
    const gs_plan_past *past; /* one per environment of the release, in its order */
    const char *to;           /* last environment, or NULL for all */
    const char *only;         /* this environment alone (rollback --environment), or NULL */
    bool rollback;
} gs_plan_request;
/* Pure: no I/O. GS_EROLLBACK_REFUSED names the migration in the way; GS_EGATE an environment that has to come first; GS_ECHECK an
 * environment the site does not configure, or one that runs a version this release does not upgrade from; GS_EDOWNGRADE one that runs
 * something newer; GS_EUSAGE an environment the release does not have. Steps for environments that already run the bundle are planned too: they prove themselves. A rollback leaves
 * environments alone that run nothing newer. The plan borrows from the request. */
int gs_plan_make(const gs_plan_request *request, gs_plan **out, gs_error *err) GS_MUST_USE;
void gs_plan_free(gs_plan *plan);
void gs_plan_free_p(gs_plan **plan);
#define GS_AUTO_PLAN __attribute__((cleanup(gs_plan_free_p)))

/* ---- use cases ---- */

typedef struct gs_install_options {
    const char *bundle;
    const char *to;          /* install, plan: last environment */
    const char *environment; /* rollback: only this one */
    const char *to_version;  /* rollback: VERSION or NAME@VERSION; NULL: the one before */
    bool accept_revoked;     /* rollback: to a bundle whose signers were revoked since, with a permit */
} gs_install_options;

/* ---- verdicts ---- */

typedef enum gs_verdict_state { GS_VERDICT_UNKNOWN, GS_VERDICT_OK, GS_VERDICT_WARN, GS_VERDICT_FAIL } gs_verdict_state;
/* "unknown", "ok", "warn", "fail" */
const char *gs_verdict_name(gs_verdict_state state);
typedef struct gs_verdict {
    gs_verdict_state state;
    int code;           /* FAIL: GS_E… */
    const char *reason; /* one sentence */
    const char *hint;   /* what to do, or NULL */
} gs_verdict;

/* What can be said of a bundle, each by itself. */
typedef struct gs_examination {
    gs_verdict integrity;    /* every byte is what was signed */
    gs_verdict authenticity; /* by enough trusted keys */
    gs_verdict order;        /* it may come in where the site stands */
    gs_verdict freshness;    /* it is young enough */
    gs_verdict completeness; /* it carries all it names */
    gs_verified *verified;   /* NULL when nothing of it may be read */
    uint64_t root_from;      /* version of the trust root it is judged by; 0: there is none */
    uint64_t root_to;        /* the one that its chain of roots leads to */
} gs_examination;

typedef struct gs_examine_options {
    const char *bundle;         /* path */
    const char *root;           /* trust root file; NULL: the site's */
    const char *site;           /* site.yaml; NULL: the one found, if any */
    const char *const *volumes; /* directories where volumes may be, too */
    size_t volume_count;
    bool whole;      /* read every byte; else the head alone */
    bool need_trust; /* GS_EUSAGE without a root */
} gs_examine_options;
/* Judges a bundle and changes nothing. A bundle that fails is no error: its verdicts say so. Verdicts' texts in arena. */
int gs_examine(const gs_run *run, const gs_examine_options *options, gs_arena *arena, gs_examination *out,
               gs_error *err) GS_MUST_USE;
void gs_examination_done(gs_examination *examination);
#define GS_AUTO_EXAMINATION __attribute__((cleanup(gs_examination_done)))
/* 0, or the error of the verdict that is worst: what a verb ends with. */
int gs_examination_error(const gs_examination *examination, gs_error *err) GS_MUST_USE;

/* Results are trees (made in arena) that src/cli prints as tables or as JSON; their keys are in docs/json.md. */
int gs_import(gs_installation *installation, const char *bundle, gs_arena *arena, gs_node **result, gs_error *err) GS_MUST_USE;
/* What would change, environment by environment, by asking registry, repositories and clusters. *changes false: nothing. bundle NULL:
 * what a rollback would change. */
int gs_plan_show(gs_installation *installation, const gs_install_options *options, gs_arena *arena, gs_node **result, bool *changes,
                 gs_error *err) GS_MUST_USE;
int gs_install(gs_installation *installation, const gs_install_options *options, gs_arena *arena, gs_node **result,
               gs_error *err) GS_MUST_USE;
int gs_rollback(gs_installation *installation, const gs_install_options *options, gs_arena *arena, gs_node **result,
                gs_error *err) GS_MUST_USE;
/* Only the registry. */
int gs_load(gs_installation *installation, const char *bundle, gs_arena *arena, gs_node **result, gs_error *err) GS_MUST_USE;
int gs_status(gs_installation *installation, gs_arena *arena, gs_node **result, gs_error *err) GS_MUST_USE;
/* audit: every row, and the chain is checked. */
int gs_history(gs_installation *installation, bool audit, gs_arena *arena, gs_node **result, gs_error *err) GS_MUST_USE;
/* Serves the kept bundles until stopped. listen NULL: as site.yaml says. ready is called with the address. */
int gs_serve(gs_installation *installation, const char *listen, void (*ready)(void *state, const char *address), void *state,
             gs_error *err) GS_MUST_USE;

#endif
