/* The permit that a run was given: read once, and again when the site's root has changed meanwhile. */
#include "accept.h"

int gs_installation_permit(gs_installation *installation, const char *path, gs_error *err)
{
    gs_arena *arena = installation->site->arena;
    if (!installation->trust) {
        return gs_fail(err, GS_EUSAGE, "this site has no trust root that a permit could be checked against");
    }
    gs_permit *permit = gs_arena_alloc(arena, sizeof *permit);
    int code = permit ? gs_permit_load(path, installation->trust, arena, permit, err) : gs_fail_nomem(err);
    if (code == 0) {
        installation->permit = permit;
        installation->permit_file = path;
        installation->permit_root = gs_trust_version(installation->trust);
    }
    return code;
}

int gs_permit_renew(gs_installation *site, gs_error *err)
{
    bool same = !site->permit || site->permit_root == gs_trust_version(site->trust);
    return same ? 0 : gs_installation_permit(site, site->permit_file, err);
}
