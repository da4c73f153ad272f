/* The files of a bundle in the making: which ones there are after each interruption, and what the next build makes of them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sample.h"

#define VOLUME_SIZE 20480u

static const uint64_t sizes[] = {0, 7, 20000, 3000, SAMPLE_END};

static void make(sample *s, gs_tempdir *dir)
{
    sample_init(s, dir, sizes);
    s->plan.volume_size = VOLUME_SIZE;
}

static gs_writer *begin(sample *s)
{
    gs_writer *writer = NULL;
    gs_error err = {0};
    assert_ok(&err, gs_writer_begin(NULL, s->path, &s->plan, &writer, &err));
    return writer;
}

static int seal(sample *s, gs_writer *writer, bool replace, gs_error *err)
{
    for (size_t i = 0; i < s->blob_count; i++) {
        if (!gs_writer_has(writer, &s->descriptors[i].digest)) {
            sample_put(s, writer, i);
        }
    }
    return gs_writer_seal(writer, (const gs_private_key *const *)s->private, 1, replace, NULL, err);
}

static void finish(sample *s)
{
    gs_error err = {0};
    GS_AUTO_WRITER gs_writer *writer = begin(s);
    assert_ok(&err, seal(s, writer, false, &err));
}

/* All files of the directory, "a b c" without what they have in common. */
static void assert_files(const sample *s, const char *wanted)
{
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf found;
    gs_fs_entry *entries = NULL;
    size_t count = 0;
    gs_buf_init(&found, GS_KIB(64));
    assert_ok(&err, gs_fs_list(s->dir->fd, ".", arena, &entries, &count, &err));
    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(entries[i].path, "demo.gapship", 12);
        gs_buf_printf(&found, "%s%s", i > 0 ? " " : "", entries[i].path + 12);
    }
    assert_string_equal(gs_buf_text(&found), wanted);
}

static void assert_good(sample *s)
{
    gs_error err = {0};
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    char path[600];
    (void)snprintf(path, sizeof path, "%s.001", s->path);
    assert_ok(&err, gs_bundle_open(path, &bundle, &err));
    assert_ok(&err, gs_bundle_verify(&bundle, &(gs_terms){.trust = s->trust}, &verified, &err));
    assert_ok(&err, gs_verified_check(NULL, verified, &err));
}

static void rename_file(const sample *s, const char *from, const char *to)
{
    assert_int_equal(renameat(s->dir->fd, from, s->dir->fd, to), 0);
}

static void test_from_the_beginning_to_the_end(void **state)
{
    sample s;
    gs_error err = {0};
    gs_bundle *bundle = NULL;
    make(&s, *state);
    gs_writer *writer = begin(&s);
    assert_int_equal(gs_writer_volume_count(writer), 3);
    assert_files(&s, ".001.partial .002.partial .003.partial");
    for (unsigned i = 1; i <= 3; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "demo.gapship.%03u.partial", i);
        assert_fails(&err, GS_EFORMAT, "unfinished", gs_bundle_open_at(s.dir->fd, name, &bundle, &err));
        struct stat info;
        assert_int_equal(fstatat(s.dir->fd, name, &info, 0), 0);
        assert_true(info.st_size <= VOLUME_SIZE);
    }
    assert_ok(&err, seal(&s, writer, false, &err));
    gs_writer_free(writer);
    assert_files(&s, ".001 .002 .003");
    assert_good(&s);
    sample_done(&s);
}

