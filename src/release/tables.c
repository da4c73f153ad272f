/* Every key of release.yaml, once. bundle-spec/RELEASE.md explains them and bundle-spec/schema/release.schema.json repeats them for
 * editors; a test compares both with these tables. Must not know how keys relate to each other: that is check.c's. */
#include "release_internal.h"

#include "gapship/text.h"

#define PLACE(type)                                                                                                                \
    {                                                                                                                              \
        .kind = GS_BIND_PLACE, .offset = offsetof(type, place)                                                                     \
    }
#define COUNT_OF(list) (sizeof(list) / sizeof(list)[0])
#define TABLE(title, type, list)                                                                                                   \
    {                                                                                                                              \
        .name = (title), .size = sizeof(type), .fields = (list), .field_count = COUNT_OF(list)                                     \
    }
#define RULE(check, says) .valid = (check), .expects = (says)

#define NAME       RULE(gs_name_valid, "a name of up to 63 lower-case letters and digits, inside also '-', '.' and '_'")
#define PATH       RULE(gs_rule_path, "a path below the directory of release.yaml, like deploy/chart, without . or .. in it")
#define CONSTRAINT RULE(gs_rule_constraint, "a version constraint, like \">=1.27\"")
#define REPOSITORY RULE(gs_repository_valid, "a repository: lower-case components separated by '/', like team/app")
#define NAMESPACE  RULE(gs_rule_label, "a namespace: up to 63 lower-case letters, digits and, inside, '-'")
#define OBJECT     RULE(gs_rule_dns_name, "the name of a Kubernetes object: lower-case letters, digits and, inside, '-' and '.'")
#define POSITIVE   RULE(gs_rule_positive, "a number above 0")
#define NUMBER     RULE(gs_rule_not_negative, "a number that is not negative")
#define NOT_EMPTY  RULE(gs_rule_not_empty, "a text with something in it")

/* Contents ---------------------------------------------------------------------------------------- */

static const gs_bind_field image_fields[] = {
    PLACE(gs_image_spec),
    GS_FIELD(gs_image_spec, from, "from", TEXT, .required = true, NOT_EMPTY),
    GS_FIELD(gs_image_spec, as, "as", TEXT, REPOSITORY),
    GS_FIELD(gs_image_spec, platforms, "platforms", TEXT_LIST),
};
static const gs_bind_table image_table = TABLE("an image", gs_image_spec, image_fields);

static const gs_bind_field chart_fields[] = {
    PLACE(gs_chart_spec),
    GS_FIELD(gs_chart_spec, name, "name", TEXT, .required = true, NAME),
    GS_FIELD(gs_chart_spec, from, "from", TEXT, .required = true, NOT_EMPTY),
};
static const char *const chart_later[] = {"version", "repository", NULL};
static const gs_bind_table chart_table = {"a chart", sizeof(gs_chart_spec), chart_fields, COUNT_OF(chart_fields), chart_later};

static const gs_bind_field git_fields[] = {
    GS_FIELD(gs_git_spec, url, "url", TEXT, .required = true, NOT_EMPTY),
    GS_FIELD(gs_git_spec, ref, "ref", TEXT, .required = true, NOT_EMPTY),
};
static const gs_bind_table git_table = TABLE("a git source", gs_git_spec, git_fields);

static const gs_bind_field overlay_fields[] = {
    PLACE(gs_overlay_spec),
    GS_FIELD(gs_overlay_spec, name, "name", TEXT, .required = true, NAME),
    GS_FIELD(gs_overlay_spec, from, "from", TEXT, .required = true, PATH),
    GS_FIELD(gs_overlay_spec, git, "git", STRUCT_PTR, .table = &git_table),
};
static const gs_bind_table overlay_table = TABLE("an overlay", gs_overlay_spec, overlay_fields);

static const gs_bind_field file_fields[] = {
    PLACE(gs_file_spec),
    GS_FIELD(gs_file_spec, name, "name", TEXT, .required = true, NAME),
    GS_FIELD(gs_file_spec, from, "from", TEXT, .required = true, PATH),
};
static const gs_bind_table file_table = TABLE("a file", gs_file_spec, file_fields);

