/* Defaults that come from other members. */
#include "release_support.h"

static void images_take_their_path_for_a_repository(void **state)
{
    (void)state;
    gs_release *release = good_release(
        HEAD "images: [{from: \"ghcr.io/org/app:1\"}, {from: \"nginx:1.25\"},\n"
             "{from: \"docker-archive:a.tar:quay.io/x/y:2\"}, {from: \"oci:dir:v\", as: z}]\n" CHARTS ENVIRONMENT);
    assert_string_equal(release->images.items[0].as, "org/app");
    assert_string_equal(release->images.items[1].as, "library/nginx");
    assert_string_equal(release->images.items[2].as, "x/y");
    assert_string_equal(release->images.items[3].as, "z");
    gs_release_free(release);
    const bad_input unnamed = {HEAD "images: [{from: \"oci-archive:a.tar\"}]\n" ENVIRONMENT, "release.yaml:4:10",
                               "\"as\" is missing in an image: oci-archive:a.tar names no repository"};
    assert_bad_release(&unnamed);
}

static void a_schema_bears_what_it_goes_between(void **state)
{
    (void)state;
    gs_release *release = good_release(
        HEAD CHARTS
        "schemas: {m: {from: \"3\", to: \"4\"}, n: {from: \"3\", to: \"4\", appMin: \"2\", appMax: \"5\"}}\n" ENVIRONMENT);
    assert_string_equal(release->schemas.items[0].app_min, "3");
    assert_string_equal(release->schemas.items[0].app_max, "4");
    assert_string_equal(release->schemas.items[1].app_min, "2");
    assert_string_equal(release->schemas.items[1].app_max, "5");
    gs_release_free(release);
}

static void targets_get_what_their_kind_has(void **state)
{
    (void)state;
    gs_release *release = good_release(HEAD CONTENTS "environments: [{name: a, units: [" UNIT ",\n"
                                                     "{name: g, source: {overlay: k8s}, target: {kind: gitops}},\n"
                                                     "{name: k, source: {manifests: m}, target: {kind: kubectl}}], migrations: [\n"
                                                     "{name: m, image: team/backend, command: [x]},\n"
                                                     "{name: o, image: team/backend, command: [x], namespace: other}]}]\n");
    const gs_environment_spec *a = gs_release_environment(release, "a");
    const gs_target_spec *helm = &a->units.items[0].target, *gitops = &a->units.items[1].target,
                         *kubectl = &a->units.items[2].target;
    assert_string_equal(helm->release, "app");
    assert_null(helm->branch);
    assert_string_equal(gitops->repository, "site");
    assert_string_equal(gitops->branch, "main");
    assert_string_equal(gitops->path, ".");
    assert_string_equal(gitops->message, "chore: update ${environment} to ${name} ${version}");
    assert_string_equal(gitops->rollback_message, "chore: roll ${environment} back to ${name} ${version}");
    assert_null(gitops->release);
    assert_string_equal(a->units.items[1].source.path, ".");
    assert_null(kubectl->release);
    assert_null(kubectl->branch);
    assert_int_equal(a->units.items[2].wait.timeout, 300000);
    assert_string_equal(a->migrations.items[0].namespace, "web");
    assert_string_equal(a->migrations.items[1].namespace, "other");
    assert_int_equal(a->migrations.items[0].retry.attempts, 1);
    assert_int_equal(a->migrations.items[0].deadline, 300000);
    gs_release_free(release);
}

static void a_written_source_means_this_directory(void **state)
{
    (void)state;
    gs_release *release = good_release(HEAD CHARTS ENVIRONMENT);
    assert_null(release->source.repo);
    assert_int_equal(release->keep, 3);
    gs_release_free(release);
    release = good_release(HEAD CHARTS "source: {allowDirty: true}\n" ENVIRONMENT);
    assert_string_equal(release->source.repo, ".");
    assert_string_equal(release->source.commit, "auto");
    assert_string_equal(release->source.ref, "auto");
    assert_true(release->source.allow_dirty);
    gs_release_free(release);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_take_their_path_for_a_repository),
        cmocka_unit_test(a_schema_bears_what_it_goes_between),
        cmocka_unit_test(targets_get_what_their_kind_has),
        cmocka_unit_test(a_written_source_means_this_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
