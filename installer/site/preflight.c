/* What can be known to be missing before anything changes: tools, their versions, repositories. Asks no cluster and no registry. */
#include "gapship/text.h"
#include "site.h"

static int check_repository(const gs_installation *site, const gs_environment_spec *environment, const gs_unit_spec *unit,
                            gs_error *err)
{
    const char *name = unit->target.repository ? unit->target.repository : "site";
    if (gs_site_git_find(site->site, name)) {
        return 0;
    }
    (void)gs_fail(err, GS_ECHECK, "unit '%s' of '%s' goes to the repository '%s', which the site does not configure", unit->name,
                  environment->name, name);
    (void)gs_error_at(err, "%s", site->site->path);
    return gs_error_hint(err, "add `%s: {url: …}` under `git`", name);
}

static int check_unit(const gs_installation *site, const gs_environment_spec *environment, const gs_unit_spec *unit, gs_error *err)
{
    int code = 0;
    switch ((gs_target_kind)unit->target.kind) {
    case GS_TARGET_HELM:
        code = gs_tools_need_helm(&site->tools, err);
        return code == 0 ? gs_tools_need_kubectl(&site->tools, err) : code;
    case GS_TARGET_KUBECTL:
        code = gs_tools_need_kubectl(&site->tools, err);
        return code == 0 && unit->source.chart ? gs_tools_need_helm(&site->tools, err) : code;
    case GS_TARGET_GITOPS:
        return check_repository(site, environment, unit, err);
    }
    return gs_fail(err, GS_EINTERNAL, "unit '%s' has an unknown kind of target", unit->name);
}

static int check_environment(const gs_installation *site, const gs_environment_spec *environment, gs_error *err)
{
    int code = environment->migrations.count > 0 ? gs_tools_need_kubectl(&site->tools, err) : 0;
    for (size_t i = 0; code == 0 && i < environment->units.count; i++) {
        code = check_unit(site, environment, &environment->units.items[i], err);
    }
    return code;
}

/* requires.tools: only of tools that are here; whether one is needed at all, the targets say. */
static int check_versions(const gs_installation *site, const gs_release *release, gs_error *err)
{
    const gs_text_map *tools = &release->requires.tools;
    for (size_t i = 0; i < tools->count; i++) {
        const char *version = gs_text_equal(tools->items[i].key, "kubectl") ? site->tools.kubectl_version
                              : gs_text_equal(tools->items[i].key, "helm")  ? site->tools.helm_version
                                                                            : NULL;
        bool valid = true;
        if (version && !gs_version_satisfies(version, tools->items[i].value, &valid)) {
            (void)gs_fail(err, valid ? GS_ECHECK : GS_ESPEC, "%s %s requires %s %s, and this machine has %s", release->name,
                          release->version, tools->items[i].key, tools->items[i].value, version);
            return gs_error_hint(err, "install another %s, or name one by $GAPSHIP_%s", tools->items[i].key,
                                 gs_text_equal(tools->items[i].key, "helm") ? "HELM" : "KUBECTL");
        }
    }
    return 0;
}

int gs_preflight(const gs_installation *site, const gs_contents *contents, const gs_plan *plan, gs_error *err)
{
    int code = check_versions(site, contents->release, err);
    for (size_t i = 0; code == 0 && i < plan->count; i++) {
        if (plan->steps[i].kind == GS_STEP_RECORD) { /* one of each planned environment */
            code = check_environment(site, &contents->release->environments.items[plan->steps[i].environment], err);
        }
    }
    return code;
}