static const gs_bind_field schema_fields[] = {
    {.key = "NAME", .kind = GS_BIND_KEY, .offset = offsetof(gs_schema_spec, name), NAME},
    PLACE(gs_schema_spec),
    GS_FIELD(gs_schema_spec, tool, "tool", TEXT, NOT_EMPTY),
    GS_FIELD(gs_schema_spec, from, "from", TEXT, .required = true, NOT_EMPTY),
    GS_FIELD(gs_schema_spec, to, "to", TEXT, .required = true, NOT_EMPTY),
    GS_FIELD(gs_schema_spec, app_min, "appMin", TEXT, NOT_EMPTY),
    GS_FIELD(gs_schema_spec, app_max, "appMax", TEXT, NOT_EMPTY),
    GS_FIELD(gs_schema_spec, tolerates_future, "toleratesFuture", BOOL),
};
static const gs_bind_table schema_table = TABLE("a schema", gs_schema_spec, schema_fields);

static const char *const input_types[] = {"string", "integer", "boolean", NULL};
static const gs_bind_field input_fields[] = {
    PLACE(gs_input_spec),
    GS_FIELD(gs_input_spec, name, "name", TEXT, .required = true,
             RULE(gs_rule_input_name, "a name of letters, digits, '_', and inside '-' and '.', like LDAP_HOST")),
    GS_FIELD(gs_input_spec, type, "type", CHOICE, .choices = input_types, .otherwise = "string"),
    GS_FIELD(gs_input_spec, required, "required", BOOL),
    GS_FIELD(gs_input_spec, sensitive, "sensitive", BOOL),
    GS_FIELD(gs_input_spec, otherwise, "default", SCALAR),
    GS_FIELD(gs_input_spec, description, "description", TEXT),
};
static const gs_bind_table input_table = TABLE("an input", gs_input_spec, input_fields);

/* Units ------------------------------------------------------------------------------------------- */

const char *const gs_source_kinds[GS_SOURCE_KINDS] = {"chart", "overlay", "manifests"};

static const gs_bind_field source_fields[] = {
    PLACE(gs_source_spec),
    GS_FIELD(gs_source_spec, chart, "chart", TEXT, NAME),
    GS_FIELD(gs_source_spec, values, "values", TEXT_LIST, PATH),
    GS_FIELD(gs_source_spec, set, "set", TEXT_MAP),
    GS_FIELD(gs_source_spec, image_values, "imageValues", TEXT_MAP, REPOSITORY),
    GS_FIELD(gs_source_spec, overlay, "overlay", TEXT, NAME),
    GS_FIELD(gs_source_spec, path, "path", TEXT, PATH),
    GS_FIELD(gs_source_spec, manifests, "manifests", TEXT, PATH),
};
static const gs_bind_table source_table = TABLE("a unit's source", gs_source_spec, source_fields);

static const char *const target_kinds[] = {"helm", "kubectl", "gitops", NULL};
static const gs_bind_field target_fields[] = {
    PLACE(gs_target_spec),
    GS_FIELD(gs_target_spec, kind, "kind", CHOICE, .required = true, .choices = target_kinds),
    GS_FIELD(gs_target_spec, release, "release", TEXT, OBJECT),
    GS_FIELD(gs_target_spec, namespace, "namespace", TEXT, NAMESPACE),
    GS_FIELD(gs_target_spec, repository, "repository", TEXT, NAME),
    GS_FIELD(gs_target_spec, branch, "branch", TEXT, NOT_EMPTY),
    GS_FIELD(gs_target_spec, path, "path", TEXT, PATH),
    GS_FIELD(gs_target_spec, message, "message", TEXT, NOT_EMPTY),
    GS_FIELD(gs_target_spec, rollback_message, "rollbackMessage", TEXT, NOT_EMPTY),
    GS_FIELD(gs_target_spec, preserve, "preserve", TEXT_LIST, PATH),
    GS_FIELD(gs_target_spec, shared, "shared", BOOL),
};
static const gs_bind_table target_table = TABLE("a unit's target", gs_target_spec, target_fields);

static const gs_bind_field wait_fields[] = {
    GS_FIELD(gs_wait_spec, timeout, "timeout", DURATION, .otherwise = "5m"),
    GS_FIELD(gs_wait_spec, stable, "stable", DURATION, .otherwise = "0s"),
};
static const gs_bind_table wait_table = TABLE("a unit's wait", gs_wait_spec, wait_fields);

