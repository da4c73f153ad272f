/* What an operator writes: site.yaml, as structs. Pure data; paths are made absolute against the file's directory. No I/O but by
 * gs_site_load. Every key is described in bundle-spec/SITE.md.
 */
#ifndef GAPSHIP_SITE_H
#define GAPSHIP_SITE_H

#include <stdbool.h>

#include "gapship/bind.h"

typedef struct gs_site_registry {
    const char *url;    /* of an existing registry, or NULL */
    const char *prefix; /* before every repository, "" for none */
    const char *ca;
    const char *credentials; /* file */
    struct {
        const char *listen;            /* "127.0.0.1:5000": gapship serves, no url */
        const char *certificate, *key; /* TLS, or NULL */
        const char *users;             /* htpasswd-like file "user:password" per line, 0600; NULL: anonymous pull */
    } embedded;
    gs_place place;
} gs_site_registry;

typedef struct gs_site_git {
    const char *name; /* "site" */
    const char *url;
    const char *user, *password_file;
    const char *key_file, *known_hosts, *ca;
    const char *author; /* "gapship <gapship@SITE>" */
    gs_place place;
} gs_site_git;

typedef struct gs_site_environment {
    const char *name;
    const char *kubeconfig; /* or NULL */
    const char *context;
    const char *inputs;    /* file of input values, or NULL */
    const char *namespace; /* where gapship keeps its inventory; default of the units */
    gs_place place;
} gs_site_environment;

typedef struct gs_site {
    gs_doc *doc;
    gs_arena *arena;
    const char *path; /* of site.yaml */
    const char *name;
    const char *store; /* directory */
    const char *root;  /* trust root file */
    gs_site_registry registry;
    struct {
        gs_site_git *items;
        size_t count;
    } git;
    struct {
        gs_site_environment *items;
        size_t count;
    } environments;
    int64_t keep; /* retention.keep; 0: as the release says */
    bool allow_unsigned;
    int64_t max_age;   /* seconds after its issue from which a bundle is stale; 0: only as it says itself */
    bool refuse_stale; /* policy.onStale: a stale bundle, or an expired root, is refused; else only warned of */
} gs_site;

int gs_site_parse(const char *path, const char *data, size_t len, gs_site **out, gs_error *err) GS_MUST_USE;
/* PATH, or NULL: ./site.yaml, then /etc/gapship/site.yaml. GS_ENOTFOUND with a hint about `gapship site init`. */
int gs_site_load(const char *path, gs_site **out, gs_error *err) GS_MUST_USE;
void gs_site_free(gs_site *site);
void gs_site_free_p(gs_site **site);
#define GS_AUTO_SITE __attribute__((cleanup(gs_site_free_p)))
const gs_site_environment *gs_site_environment_find(const gs_site *site, const char *name); /* NULL: not configured */
const gs_site_git *gs_site_git_find(const gs_site *site, const char *name);
/* "host:port" that nodes pull from: the registry's, or the embedded one's address. */
const char *gs_site_registry_host(const gs_site *site);

/* Input values of one environment (a flat YAML map of scalars; sensitive ones are never printed). */
int gs_site_inputs_load(const char *path, gs_arena *arena, gs_text_map *out, gs_error *err) GS_MUST_USE;

#endif
