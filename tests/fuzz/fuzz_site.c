/* site.yaml: what is accepted has absolute paths, one kind of registry, each name where it is looked for, and no secret in it. */
#include <string.h>

#include "fuzz.h"
#include "gapship/site.h"
#include "gapship/text.h"

static void check_path(const char *path)
{
    check(!path || path[0] == '/');
}

static void check_registry(const gs_site *site)
{
    const gs_site_registry *registry = &site->registry;
    check((registry->url != NULL) != (registry->embedded.listen != NULL));
    const char *host = gs_site_registry_host(site);
    check(host[0] != '\0' && !strpbrk(host, "/@?# "));
    check((registry->embedded.certificate != NULL) == (registry->embedded.key != NULL));
    check_path(registry->ca);
    check_path(registry->credentials);
    check_path(registry->embedded.users);
}

static void check_git(const gs_site *site, const gs_site_git *git)
{
    check(gs_site_git_find(site, git->name) != NULL && git->author != NULL && git->url[0] != '\0');
    check_path(git->password_file);
    check_path(git->key_file);
    check_path(git->known_hosts);
    check_path(git->ca);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_site *site = NULL;
    if (gs_site_parse("/srv/site.yaml", (const char *)data, size, &site, &err) != 0) {
        check(err.code == GS_ESPEC || err.code == GS_ELIMIT);
        return 0;
    }
    check(gs_name_valid(site->name) && site->store && site->keep >= 0 && (site->root || site->allow_unsigned));
    check_path(site->store);
    check_path(site->root);
    check_registry(site);
    for (size_t i = 0; i < site->git.count; i++) {
        check_git(site, &site->git.items[i]);
    }
    for (size_t i = 0; i < site->environments.count; i++) {
        const gs_site_environment *environment = &site->environments.items[i];
        check(gs_site_environment_find(site, environment->name) != NULL);
        check_path(environment->kubeconfig);
        check_path(environment->inputs);
    }
    gs_site_free(site);
    return 0;
}