/* Volumes that have their names already: each state that giving them one after the other goes through. */
static void test_goes_on_between_the_names(void **state)
{
    sample s;
    gs_error err = {0};
    make(&s, *state);
    finish(&s);
    for (int named = 0; named <= 2; named++) {
        rename_file(&s, "demo.gapship.001", "demo.gapship.001.partial");
        if (named < 2) {
            rename_file(&s, "demo.gapship.002", "demo.gapship.002.partial");
        }
        if (named < 1) {
            rename_file(&s, "demo.gapship.003", "demo.gapship.003.partial");
        }
        assert_ok(&err, gs_writer_check_free(s.path, true, &err));
        gs_writer *writer = begin(&s);
        assert_files(&s, ".001.partial .002.partial .003.partial");
        for (size_t i = 0; i < s.blob_count; i++) {
            assert_true(gs_writer_has(writer, &s.descriptors[i].digest));
        }
        assert_ok(&err, seal(&s, writer, false, &err));
        gs_writer_free(writer);
        assert_files(&s, ".001 .002 .003");
        assert_good(&s);
    }
    sample_done(&s);
}

/* One volume was lost: what is on the others stays. */
static void test_keeps_what_other_volumes_hold(void **state)
{
    sample s;
    gs_error err = {0};
    make(&s, *state);
    gs_writer *writer = begin(&s);
    for (size_t i = 0; i < s.blob_count; i++) {
        sample_put(&s, writer, i);
    }
    gs_writer_free(writer);
    assert_int_equal(unlinkat(s.dir->fd, "demo.gapship.003.partial", 0), 0);
    writer = begin(&s);
    assert_true(gs_writer_has(writer, &s.descriptors[0].digest));
    assert_true(gs_writer_has(writer, &s.descriptors[1].digest));
    assert_false(gs_writer_has(writer, &s.descriptors[3].digest));
    assert_ok(&err, seal(&s, writer, false, &err));
    gs_writer_free(writer);
    assert_good(&s);
    sample_done(&s);
}

static void test_another_size_begins_anew(void **state)
{
    sample s;
    make(&s, *state);
    gs_writer *writer = begin(&s);
    for (size_t i = 0; i < s.blob_count; i++) {
        sample_put(&s, writer, i);
    }
    gs_writer_free(writer);
    s.plan.volume_size = 2 * VOLUME_SIZE;
    writer = begin(&s);
    assert_files(&s, ".001.partial .002.partial");
    assert_false(gs_writer_has(writer, &s.descriptors[2].digest));
    gs_writer_free(writer);
    finish(&s);
    assert_files(&s, ".001 .002");
    assert_good(&s);
    sample_done(&s);
}

static void test_what_is_there_is_not_replaced(void **state)
{
    sample s;
    gs_error err = {0};
    make(&s, *state);
    static const char *const taken[] = {"demo.gapship.001", "demo.gapship.002", "demo.gapship.004", "demo.gapship.999"};
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        support_write(s.dir->fd, taken[i], "mine");
        if (i < 2) { /* later there are unfinished ones, and further volumes could be theirs */
            assert_fails(&err, GS_EEXISTS, taken[i], gs_writer_check_free(s.path, true, &err));
        }
        assert_ok(&err, gs_writer_check_free(s.path, false, &err));
        GS_AUTO_WRITER gs_writer *writer = begin(&s);
        assert_fails(&err, GS_EEXISTS, taken[i], seal(&s, writer, false, &err));
        support_assert_file(s.dir->fd, taken[i], "mine");
        assert_int_equal(unlinkat(s.dir->fd, taken[i], 0), 0);
    }
    support_write(s.dir->fd, "demo.gapship", "mine");
    assert_fails(&err, GS_EEXISTS, "demo.gapship", gs_writer_check_free(s.path, false, &err));
    finish(&s);
    support_assert_file(s.dir->fd, "demo.gapship", "mine");
    assert_good(&s);
    sample_done(&s);
}

static void test_replacing_leaves_nothing_of_the_old(void **state)
{
    sample s;
    gs_error err = {0};
    make(&s, *state);
    static const char *const old[] = {"demo.gapship.001", "demo.gapship.003", "demo.gapship.004", "demo.gapship.900"};
    for (size_t i = 0; i < COUNT_OF(old); i++) {
        support_write(s.dir->fd, old[i], "old");
    }
    GS_AUTO_WRITER gs_writer *writer = begin(&s);
    assert_ok(&err, seal(&s, writer, true, &err));
    assert_files(&s, ".001 .002 .003");
    assert_good(&s);
    sample_done(&s);
}

