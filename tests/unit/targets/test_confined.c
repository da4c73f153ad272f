/* What helm and kubectl may read at the site, by what the kubeconfig names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "targets.h"

static bool lists(const char *const *paths, const char *directory, const char *name)
{
    char wanted[512];
    (void)snprintf(wanted, sizeof wanted, "%s%s%s", directory, directory[0] ? "/" : "", name);
    for (size_t i = 0; paths[i]; i++) {
        if (strcmp(paths[i], wanted) == 0) {
            return true;
        }
    }
    return false;
}

/* The confinement with this kubeconfig. */
static gs_confinement confine(const gs_tempdir *dir, const char *kubeconfig, gs_arena *arena)
{
    gs_error err = {0};
    gs_confinement out = {0};
    const gs_run run = {0};
    support_write(dir->fd, "kubeconfig", kubeconfig);
    const gs_site_environment place = {.kubeconfig = gs_arena_printf(arena, "%s/kubeconfig", dir->path)};
    const gs_target_job job = {.run = &run, .place = &place, .work = "/work"};
    assert_ok(&err, gs_tool_confinement(&job, "/own", arena, &out, &err));
    assert_true(out.network);
    assert_false(out.strict);
    assert_true(out.memory > 0 && out.file_size > 0 && out.open_files > 0);
    assert_true(lists(out.writable, "", "/own"));
    return out;
}

static void lets_tools_read_what_the_kubeconfig_names(void **state)
{
    gs_tempdir *dir = *state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const gs_confinement found = confine(dir,
                                         "clusters:\n- {name: a, cluster: {server: x, certificate-authority: pki/ca.pem}}\n"
                                         "- {name: b, cluster: {certificate-authority: /etc/site/ca.pem}}\n"
                                         "users:\n- {name: a, user: {client-certificate: me.crt, client-key: keys/me.key}}\n"
                                         "- {name: b, user: {tokenFile: tokens/b}}\n- {name: c, user: {token: abc}}\n",
                                         arena);
    assert_true(found.no_files);
    static const char *const names[] = {"kubeconfig", "pki/ca.pem", "me.crt", "keys/me.key", "tokens"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_true(lists(found.readable, dir->path, names[i]));
    }
    assert_true(lists(found.readable, "", "/etc/site/ca.pem"));
    assert_true(lists(found.readable, "", "/work"));
    assert_false(lists(found.readable, "", dir->path));
    assert_false(lists(found.writable, dir->path, "kubeconfig"));
}

static void has_no_rules_where_another_program_gives_credentials(void **state)
{
    gs_tempdir *dir = *state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    assert_false(confine(dir, "users: [{name: a, user: {exec: {command: aws}}}]\n", arena).no_files);
    assert_false(confine(dir, "users: [{name: a, user: {auth-provider: {name: oidc}}}]\n", arena).no_files);
    assert_false(confine(dir, "users: [\n", arena).no_files);
    assert_true(confine(dir, "users:\n", arena).no_files);
    assert_true(confine(dir, "clusters: {a: {cluster: {}}}\nusers: {a: {user: {}}}\n", arena).no_files);
}

static void adds_what_the_user_allows(void **state)
{
    gs_tempdir *dir = *state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    assert_int_equal(setenv("GAPSHIP_TOOL_PATHS", ":/opt/tools::/srv/log:", 1), 0);
    const gs_confinement found = confine(dir, "{}", arena);
    assert_int_equal(unsetenv("GAPSHIP_TOOL_PATHS"), 0);
    assert_string_equal(found.usable[0], "/opt/tools");
    assert_string_equal(found.usable[1], "/srv/log");
    assert_null(found.usable[2]);
    assert_null(confine(dir, "{}", arena).usable[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(lets_tools_read_what_the_kubeconfig_names),
        test_in_tempdir(has_no_rules_where_another_program_gives_credentials),
        test_in_tempdir(adds_what_the_user_allows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