static const char *const hooks[] = {"native", "extract", NULL};
static const gs_bind_field unit_fields[] = {
    PLACE(gs_unit_spec),
    GS_FIELD(gs_unit_spec, name, "name", TEXT, .required = true, NAME),
    GS_FIELD(gs_unit_spec, needs, "needs", TEXT_LIST, NAME),
    GS_FIELD(gs_unit_spec, source, "source", STRUCT, .required = true, .table = &source_table),
    GS_FIELD(gs_unit_spec, target, "target", STRUCT, .required = true, .table = &target_table),
    GS_FIELD(gs_unit_spec, hooks, "hooks", CHOICE, .choices = hooks, .otherwise = "native"),
    GS_FIELD(gs_unit_spec, wait, "wait", STRUCT, .table = &wait_table),
};
static const gs_bind_table unit_table = TABLE("a unit", gs_unit_spec, unit_fields);

/* Migrations and checks --------------------------------------------------------------------------- */

static const gs_bind_field retry_fields[] = {
    GS_FIELD(gs_retry_spec, attempts, "attempts", INTEGER, .otherwise = "1", POSITIVE),
    GS_FIELD(gs_retry_spec, initial, "initial", DURATION, .otherwise = "2s"),
    GS_FIELD(gs_retry_spec, factor, "factor", INTEGER, .otherwise = "2", POSITIVE),
    GS_FIELD(gs_retry_spec, max, "max", DURATION, .otherwise = "60s"),
};
static const gs_bind_table retry_table = TABLE("a migration's retry", gs_retry_spec, retry_fields);

/* `down: {command: […]}` lands in the migration's text list: the struct of this table is that list. */
static const gs_bind_field down_fields[] = {
    {.key = "command", .kind = GS_BIND_TEXT_LIST},
};
static const gs_bind_table down_table = TABLE("a migration's down", gs_text_list, down_fields);

static const char *const phases[] = {"pre", "post", NULL};
static const gs_bind_field migration_fields[] = {
    PLACE(gs_migration_spec),
    GS_FIELD(gs_migration_spec, name, "name", TEXT, .required = true, NAME),
    GS_FIELD(gs_migration_spec, schema, "schema", TEXT, NAME),
    GS_FIELD(gs_migration_spec, phase, "phase", CHOICE, .choices = phases, .otherwise = "pre"),
    GS_FIELD(gs_migration_spec, wave, "wave", INTEGER),
    GS_FIELD(gs_migration_spec, image, "image", TEXT, .required = true, REPOSITORY),
    GS_FIELD(gs_migration_spec, command, "command", TEXT_LIST, .required = true),
    GS_FIELD(gs_migration_spec, env, "env", TEXT_MAP),
    GS_FIELD(gs_migration_spec, env_from, "envFrom", TEXT_LIST, OBJECT),
    GS_FIELD(gs_migration_spec, namespace, "namespace", TEXT, NAMESPACE),
    GS_FIELD(gs_migration_spec, service_account, "serviceAccount", TEXT, OBJECT),
    GS_FIELD(gs_migration_spec, retry, "retry", STRUCT, .table = &retry_table),
    GS_FIELD(gs_migration_spec, deadline, "deadline", DURATION, .otherwise = "5m"),
    GS_FIELD(gs_migration_spec, reversible, "reversible", BOOL),
    GS_FIELD(gs_migration_spec, down, "down", STRUCT, .table = &down_table),
};
static const gs_bind_table migration_table = TABLE("a migration", gs_migration_spec, migration_fields);

/* `expect: {status, json}` lands in two neighbours of the check. */
typedef struct http_expect {
    int64_t status;
    const gs_node *json;
} http_expect;
_Static_assert(offsetof(gs_http_check, json) - offsetof(gs_http_check, status) == offsetof(http_expect, json),
               "status and json stand in gs_http_check as in http_expect");
static const gs_bind_field expect_fields[] = {
    GS_FIELD(http_expect, status, "status", INTEGER, .otherwise = "200", POSITIVE),
    GS_FIELD(http_expect, json, "json", NODE),
};
static const gs_bind_table expect_table = TABLE("what a check expects", http_expect, expect_fields);