/* A finished set is nobody's to take back, whatever else lies beside it. */
static void test_a_finished_set_stays(void **state)
{
    sample s;
    make(&s, *state);
    finish(&s);
    gs_writer_free(begin(&s));
    assert_int_equal(unlinkat(s.dir->fd, "demo.gapship.002.partial", 0), 0);
    gs_writer_free(begin(&s));
    assert_files(&s, ".001 .001.partial .002 .002.partial .003 .003.partial");
    assert_good(&s);
    sample_done(&s);
}

static void test_one_build_at_a_time(void **state)
{
    sample s;
    gs_error err = {0};
    gs_writer *second = NULL;
    make(&s, *state);
    gs_writer *writer = begin(&s);
    assert_fails(&err, GS_ELOCKED, "001.partial", gs_writer_begin(NULL, s.path, &s.plan, &second, &err));
    gs_writer_free(writer);
    assert_null(second);
    sample_done(&s);
}

static void test_sizes(void **state)
{
    sample s;
    gs_error err = {0};
    gs_writer *writer = NULL;
    make(&s, *state);
    s.plan.volume_size = 17000;
    assert_fails(&err, GS_ELIMIT, "volumes of 17000 bytes are too small", gs_writer_begin(NULL, s.path, &s.plan, &writer, &err));
    s.plan.volume_size = VOLUME_SIZE;
    s.descriptors[0].size = 1000 * VOLUME_SIZE;
    assert_fails(&err, GS_ELIMIT, "999 are the most", gs_writer_begin(NULL, s.path, &s.plan, &writer, &err));
    s.descriptors[0].size = UINT64_C(1) << 44;
    s.plan.volume_size = UINT64_C(1) << 43;
    assert_fails(&err, GS_ENOSPACE, "needs another 17.6 TB", gs_writer_begin(NULL, s.path, &s.plan, &writer, &err));
    struct stat info;
    assert_int_equal(fstatat(s.dir->fd, "demo.gapship.002.partial", &info, 0), 0);
    assert_int_equal(info.st_blocks, 0);
    assert_null(writer);
    sample_done(&s);
}

static void test_blobs_out_of_volumes(void **state)
{
    sample s;
    gs_error err = {0};
    make(&s, *state);
    finish(&s);
    char path[600];
    (void)snprintf(path, sizeof path, "%s.002", s.path);
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *older = NULL;
    assert_ok(&err, gs_bundle_open(path, &bundle, &err));
    assert_ok(&err, gs_bundle_verify(&bundle, &(gs_terms){0}, &older, &err));
    static const uint64_t targets[] = {0, 30000};
    for (size_t t = 0; t < COUNT_OF(targets); t++) {
        s.plan.volume_size = targets[t];
        GS_AUTO_WRITER gs_writer *writer = begin(&s);
        for (size_t i = 0; i < s.blob_count; i++) {
            assert_ok(&err, gs_writer_reuse(writer, &s.descriptors[i].digest, older, &err));
        }
        assert_ok(&err, seal(&s, writer, true, &err));
    }
    assert_good(&s);
    GS_AUTO_VERIFIED gs_verified *whole = NULL;
    assert_ok(&err, sample_verify(&s, &whole, &err));
    assert_ok(&err, gs_verified_check(NULL, whole, &err));
    sample_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_from_the_beginning_to_the_end),
        test_in_tempdir(test_goes_on_between_the_names),
        test_in_tempdir(test_keeps_what_other_volumes_hold),
        test_in_tempdir(test_another_size_begins_anew),
        test_in_tempdir(test_what_is_there_is_not_replaced),
        test_in_tempdir(test_replacing_leaves_nothing_of_the_old),
        test_in_tempdir(test_a_finished_set_stays),
        test_in_tempdir(test_one_build_at_a_time),
        test_in_tempdir(test_sizes),
        test_in_tempdir(test_blobs_out_of_volumes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
