/* What the files of this module share. */
#ifndef GAPSHIP_SITE_INTERNAL_H
#define GAPSHIP_SITE_INTERNAL_H

#include "gapship/install.h"

/* ---- ledger rows (entry.c) ---- */

/* A row of this run, its time now; bundle (may be NULL) fills in what names it. */
gs_entry gs_site_entry(const gs_installation *site, gs_entry_kind kind, const char *verb, const gs_verified *bundle);
/* Facts of a bundle as result keys: product, version, bundle, sequence, epoch, authentic. NULL when out of memory. */
gs_node *gs_bundle_node(gs_arena *arena, const gs_verified *bundle);
/* "2026-11-21T13:55:00Z"; in arena, NULL when out of memory. */
const char *gs_time_text(gs_arena *arena, int64_t seconds);
/* "sha256:…"; in arena, NULL when out of memory. */
const char *gs_digest_in(gs_arena *arena, const gs_digest *digest);

/* ---- which bundles count as authentic here (installation.c) ---- */

/* The site's trust and policy. */
gs_terms gs_site_terms(const gs_installation *site);
/* Whether BUNDLE on the command line is a file; else it is a kept one by its name. */
bool gs_names_file(const char *bundle);
/* Adds to the error of a kept bundle whose signatures do not meet today's trust what may be done. Returns GS_ESIGNATURE. */
int gs_fail_revoked(gs_error *err);
/* Writes the ACCEPTED row of a bundle; permitted: with the run's permit. */
int gs_site_accepted(gs_installation *site, const gs_verified *bundle, const char *verb, bool permitted, gs_error *err) GS_MUST_USE;

/* ---- an opened bundle with its contents, and what ran before (past.c) ---- */

typedef struct gs_subject {
    gs_verified *verified;
    gs_contents *contents;
} gs_subject;
/* ran: only to look at what runs or ran here, which the ledger vouches for: its signers may have been revoked since. What is to be
 * installed is opened without. */
int gs_subject_kept(gs_installation *site, const gs_digest *digest, bool ran, gs_subject *out, gs_error *err) GS_MUST_USE;
void gs_subject_done(gs_subject *subject);
#define GS_AUTO_SUBJECT __attribute__((cleanup(gs_subject_done)))

typedef struct gs_past {
    gs_arena *arena;
    gs_plan_past *items; /* one per environment of the release */
    size_t count;
    gs_buf opened; /* gs_subject after gs_subject: bundles that items borrow from */
} gs_past;
/* with_contents: opens the bundles that ran too, which a rollback needs. out is done'd in every case. */
int gs_past_read(gs_installation *site, const gs_subject *subject, bool with_contents, gs_past *out, gs_error *err) GS_MUST_USE;
void gs_past_done(gs_past *past);
#define GS_AUTO_PAST __attribute__((cleanup(gs_past_done)))

/* ---- before any change (variables.c, preflight.c) ---- */

/* What gs_expand knows in an environment: name, version, environment, bundle, tag.AS, digest.AS, input.NAME. GS_ECHECK names an
 * input that the site does not give or gives in the wrong type. */
int gs_variables_make(const gs_installation *site, const gs_subject *subject, const gs_environment_spec *environment,
                      gs_arena *arena, gs_text_map *out, gs_error *err) GS_MUST_USE;
/* The same and some more. */
int gs_variables_with(const gs_text_map *base, const gs_text_pair *more, size_t count, gs_arena *arena, gs_text_map *out,
                      gs_error *err) GS_MUST_USE;
/* Tools, repositories and versions that the plan's environments need. GS_ECHECK. */
int gs_preflight(const gs_installation *site, const gs_contents *contents, const gs_plan *plan, gs_error *err) GS_MUST_USE;

/* ---- the registry (load.c, push.c) ---- */

typedef struct gs_loading gs_loading;
/* Asks the registry what it lacks. With the embedded registry nothing is asked and nothing is missing. */
int gs_loading_survey(const gs_installation *site, const gs_subject *subject, gs_loading **out, gs_error *err) GS_MUST_USE;
size_t gs_loading_images(const gs_loading *loading);  /* that are missing */
uint64_t gs_loading_bytes(const gs_loading *loading); /* of blobs to upload */
/* Uploads what is missing: blobs, manifests, tags. */
int gs_loading_push(gs_loading *loading, gs_error *err) GS_MUST_USE;
void gs_loading_free(gs_loading *loading);
void gs_loading_free_p(gs_loading **loading);
#define GS_AUTO_LOADING __attribute__((cleanup(gs_loading_free_p)))
/* With an embedded registry: waits until `gapship serve`, if it runs, serves the bundle's images. */
int gs_served_wait(const gs_installation *site, const gs_subject *subject, gs_error *err) GS_MUST_USE;

/* ---- running a plan (execute.c, steps.c) ---- */

typedef struct gs_execution {
    gs_installation *site;
    const gs_subject *subject;
    const gs_plan *plan;
    const gs_past *past;
    gs_arena *arena;
    gs_tempdir work;        /* the bundle's charts, overlays and sources */
    const char *bundle;     /* "sha256:…" */
    gs_text_map *variables; /* one per environment of the release */
    const char *git_cache;
    gs_loading *loading; /* between observing and running a LOAD */
} gs_execution;
/* Preflight, variables, the extracted bundle: all that can fail before anything changes. out is done'd in every case. */
int gs_execution_prepare(gs_installation *site, const gs_subject *subject, const gs_plan *plan, const gs_past *past,
                         gs_execution *out, gs_error *err) GS_MUST_USE;
void gs_execution_done(gs_execution *execution);
#define GS_AUTO_EXECUTION __attribute__((cleanup(gs_execution_done)))
/* Runs the plan; *result: what each step did, by environment. */
int gs_execution_run(gs_execution *execution, gs_arena *arena, gs_node **result, gs_error *err) GS_MUST_USE;

/* A unit's target job, or a migration's (unit NULL). Borrows from execution. */
gs_target_job gs_execution_target(const gs_execution *execution, size_t environment, const gs_unit_spec *unit);

/* One step. observe: *done true when there is nothing left to do. run: does it; note gets one line for the ledger, or stays "". */
#define GS_STEP_NOTE 256
int gs_step_observe(gs_execution *execution, const gs_step *step, bool *done, gs_error *err) GS_MUST_USE;
int gs_step_run(gs_execution *execution, const gs_step *step, char note[GS_STEP_NOTE], gs_error *err) GS_MUST_USE;
/* The name in the ledger: "migrate/main". */
const char *gs_step_name(const gs_step *step);
const gs_environment_spec *gs_step_environment(const gs_execution *execution, const gs_step *step);

/* ---- the plan of a use case (install.c) ---- */

/* A bundle, its past and its plan, made and checked together. */
typedef struct gs_prepared {
    gs_subject subject;
    gs_past past;
    gs_plan *plan;
    bool permitted; /* a rollback that only the run's permit allows */
} gs_prepared;
int gs_prepare_install(gs_installation *site, const gs_install_options *options, bool keep, gs_prepared *out,
                       gs_error *err) GS_MUST_USE;
int gs_prepare_rollback(gs_installation *site, const gs_install_options *options, gs_prepared *out, gs_error *err) GS_MUST_USE;
void gs_prepared_done(gs_prepared *prepared);
#define GS_AUTO_PREPARED __attribute__((cleanup(gs_prepared_done)))

#endif
