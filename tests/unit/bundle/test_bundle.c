/* Opening: what is no bundle is told so, and a bundle can be looked at by path and by directory. */
#include <fcntl.h>
#include <stdio.h>

#include "sample.h"

static void test_opens(void **state)
{
    sample s;
    gs_error err = {0};
    sample_init(&s, *state, sample_sizes);
    sample_write(&s, 2);
    GS_AUTO_BUNDLE gs_bundle *by_path = NULL;
    GS_AUTO_BUNDLE gs_bundle *in_directory = NULL;
    assert_ok(&err, gs_bundle_open(s.path, &by_path, &err));
    assert_ok(&err, gs_bundle_open_at(s.dir->fd, "demo.gapship", &in_directory, &err));
    assert_int_equal(gs_bundle_signature_count(by_path), 2);
    assert_int_equal(gs_bundle_length(by_path), gs_bundle_length(in_directory));
    sample_done(&s);
}

static void test_what_is_no_bundle(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    char path[600];
    (void)snprintf(path, sizeof path, "%s/file", dir->path);
    assert_fails(&err, GS_ENOTFOUND, "file", gs_bundle_open(path, &bundle, &err));
    support_write(dir->fd, "file", "");
    assert_fails(&err, GS_EFORMAT, "too short", gs_bundle_open(path, &bundle, &err));
    support_write(dir->fd, "file", "hello");
    assert_fails(&err, GS_EFORMAT, "too short", gs_bundle_open(path, &bundle, &err));
    assert_fails(&err, GS_EFORMAT, "does not begin with GAPSHIP1", gs_bundle_open("bundle-spec/FORMAT.md", &bundle, &err));
    assert_fails(&err, GS_ESPEC, "directory", gs_bundle_open(dir->path, &bundle, &err));
    assert_fails(&err, GS_ESPEC, "", gs_bundle_open("/dev/zero", &bundle, &err));
    assert_null(bundle);
}

static void test_an_unfinished_one(void **state)
{
    sample s;
    gs_error err = {0};
    gs_writer *writer = NULL;
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    sample_init(&s, *state, sample_sizes);
    assert_ok(&err, gs_writer_begin(NULL, s.path, &s.plan, &writer, &err));
    gs_writer_free(writer);
    assert_fails(&err, GS_EFORMAT, "unfinished", gs_bundle_open_at(s.dir->fd, "demo.gapship.partial", &bundle, &err));
    sample_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_opens),
        test_in_tempdir(test_what_is_no_bundle),
        test_in_tempdir(test_an_unfinished_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
