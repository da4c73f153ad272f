/* Paths are the directory's of site.yaml. */
#include "config_support.h"

static const char all[] = HEAD
    "registry: {embedded: {listen: \"a:1\", tls: {certificate: c.pem, key: k.pem}, users: users}, ca: ca.pem}\n"
    "git:\n"
    "  here: {url: ../deploy.git}\n"
    "  ssh: {url: \"git@h:r\", key: {file: id}, knownHosts: known}\n"
    "  web: {url: \"https://h/r\", user: u, password: {file: /run/secrets/p}, ca: git-ca.pem}\n"
    "environments: {a: {kubeconfig: a.kubeconfig, inputs: in/a.yaml}, b: {}}\n";

static void relative_paths_begin_where_the_file_is(void **state)
{
    (void)state;
    gs_site *s = good_site("/etc/gapship/site.yaml", all);
    assert_string_equal(s->path, "/etc/gapship/site.yaml");
    assert_string_equal(s->store, "/var/lib/gapship");
    assert_string_equal(s->root, "/etc/gapship/trust/root.json");
    assert_string_equal(s->registry.embedded.certificate, "/etc/gapship/c.pem");
    assert_string_equal(s->registry.embedded.key, "/etc/gapship/k.pem");
    assert_string_equal(s->registry.embedded.users, "/etc/gapship/users");
    assert_string_equal(s->registry.ca, "/etc/gapship/ca.pem");
    assert_null(s->registry.credentials);
    assert_string_equal(s->git.items[0].url, "/etc/gapship/../deploy.git");
    assert_string_equal(s->git.items[1].url, "git@h:r");
    assert_string_equal(s->git.items[1].key_file, "/etc/gapship/id");
    assert_string_equal(s->git.items[1].known_hosts, "/etc/gapship/known");
    assert_string_equal(s->git.items[2].url, "https://h/r");
    assert_string_equal(s->git.items[2].password_file, "/run/secrets/p");
    assert_string_equal(s->git.items[2].ca, "/etc/gapship/git-ca.pem");
    assert_string_equal(s->environments.items[0].kubeconfig, "/etc/gapship/a.kubeconfig");
    assert_string_equal(s->environments.items[0].inputs, "/etc/gapship/in/a.yaml");
    assert_null(s->environments.items[1].inputs);
    gs_site_free(s);
}

static void a_file_without_a_directory_changes_nothing(void **state)
{
    (void)state;
    gs_site *s = good_site("site.yaml", all);
    assert_string_equal(s->root, "trust/root.json");
    gs_site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relative_paths_begin_where_the_file_is),
        cmocka_unit_test(a_file_without_a_directory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
