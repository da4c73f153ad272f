/* Every key of site.yaml, once. bundle-spec/SITE.md explains them and bundle-spec/schema/site.schema.json repeats them for editors;
 * a test compares both with these tables. Must not know how keys relate to each other: that is check.c's. */
#include "config_internal.h"

#include <string.h>

#include "gapship/num.h"
#include "gapship/oci.h"
#include "gapship/text.h"

#define COUNT_OF(list) (sizeof(list) / sizeof(list)[0])
#define PLACE(type)                                                                                                                \
    {                                                                                                                              \
        .kind = GS_BIND_PLACE, .offset = offsetof(type, place)                                                                     \
    }

static bool is_api_version(const char *text)
{
    return strcmp(text, "gapship/v1") == 0;
}

static bool is_kind(const char *text)
{
    return strcmp(text, "Site") == 0;
}

static bool is_not_empty(const char *text)
{
    return *text != '\0';
}

static bool is_prefix(const char *text)
{
    return *text == '\0' || gs_repository_valid(text);
}

static bool is_positive(const char *digits)
{
    return *digits != '-' && strcmp(digits, "0") != 0;
}

static bool is_age(const char *text)
{
    int64_t seconds = 0;
    return gs_parse_age(text, &seconds) && seconds > 0;
}

#define NOT_EMPTY .valid = is_not_empty, .expects = "a text with something in it"
#define NAME      .valid = gs_name_valid, .expects = "a name of up to 63 lower-case letters and digits, inside also '-', '.' and '_'"

/* `{file: PATH}` lands in a single text: the struct of this table is that text. A secret itself has no place in site.yaml. */
static const gs_bind_field secret_fields[] = {
    {.key = "file", .kind = GS_BIND_TEXT, .required = true, NOT_EMPTY},
};
static const gs_bind_table secret_table = {"a secret's place", sizeof(const char *), secret_fields, COUNT_OF(secret_fields), NULL};

#define EMBEDDED(member) (offsetof(gs_site_registry, embedded.member) - offsetof(gs_site_registry, embedded))
/* `tls: {certificate, key}` lands in two neighbours of the embedded registry. */
typedef struct tls_pair {
    const char *certificate, *key;
} tls_pair;
_Static_assert(EMBEDDED(key) - EMBEDDED(certificate) == offsetof(tls_pair, key), "certificate and key stand as in tls_pair");
static const gs_bind_field tls_fields[] = {
    GS_FIELD(tls_pair, certificate, "certificate", TEXT, .required = true, NOT_EMPTY),
    GS_FIELD(tls_pair, key, "key", TEXT, .required = true, NOT_EMPTY),
};
static const gs_bind_table tls_table = {"the embedded registry's tls", sizeof(tls_pair), tls_fields, COUNT_OF(tls_fields), NULL};

static const gs_bind_field embedded_fields[] = {
    {.key = "listen", .kind = GS_BIND_TEXT, .offset = EMBEDDED(listen), .required = true, NOT_EMPTY},
    {.key = "tls", .kind = GS_BIND_STRUCT, .offset = EMBEDDED(certificate), .table = &tls_table},
    {.key = "users", .kind = GS_BIND_TEXT, .offset = EMBEDDED(users), NOT_EMPTY},
};
static const gs_bind_table embedded_table = {"the embedded registry", sizeof(((gs_site_registry *)NULL)->embedded), embedded_fields,
                                             COUNT_OF(embedded_fields), NULL};

static const gs_bind_field registry_fields[] = {
    PLACE(gs_site_registry),
    GS_FIELD(gs_site_registry, url, "url", TEXT, NOT_EMPTY),
    GS_FIELD(gs_site_registry, prefix, "prefix", TEXT, .otherwise = "", .valid = is_prefix,
             .expects = "a repository prefix: lower-case components separated by '/', like platform"),
    GS_FIELD(gs_site_registry, ca, "ca", TEXT, NOT_EMPTY),
    GS_FIELD(gs_site_registry, credentials, "credentials", STRUCT, .table = &secret_table),
    GS_FIELD(gs_site_registry, embedded, "embedded", STRUCT, .table = &embedded_table),
};
static const gs_bind_table registry_table = {"the site's registry", sizeof(gs_site_registry), registry_fields,
                                             COUNT_OF(registry_fields), NULL};

