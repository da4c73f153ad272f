/* What the files of src/release share: the tables and the stages of reading a release. */
#ifndef GAPSHIP_RELEASE_INTERNAL_H
#define GAPSHIP_RELEASE_INTERNAL_H

#include "gapship/release.h"

/* release.yaml as written: the keys around the struct that the rest of gapship sees. */
typedef struct gs_release_file {
    const char *api_version, *kind;
    struct {
        const char *name, *version;
        int64_t sequence, epoch, security_floor;
        const char *fresh_for, *notes;
        gs_place place;
    } metadata;
    struct {
        int64_t keep;
    } rollback;
    gs_release release; /* without what metadata and rollback hold */
} gs_release_file;

typedef struct gs_lock_file {
    const char *api_version, *kind;
    gs_lock lock;
} gs_lock_file;

extern const gs_bind_table gs_release_table; /* gs_release_file */
extern const gs_bind_table gs_lock_table;    /* gs_lock_file */

/* The keys that say where a unit's objects come from. */
#define GS_SOURCE_KINDS 3
extern const char *const gs_source_kinds[GS_SOURCE_KINDS];

/* rules.c: what a text may be, for the tables. */
bool gs_rule_version(const char *text);
bool gs_rule_constraint(const char *text);
bool gs_rule_path(const char *text); /* gs_path_valid or "." */
bool gs_rule_input_name(const char *text);
bool gs_rule_env_name(const char *text);
bool gs_rule_label(const char *text);    /* DNS label: namespaces */
bool gs_rule_dns_name(const char *text); /* DNS subdomain: Secrets, service accounts */
bool gs_rule_positive(const char *digits);
bool gs_rule_not_negative(const char *digits);
bool gs_rule_age(const char *text);
bool gs_rule_not_empty(const char *text);
bool gs_rule_url(const char *text); /* of a check; may begin with a variable */
bool gs_rule_digest(const char *text);
bool gs_rule_api_version(const char *text);
bool gs_rule_kind_release(const char *text);
bool gs_rule_kind_lock(const char *text);

/* inherit.c: resolves `extends` in the tree, before binding. */
int gs_release_inherit(gs_doc *doc, gs_error *err);
/* defaults.c: members whose default depends on others. */
int gs_release_fill(gs_release *release, gs_error *err);
/* check.c, check_environment.c: what one struct alone cannot show. */
int gs_release_check(gs_release *release, gs_error *err);
int gs_release_check_environment(gs_release *release, gs_environment_spec *environment, gs_error *err);
/* order.c: units so that each stands behind those it needs; refuses circles and unknown names. */
int gs_release_order_units(gs_release *release, gs_environment_spec *environment, gs_error *err);

/* templates.c: every ${…} in text is a variable that will exist. path is the value's, below the map at place. */
typedef enum gs_template_kind { GS_TEMPLATE_PLAIN, GS_TEMPLATE_SCHEMA, GS_TEMPLATE_MESSAGE } gs_template_kind;
typedef struct gs_template_place {
    gs_place place;
    const char *path;
    gs_template_kind kind; /* SCHEMA: of a migration with a schema; MESSAGE: of a commit */
} gs_template_place;
int gs_release_check_template(const gs_release *release, gs_template_place where, const char *text, gs_error *err);
int gs_release_check_template_list(const gs_release *release, gs_template_place where, const gs_text_list *list, gs_error *err);
int gs_release_check_template_map(const gs_release *release, gs_template_place where, const gs_text_map *map, gs_error *err);
int gs_release_check_template_node(const gs_release *release, const gs_node *node, gs_error *err);

/* GS_ESPEC at the value under path of the map at place, or at the map. */
int gs_release_fail(const gs_release *release, gs_place place, const char *path, gs_error *err, const char *format, ...)
    GS_PRINTF(5, 6);

#endif
