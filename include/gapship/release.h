/* What a release engineer writes (release.yaml), as structs. Pure data; no I/O. What the builder pinned is lock.h.
 *
 * Every key is described in bundle-spec/RELEASE.md. The tables that bind them are the only list of keys: the JSON Schema is tested
 * against them. Strings live in the gs_release. A key that gapship knows of but does not support yet is refused by name.
 */
#ifndef GAPSHIP_RELEASE_H
#define GAPSHIP_RELEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/bind.h"
#include "gapship/lock.h"
#include "gapship/oci.h"

typedef struct gs_image_spec {
    const char *from;       /* as written, with its transport */
    const char *as;         /* repository in the site registry; default: the path of from */
    gs_text_list platforms; /* empty: all that the index has */
    gs_place place;
} gs_image_spec;

typedef struct gs_chart_spec {
    const char *name, *from; /* directory or .tgz, relative to release.yaml */
    gs_place place;
} gs_chart_spec;

typedef struct gs_git_spec {
    const char *url, *ref;
} gs_git_spec;

typedef struct gs_overlay_spec {
    const char *name;
    const char *from; /* directory, relative to release.yaml or to the git tree */
    gs_git_spec *git; /* or NULL */
    gs_place place;
} gs_overlay_spec;

typedef struct gs_file_spec {
    const char *name, *from;
    gs_place place;
} gs_file_spec;

typedef enum gs_input_type { GS_INPUT_STRING, GS_INPUT_INTEGER, GS_INPUT_BOOLEAN } gs_input_type;
typedef struct gs_input_spec {
    const char *name;
    int type; /* gs_input_type */
    bool required, sensitive;
    const char *otherwise, *description; /* `default`; or NULL */
    gs_place place;
} gs_input_spec;

/* What the database can bear: the revisions a release's application runs on, and what its migrations make of it. Revisions are
 * ordered by gs_version_compare. */
typedef struct gs_schema_spec {
    const char *name, *tool;
    const char *from, *to;
    const char *app_min, *app_max; /* default: from and to */
    bool tolerates_future;
    gs_place place;
} gs_schema_spec;

typedef struct gs_retry_spec {
    int64_t attempts, factor; /* default 1 and 2 */
    int64_t initial, max;     /* milliseconds, default 2 s and 60 s */
} gs_retry_spec;

typedef enum gs_phase { GS_PHASE_PRE, GS_PHASE_POST } gs_phase;
typedef struct gs_migration_spec {
    const char *name;
    const char *schema; /* a gs_schema_spec's name, or NULL */
    int phase;          /* gs_phase */
    int64_t wave;       /* ascending; each completes before the next */
    const char *image;  /* `as` of an image */
    gs_text_list command;
    gs_text_map env;
    gs_text_list env_from; /* Secrets of the namespace */
    const char *namespace; /* default: of the environment's first unit */
    const char *service_account;
    gs_retry_spec retry;
    int64_t deadline; /* milliseconds, default 5 m */
    bool reversible;
    gs_text_list down; /* command of the newer image that takes the schema back */
    gs_place place;
} gs_migration_spec;

typedef struct gs_http_check {
    const char *url;
    gs_text_map headers;
    int64_t status;                  /* default 200 */
    const gs_node *json;             /* a map: each key must be there with an equal value; or NULL */
    int64_t retries, every, timeout; /* default 10, 3 s, 10 s */
    gs_place place;
} gs_http_check;

typedef struct gs_verify_spec {
    gs_http_check *http;
    gs_place place;
} gs_verify_spec;

/* Where a unit's objects come from: one of chart, overlay, manifests. */
typedef struct gs_source_spec {
    const char *chart;        /* a gs_chart_spec's name */
    gs_text_list values;      /* values files, relative to release.yaml, later wins */
    gs_text_map set;          /* helm --set-string */
    gs_text_map image_values; /* values path -> `as`: gets the relocated reference at the site */
    const char *overlay;      /* a gs_overlay_spec's name */
    const char *path;         /* in the overlay; default "." */
    const char *manifests;    /* a directory, relative to release.yaml */
    gs_place place;
} gs_source_spec;

typedef enum gs_target_kind { GS_TARGET_HELM, GS_TARGET_KUBECTL, GS_TARGET_GITOPS } gs_target_kind;
typedef struct gs_target_spec {
    int kind;                     /* gs_target_kind */
    const char *release;          /* helm: release name; default the unit's */
    const char *namespace;        /* helm, kubectl */
    const char *repository;       /* gitops: a name under `git` of site.yaml; default "site" */
    const char *branch;           /* gitops: default "main" */
    const char *path;             /* gitops: directory in that repository that the overlay's root lands in; default "." */
    const char *message;          /* gitops: commit message template */
    const char *rollback_message; /* gitops */
    gs_text_list preserve;        /* gitops: paths whose site copy wins */
    bool shared;                  /* gitops: changed files that other environments render too may be pushed with this one */
    gs_place place;
} gs_target_spec;

