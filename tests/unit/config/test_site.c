/* A site as a whole, from text and from files. */
#include "config_support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "gapship/limits.h"

static void every_key_is_read(void **state)
{
    (void)state;
    gs_site *s = good_site(
        "/s/site.yaml", HEAD
        "registry: {url: \"https://registry.internal:5000\", prefix: platform/x, ca: ca.pem, credentials: {file: auth}}\n"
        "git: {site: {url: \"https://git.internal/r.git\", user: g, password: {file: p}}, other: {url: /r, author: \"A <a@b>\"}}\n"
        "environments:\n"
        "  staging: {kubeconfig: k, context: c, inputs: i, namespace: ns}\n"
        "  production: {}\n"
        "retention: {keep: 5}\n"
        "policy: {allowUnsigned: true, maxAge: 180d, onStale: refuse}\n");
    assert_string_equal(s->name, "plant-7");
    assert_string_equal(s->registry.prefix, "platform/x");
    assert_string_equal(s->registry.credentials, "/s/auth");
    assert_string_equal(gs_site_registry_host(s), "registry.internal:5000");
    assert_string_equal(gs_site_git_find(s, "site")->author, "gapship <gapship@plant-7>");
    assert_string_equal(gs_site_git_find(s, "other")->author, "A <a@b>");
    assert_null(gs_site_git_find(s, "third"));
    const gs_site_environment *staging = gs_site_environment_find(s, "staging");
    assert_string_equal(staging->context, "c");
    assert_string_equal(staging->namespace, "ns");
    assert_null(gs_site_environment_find(s, "production")->kubeconfig);
    assert_null(gs_site_environment_find(s, "dev"));
    assert_int_equal(s->keep, 5);
    assert_true(s->allow_unsigned);
    assert_true(s->refuse_stale);
    assert_int_equal(s->max_age, 180 * INT64_C(86400));
    gs_site_free(s);
}

static void what_is_left_out_has_its_default(void **state)
{
    (void)state;
    gs_site *s = good_site("site.yaml", HEAD "registry: {embedded: {listen: \"10.0.0.5:5000\"}}\n");
    assert_string_equal(s->registry.prefix, "");
    assert_string_equal(gs_site_registry_host(s), "10.0.0.5:5000");
    assert_int_equal(s->keep, 0);
    assert_false(s->allow_unsigned);
    assert_false(s->refuse_stale);
    assert_int_equal(s->max_age, 0);
    assert_int_equal(s->environments.count + s->git.count, 0);
    gs_site_free(s);
    gs_site_free(NULL);
}

static void the_examples_are_sites(void **state)
{
    (void)state;
    static const char *const examples[] = {"bundle-spec/examples/dex/site.yaml", "bundle-spec/examples/mirai/site.yaml"};
    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        gs_buf text;
        support_read_fixture(examples[i], &text);
        gs_site_free(good_site(examples[i], gs_buf_text(&text)));
        gs_buf_done(&text);
    }
}

/* Loads with the temporary directory as the current one. */
static int load_in(const gs_tempdir *dir, const char *path, gs_site **out, gs_error *err)
{
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(here >= 0);
    assert_int_equal(fchdir(dir->fd), 0);
    int rc = gs_site_load(path, out, err);
    assert_int_equal(fchdir(here), 0);
    close(here);
    return rc;
}

static void a_site_is_found_here_and_by_its_path(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_site *s = NULL;
    support_write(dir->fd, "site.yaml", HEAD REGISTRY);
    support_write(dir->fd, "sub/other.yaml", HEAD REGISTRY);
    assert_ok(&err, load_in(dir, NULL, &s, &err));
    assert_int_equal(s->path[0], '/');
    assert_int_equal(s->root[0], '/');
    assert_true(access(s->path, R_OK) == 0);
    gs_site_free(s);
    s = NULL;
    assert_ok(&err, load_in(dir, "sub/other.yaml", &s, &err));
    assert_contains(s->root, "/sub/trust/root.json");
    gs_site_free(s);
}

static void a_missing_site_says_how_to_make_one(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_site *s = NULL;
    assert_fails(&err, GS_ENOTFOUND, "gapship site init", load_in(dir, "nowhere.yaml", &s, &err));
    if (access("/etc/gapship/site.yaml", F_OK) != 0) {
        assert_fails(&err, GS_ENOTFOUND, "neither site.yaml here nor /etc/gapship/site.yaml exists", load_in(dir, NULL, &s, &err));
    }
    assert_null(s);
}

static void a_broken_site_here_is_not_passed_over(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_site *s = NULL;
    support_write(dir->fd, "site.yaml", HEAD);
    assert_fails(&err, GS_ESPEC, "\"registry\" is missing in a site", load_in(dir, NULL, &s, &err));
}

static void a_large_file_is_refused(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_site *s = NULL;
    char *text = malloc(GS_MAX_SPEC_BYTES + 1);
    assert_non_null(text);
    memset(text, '\n', GS_MAX_SPEC_BYTES + 1);
    assert_fails(&err, GS_ELIMIT, "gapship reads up to 1048576", gs_site_parse("site.yaml", text, GS_MAX_SPEC_BYTES + 1, &s, &err));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(what_is_left_out_has_its_default),
        cmocka_unit_test(the_examples_are_sites),
        test_in_tempdir(a_site_is_found_here_and_by_its_path),
        test_in_tempdir(a_missing_site_says_how_to_make_one),
        test_in_tempdir(a_broken_site_here_is_not_passed_over),
        cmocka_unit_test(a_large_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