static const gs_bind_field http_fields[] = {
    PLACE(gs_http_check),
    GS_FIELD(gs_http_check, url, "url", TEXT, .required = true,
             RULE(gs_rule_url, "an http:// or https:// URL, or one that begins with a variable")),
    GS_FIELD(gs_http_check, headers, "headers", TEXT_MAP),
    GS_FIELD(gs_http_check, status, "expect", STRUCT, .table = &expect_table),
    GS_FIELD(gs_http_check, retries, "retries", INTEGER, .otherwise = "10", NUMBER),
    GS_FIELD(gs_http_check, every, "every", DURATION, .otherwise = "3s"),
    GS_FIELD(gs_http_check, timeout, "timeout", DURATION, .otherwise = "10s"),
};
static const gs_bind_table http_table = TABLE("an http check", gs_http_check, http_fields);

static const gs_bind_field verify_fields[] = {
    PLACE(gs_verify_spec),
    GS_FIELD(gs_verify_spec, http, "http", STRUCT_PTR, .required = true, .table = &http_table),
};
static const gs_bind_table verify_table = TABLE("a verification", gs_verify_spec, verify_fields);

/* Environments ------------------------------------------------------------------------------------ */

static const gs_bind_field gates_fields[] = {
    PLACE(gs_gates_spec),
    GS_FIELD(gs_gates_spec, verified_in, "verifiedIn", TEXT_LIST, NAME),
};
static const char *const gates_later[] = {"approvals", "wait", "refPattern", NULL};
static const gs_bind_table gates_table = {"an environment's gates", sizeof(gs_gates_spec), gates_fields, COUNT_OF(gates_fields),
                                          gates_later};

static const gs_bind_field environment_fields[] = {
    PLACE(gs_environment_spec),
    GS_FIELD(gs_environment_spec, name, "name", TEXT, .required = true, NAME),
    GS_FIELD(gs_environment_spec, extends, "extends", TEXT, NAME),
    GS_FIELD(gs_environment_spec, units, "units", STRUCT_LIST, .table = &unit_table),
    GS_FIELD(gs_environment_spec, migrations, "migrations", STRUCT_LIST, .table = &migration_table),
    GS_FIELD(gs_environment_spec, verify, "verify", STRUCT_LIST, .table = &verify_table),
    GS_FIELD(gs_environment_spec, gates, "gates", STRUCT, .table = &gates_table),
};
static const char *const environment_later[] = {"seeds", "backup", NULL};
static const gs_bind_table environment_table = {"an environment", sizeof(gs_environment_spec), environment_fields,
                                                COUNT_OF(environment_fields), environment_later};

static const gs_bind_field invariant_fields[] = {
    PLACE(gs_invariant_spec),
    GS_FIELD(gs_invariant_spec, same_digest, "sameDigest", TEXT_LIST, .required = true, NAME),
};
static const gs_bind_table invariant_table = TABLE("an invariant", gs_invariant_spec, invariant_fields);

/* The release ------------------------------------------------------------------------------------- */

#define METADATA(member) (offsetof(gs_release_file, metadata.member) - offsetof(gs_release_file, metadata))
static const gs_bind_field metadata_fields[] = {
    {.kind = GS_BIND_PLACE, .offset = METADATA(place)},
    {.key = "name", .kind = GS_BIND_TEXT, .offset = METADATA(name), .required = true, NAME},
    {.key = "version",
     .kind = GS_BIND_TEXT,
     .offset = METADATA(version),
     .required = true,
     RULE(gs_rule_version, "a version of up to 128 letters, digits, '.', '-' and '_'")},
    {.key = "sequence", .kind = GS_BIND_INTEGER, .offset = METADATA(sequence), .required = true, POSITIVE},
    {.key = "epoch", .kind = GS_BIND_INTEGER, .offset = METADATA(epoch), NUMBER},
    {.key = "securityFloor", .kind = GS_BIND_INTEGER, .offset = METADATA(security_floor), NUMBER},
    {.key = "freshFor",
     .kind = GS_BIND_TEXT,
     .offset = METADATA(fresh_for),
     RULE(gs_rule_age, "a number of days or hours above 0, like 90d, up to 36500d")},
    {.key = "notes", .kind = GS_BIND_TEXT, .offset = METADATA(notes), PATH},
};
static const gs_bind_table metadata_table = {"metadata", sizeof(((gs_release_file *)NULL)->metadata), metadata_fields,
                                             COUNT_OF(metadata_fields), NULL};