typedef enum gs_hooks { GS_HOOKS_NATIVE, GS_HOOKS_EXTRACT } gs_hooks;
typedef struct gs_wait_spec {
    int64_t timeout, stable; /* milliseconds, default 5 m and 0 */
} gs_wait_spec;

typedef struct gs_unit_spec {
    const char *name;
    gs_text_list needs;
    gs_source_spec source;
    gs_target_spec target;
    int hooks; /* gs_hooks */
    gs_wait_spec wait;
    gs_place place;
} gs_unit_spec;

typedef struct gs_gates_spec {
    gs_text_list verified_in; /* environments that this bundle must have been verified in */
    gs_place place;
} gs_gates_spec;

typedef struct gs_environment_spec {
    const char *name;
    const char *extends; /* resolved by gs_release_parse: the struct already holds what it inherits; not written */
    struct {
        gs_unit_spec *items;
        size_t count;
    } units; /* ordered so that needs come first */
    struct {
        gs_migration_spec *items;
        size_t count;
    } migrations;
    struct {
        gs_verify_spec *items;
        size_t count;
    } verify;
    gs_gates_spec gates;
    gs_place place;
} gs_environment_spec;

typedef struct gs_invariant_spec {
    gs_text_list same_digest; /* environments that must run the same digest of every image they share */
    gs_place place;
} gs_invariant_spec;

/* Where the release itself comes from in git. repo is NULL when release.yaml has no `source`. */
typedef struct gs_provenance_spec {
    const char *repo;
    const char *commit, *ref; /* "auto": as the repository has them */
    bool allow_dirty;
    gs_place place;
} gs_provenance_spec;

typedef struct gs_requires_spec {
    const char *upgrades_from, *kubernetes; /* version constraints, or NULL */
    gs_text_map tools;                      /* kubectl, helm: version constraints */
    gs_place place;
} gs_requires_spec;

typedef struct gs_release {
    gs_doc *doc;     /* owned */
    gs_arena *arena; /* owned */
    const char *name, *version;
    int64_t sequence, epoch, security_floor; /* epoch and floor default 0 */
    const char *fresh_for;                   /* an age ("90d"), or NULL */
    const char *notes;                       /* path, or NULL */
    gs_provenance_spec source;
    gs_requires_spec requires;
    struct {
        gs_image_spec *items;
        size_t count;
    } images;
    struct {
        gs_chart_spec *items;
        size_t count;
    } charts;
    struct {
        gs_overlay_spec *items;
        size_t count;
    } overlays;
    struct {
        gs_file_spec *items;
        size_t count;
    } files;
    gs_text_list ignore_images;
    struct {
        gs_schema_spec *items;
        size_t count;
    } schemas;
    struct {
        gs_input_spec *items;
        size_t count;
    } inputs;
    struct {
        gs_environment_spec *items;
        size_t count;
    } environments;
    struct {
        gs_invariant_spec *items;
        size_t count;
    } invariants;
    int64_t keep; /* rollback.keep, default 3 */
} gs_release;

/* Parses and checks: names unique, `extends` resolved (a cycle is an error), needs, images, charts, overlays, schemas exist,
 * exactly one source, what the target kind needs. GS_ESPEC at name:line:column. */
int gs_release_parse(const char *name, const char *data, size_t len, gs_release **out, gs_error *err) GS_MUST_USE;
/* The resolved release as the bundle carries it (JSON that gs_release_parse reads back to the same structs). */
int gs_release_write(const gs_release *release, gs_buf *out, gs_error *err) GS_MUST_USE;
void gs_release_free(gs_release *release);
void gs_release_free_p(gs_release **release);
#define GS_AUTO_RELEASE __attribute__((cleanup(gs_release_free_p)))
const gs_environment_spec *gs_release_environment(const gs_release *release, const char *name); /* NULL: none */
const gs_schema_spec *gs_release_schema(const gs_release *release, const char *name);

/* "${version}" and its like in text, from pairs; "$${" is a literal "${". An unknown or unclosed variable is GS_ESPEC. The
 * variables are name, version, environment, bundle, tag.AS, digest.AS (of an image), input.NAME (of one that cannot be absent), in
 * a migration with a schema also schema, schema.from and schema.to, and in a commit message unit. gs_release_parse refuses others
 * wherever templates may stand: a migration's command, down and env; url, headers and JSON of a check; a GitOps target's messages.
 */
int gs_expand(const char *text, const gs_text_map *variables, gs_buf *out, gs_error *err) GS_MUST_USE;

#endif