static const gs_bind_field git_fields[] = {
    {.key = "NAME", .kind = GS_BIND_KEY, .offset = offsetof(gs_site_git, name), NAME},
    PLACE(gs_site_git),
    GS_FIELD(gs_site_git, url, "url", TEXT, .required = true, NOT_EMPTY),
    GS_FIELD(gs_site_git, user, "user", TEXT, NOT_EMPTY),
    GS_FIELD(gs_site_git, password_file, "password", STRUCT, .table = &secret_table),
    GS_FIELD(gs_site_git, key_file, "key", STRUCT, .table = &secret_table),
    GS_FIELD(gs_site_git, known_hosts, "knownHosts", TEXT, NOT_EMPTY),
    GS_FIELD(gs_site_git, ca, "ca", TEXT, NOT_EMPTY),
    GS_FIELD(gs_site_git, author, "author", TEXT, NOT_EMPTY),
};
static const gs_bind_table git_table = {"a git repository", sizeof(gs_site_git), git_fields, COUNT_OF(git_fields), NULL};

static const gs_bind_field environment_fields[] = {
    {.key = "NAME", .kind = GS_BIND_KEY, .offset = offsetof(gs_site_environment, name), NAME},
    PLACE(gs_site_environment),
    GS_FIELD(gs_site_environment, kubeconfig, "kubeconfig", TEXT, NOT_EMPTY),
    GS_FIELD(gs_site_environment, context, "context", TEXT, NOT_EMPTY),
    GS_FIELD(gs_site_environment, inputs, "inputs", TEXT, NOT_EMPTY),
    GS_FIELD(gs_site_environment, namespace, "namespace", TEXT, NOT_EMPTY),
};
static const char *const environment_later[] = {"argocd", NULL};
static const gs_bind_table environment_table = {"an environment of the site", sizeof(gs_site_environment), environment_fields,
                                                COUNT_OF(environment_fields), environment_later};

static const gs_bind_field trust_fields[] = {
    {.key = "root", .kind = GS_BIND_TEXT, .required = true, NOT_EMPTY},
};
static const gs_bind_table trust_table = {"the site's trust", sizeof(((gs_site_file *)NULL)->trust), trust_fields,
                                          COUNT_OF(trust_fields), NULL};

static const gs_bind_field retention_fields[] = {
    {.key = "keep", .kind = GS_BIND_INTEGER, .required = true, .valid = is_positive, .expects = "a number above 0"},
};
static const gs_bind_table retention_table = {"the site's retention", sizeof(((gs_site_file *)NULL)->retention), retention_fields,
                                              COUNT_OF(retention_fields), NULL};

static const char *const stale_choices[] = {"warn", "refuse", NULL};
#define POLICY(member) (offsetof(gs_site_file, policy.member) - offsetof(gs_site_file, policy))
static const gs_bind_field policy_fields[] = {
    {.key = "allowUnsigned", .kind = GS_BIND_BOOL, .offset = POLICY(allow_unsigned)},
    {.key = "maxAge",
     .kind = GS_BIND_TEXT,
     .offset = POLICY(max_age),
     .valid = is_age,
     .expects = "a number of days or hours above 0, like 180d, up to 36500d"},
    {.key = "onStale", .kind = GS_BIND_CHOICE, .offset = POLICY(on_stale), .choices = stale_choices, .otherwise = "warn"},
};
static const char *const policy_later[] = {"exec", NULL};
static const gs_bind_table policy_table = {"the site's policy", sizeof(((gs_site_file *)NULL)->policy), policy_fields,
                                           COUNT_OF(policy_fields), policy_later};

static const gs_bind_field site_fields[] = {
    GS_FIELD(gs_site_file, api_version, "apiVersion", TEXT, .required = true, .valid = is_api_version, .expects = "gapship/v1"),
    GS_FIELD(gs_site_file, kind, "kind", TEXT, .required = true, .valid = is_kind, .expects = "Site"),
    GS_FIELD(gs_site_file, site.name, "name", TEXT, .required = true, NAME),
    GS_FIELD(gs_site_file, site.store, "store", TEXT, .required = true, NOT_EMPTY),
    GS_FIELD(gs_site_file, trust, "trust", STRUCT, .table = &trust_table),
    GS_FIELD(gs_site_file, site.registry, "registry", STRUCT, .required = true, .table = &registry_table),
    GS_FIELD(gs_site_file, site.git, "git", STRUCT_MAP, .table = &git_table),
    GS_FIELD(gs_site_file, site.environments, "environments", STRUCT_MAP, .table = &environment_table),
    GS_FIELD(gs_site_file, retention, "retention", STRUCT, .table = &retention_table),
    GS_FIELD(gs_site_file, policy, "policy", STRUCT, .table = &policy_table),
};
static const char *const site_later[] = {"approvers", NULL};
const gs_bind_table gs_site_table = {"a site", sizeof(gs_site_file), site_fields, COUNT_OF(site_fields), site_later};
