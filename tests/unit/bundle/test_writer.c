/* Beginning and going on: an interrupted build keeps what it has proven and nothing else. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sample.h"

typedef struct heard {
    char names[4][32];
    char texts[4][200];
    size_t count;
} heard;

static void hear(void *state, const gs_event *event)
{
    heard *h = state;
    if (h->count < COUNT_OF(h->names)) {
        (void)snprintf(h->names[h->count], sizeof h->names[0], "%s", event->name);
        (void)snprintf(h->texts[h->count], sizeof h->texts[0], "%s", event->text);
    }
    h->count++;
}

static gs_writer *begin(sample *s, heard *h)
{
    static gs_run run;
    run = (gs_run){.emit = hear, .state = h, .jobs = 2};
    gs_writer *writer = NULL;
    gs_error err = {0};
    memset(h, 0, sizeof *h);
    assert_ok(&err, gs_writer_begin(&run, s->path, &s->plan, &writer, &err));
    return writer;
}

static void seal_and_verify(sample *s, gs_writer *writer)
{
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    assert_ok(&err, gs_writer_seal(writer, (const gs_private_key *const *)s->private, 1, true, NULL, &err));
    gs_writer_free(writer);
    assert_ok(&err, sample_verify(s, &verified, &err));
    assert_ok(&err, gs_verified_check(NULL, verified, &err));
}

static const uint64_t sizes[] = {GS_CHUNK_BYTES + 3, 7, 512, SAMPLE_END};

static void test_goes_on(void **state)
{
    sample s;
    heard h;
    sample_init(&s, *state, sizes);
    gs_writer *writer = begin(&s, &h);
    assert_int_equal(h.count, 0);
    sample_put(&s, writer, 0);
    sample_put(&s, writer, 2);
    gs_writer_free(writer);

    writer = begin(&s, &h);
    assert_int_equal(h.count, 1);
    assert_string_equal(h.names[0], "partialResumed");
    assert_contains(h.texts[0], "going on with 2 of 3 blobs");
    assert_true(gs_writer_has(writer, &s.descriptors[0].digest));
    assert_false(gs_writer_has(writer, &s.descriptors[1].digest));
    assert_true(gs_writer_has(writer, &s.descriptors[2].digest));
    sample_put(&s, writer, 1);
    seal_and_verify(&s, writer);
    sample_done(&s);
}

/* The file as an interrupted run or a power loss may leave it. */
static void change_partial(const sample *s, uint64_t offset, const char *text)
{
    gs_error err = {0};
    GS_AUTO_FD int fd = openat(s->dir->fd, "demo.gapship.partial", O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_ok(&err, gs_fs_pwrite(fd, text, strlen(text), offset, &err));
}

static void test_believes_no_damaged_blob(void **state)
{
    sample s;
    heard h;
    gs_error err = {0};
    sample_init(&s, *state, sizes);
    sample_write(&s, 1);
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    assert_ok(&err, sample_verify(&s, &verified, &err));
    uint64_t places[3];
    for (size_t i = 0; i < 3; i++) {
        places[i] = gs_verified_blob(verified, &s.descriptors[i].digest)->offset;
    }
    gs_writer *writer = begin(&s, &h);
    for (size_t i = 0; i < 3; i++) {
        sample_put(&s, writer, i);
    }
    gs_writer_free(writer);
    change_partial(&s, places[0] + GS_CHUNK_BYTES, "x"); /* its content */
    change_partial(&s, places[1] - 512, "x");            /* its header */

    writer = begin(&s, &h);
    assert_contains(h.texts[0], "1 of 3");
    assert_true(gs_writer_has(writer, &s.descriptors[2].digest));
    sample_put(&s, writer, 0);
    sample_put(&s, writer, 1);
    seal_and_verify(&s, writer);
    sample_done(&s);
}

/* A power loss between the last write and the rename: the partial is a whole bundle, and the same build ends with it. */
static void test_a_finished_partial(void **state)
{
    sample s;
    heard h;
    sample_init(&s, *state, sizes);
    sample_write(&s, 1);
    assert_int_equal(renameat(s.dir->fd, "demo.gapship", s.dir->fd, "demo.gapship.partial"), 0);
    gs_writer *writer = begin(&s, &h);
    assert_contains(h.texts[0], "3 of 3");
    gs_bundle *bundle = NULL;
    gs_error err = {0};
    assert_fails(&err, GS_EFORMAT, "unfinished", gs_bundle_open_at(s.dir->fd, "demo.gapship.partial", &bundle, &err));
    seal_and_verify(&s, writer);
    sample_done(&s);
}

static void test_another_layout_begins_anew(void **state)
{
    sample s;
    sample other;
    heard h;
    static const uint64_t other_sizes[] = {GS_CHUNK_BYTES + 3, 7, 5000, 5, SAMPLE_END};
    sample_init(&s, *state, sizes);
    sample_init(&other, *state, other_sizes);
    gs_writer *writer = begin(&s, &h);
    sample_put(&s, writer, 0);
    gs_writer_free(writer);
    writer = begin(&other, &h);
    assert_int_equal(h.count, 1);
    assert_string_equal(h.names[0], "partialDiscarded");
    assert_false(gs_writer_has(writer, &other.descriptors[0].digest));
    for (size_t i = 0; i < other.blob_count; i++) {
        sample_put(&other, writer, i);
    }
    gs_trust_free(other.trust);
    other.trust = NULL;
    sample_trust(&other, 1, 1);
    seal_and_verify(&other, writer);
    sample_done(&s);
    sample_done(&other);
}

/* The same length, but other blobs: nothing is taken over, and nothing of it shows in the bundle. */
static void test_garbage_of_the_same_length(void **state)
{
    sample s;
    heard h;
    gs_error err = {0};
    sample_init(&s, *state, sizes);
    gs_writer *writer = begin(&s, &h);
    const uint64_t length = gs_writer_length(writer);
    gs_writer_free(writer);
    GS_AUTO_BUF gs_buf garbage;
    gs_buf_init(&garbage, SIZE_MAX);
    char *room = gs_buf_reserve(&garbage, (size_t)length);
    assert_non_null(room);
    memset(room, 'g', (size_t)length);
    assert_ok(&err, gs_fs_write_file(s.dir->fd, "demo.gapship.partial", room, (size_t)length, 0644, &err));
    writer = begin(&s, &h);
    for (size_t i = 0; i < s.blob_count; i++) {
        assert_false(gs_writer_has(writer, &s.descriptors[i].digest));
        sample_put(&s, writer, i);
    }
    seal_and_verify(&s, writer);
    sample_done(&s);
}

static void test_one_build_at_a_time(void **state)
{
    sample s;
    heard h;
    gs_error err = {0};
    gs_writer *second = NULL;
    sample_init(&s, *state, sizes);
    gs_writer *writer = begin(&s, &h);
    assert_fails(&err, GS_ELOCKED, "another process", gs_writer_begin(NULL, s.path, &s.plan, &second, &err));
    assert_null(second);
    gs_writer_free(writer);
    writer = begin(&s, &h);
    gs_writer_free(writer);
    sample_done(&s);
}

static void test_room_is_looked_for_first(void **state)
{
    sample s;
    gs_error err = {0};
    gs_writer *writer = NULL;
    sample_init(&s, *state, sizes);
    s.descriptors[0].size = UINT64_C(1) << 44;
    assert_fails(&err, GS_ENOSPACE, "needs another 17.6 TB", gs_writer_begin(NULL, s.path, &s.plan, &writer, &err));
    struct stat info;
    assert_int_equal(fstatat(s.dir->fd, "demo.gapship.partial", &info, 0), 0);
    assert_int_equal(info.st_blocks, 0);
    sample_done(&s);
}

static void test_bad_places(void **state)
{
    sample s;
    gs_error err = {0};
    gs_writer *writer = NULL;
    sample_init(&s, *state, sizes);
    assert_fails(&err, GS_ENOTFOUND, "absent/x.partial", gs_writer_begin(NULL, "absent/x", &s.plan, &writer, &err));
    assert_int_equal(symlinkat("elsewhere", s.dir->fd, "demo.gapship.partial"), 0);
    assert_int_not_equal(gs_writer_begin(NULL, s.path, &s.plan, &writer, &err), 0);
    assert_false(gs_fs_exists(s.dir->fd, "elsewhere"));
    assert_null(writer);
    sample_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_goes_on),
        test_in_tempdir(test_believes_no_damaged_blob),
        test_in_tempdir(test_a_finished_partial),
        test_in_tempdir(test_another_layout_begins_anew),
        test_in_tempdir(test_garbage_of_the_same_length),
        test_in_tempdir(test_one_build_at_a_time),
        test_in_tempdir(test_room_is_looked_for_first),
        test_in_tempdir(test_bad_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