static const gs_bind_field provenance_fields[] = {
    PLACE(gs_provenance_spec),
    GS_FIELD(gs_provenance_spec, repo, "repo", TEXT, PATH),
    GS_FIELD(gs_provenance_spec, commit, "commit", TEXT, .otherwise = "auto", NOT_EMPTY),
    GS_FIELD(gs_provenance_spec, ref, "ref", TEXT, .otherwise = "auto", NOT_EMPTY),
    GS_FIELD(gs_provenance_spec, allow_dirty, "allowDirty", BOOL),
};
static const gs_bind_table provenance_table = TABLE("the release's source", gs_provenance_spec, provenance_fields);

static const gs_bind_field requires_fields[] = {
    PLACE(gs_requires_spec),
    GS_FIELD(gs_requires_spec, upgrades_from, "upgradesFrom", TEXT, CONSTRAINT),
    GS_FIELD(gs_requires_spec, kubernetes, "kubernetes", TEXT, CONSTRAINT),
    GS_FIELD(gs_requires_spec, tools, "tools", TEXT_MAP, CONSTRAINT),
};
static const char *const requires_later[] = {"apis", NULL};
static const gs_bind_table requires_table = {"requires", sizeof(gs_requires_spec), requires_fields, COUNT_OF(requires_fields),
                                             requires_later};

static const gs_bind_field rollback_fields[] = {
    {.key = "keep", .kind = GS_BIND_INTEGER, .otherwise = "3", POSITIVE},
};
static const char *const rollback_later[] = {"onFailure", NULL};
static const gs_bind_table rollback_table = {"rollback", sizeof(((gs_release_file *)NULL)->rollback), rollback_fields,
                                             COUNT_OF(rollback_fields), rollback_later};

static const gs_bind_field release_fields[] = {
    GS_FIELD(gs_release_file, api_version, "apiVersion", TEXT, .required = true, RULE(gs_rule_api_version, "gapship/v1")),
    GS_FIELD(gs_release_file, kind, "kind", TEXT, .required = true, RULE(gs_rule_kind_release, "Release")),
    GS_FIELD(gs_release_file, metadata, "metadata", STRUCT, .required = true, .table = &metadata_table),
    GS_FIELD(gs_release_file, release.source, "source", STRUCT, .table = &provenance_table),
    GS_FIELD(gs_release_file, release.requires, "requires", STRUCT, .table = &requires_table),
    GS_FIELD(gs_release_file, release.images, "images", STRUCT_LIST, .table = &image_table),
    GS_FIELD(gs_release_file, release.charts, "charts", STRUCT_LIST, .table = &chart_table),
    GS_FIELD(gs_release_file, release.overlays, "overlays", STRUCT_LIST, .table = &overlay_table),
    GS_FIELD(gs_release_file, release.files, "files", STRUCT_LIST, .table = &file_table),
    GS_FIELD(gs_release_file, release.ignore_images, "ignoreImages", TEXT_LIST, NOT_EMPTY),
    GS_FIELD(gs_release_file, release.schemas, "schemas", STRUCT_MAP, .table = &schema_table),
    GS_FIELD(gs_release_file, release.inputs, "inputs", STRUCT_LIST, .table = &input_table),
    GS_FIELD(gs_release_file, release.environments, "environments", STRUCT_LIST, .required = true, .table = &environment_table),
    GS_FIELD(gs_release_file, release.invariants, "invariants", STRUCT_LIST, .table = &invariant_table),
    GS_FIELD(gs_release_file, rollback, "rollback", STRUCT, .table = &rollback_table),
};
static const char *const release_later[] = {"secrets", "attestations", NULL};
const gs_bind_table gs_release_table = {"a release", sizeof(gs_release_file), release_fields, COUNT_OF(release_fields),
                                        release_later};
