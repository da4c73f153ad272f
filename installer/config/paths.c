/* Paths of site.yaml are relative to its directory, whatever directory gapship is called in. Must not open anything. */
#include "config_internal.h"

#include <string.h>

#include "gapship/text.h"

static bool resolve(const gs_site *site, const char **path)
{
    const char *slash = strrchr(site->path, '/');
    if (!*path || **path == '/' || !slash) {
        return true;
    }
    *path = gs_arena_printf(site->arena, "%.*s/%s", (int)(slash - site->path), site->path, *path);
    return *path != NULL;
}

/* A repository on this machine: a path without a scheme that is no scp-like address. */
static bool is_local(const char *url)
{
    return !strstr(url, "://") && !strchr(url, '@');
}

static bool resolve_git(const gs_site *site, gs_site_git *git)
{
    return resolve(site, &git->password_file) && resolve(site, &git->key_file) && resolve(site, &git->known_hosts) &&
           resolve(site, &git->ca) && (!is_local(git->url) || resolve(site, &git->url));
}

int gs_site_resolve_paths(gs_site *site, gs_error *err)
{
    gs_site_registry *registry = &site->registry;
    bool resolved = resolve(site, &site->store) && resolve(site, &site->root) && resolve(site, &registry->ca) &&
                    resolve(site, &registry->credentials) && resolve(site, &registry->embedded.certificate) &&
                    resolve(site, &registry->embedded.key) && resolve(site, &registry->embedded.users);
    for (size_t i = 0; resolved && i < site->git.count; i++) {
        resolved = resolve_git(site, &site->git.items[i]);
    }
    for (size_t i = 0; resolved && i < site->environments.count; i++) {
        gs_site_environment *environment = &site->environments.items[i];
        resolved = resolve(site, &environment->kubeconfig) && resolve(site, &environment->inputs);
    }
    return resolved ? 0 : gs_fail_nomem(err);
}
