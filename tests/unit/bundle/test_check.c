/* Checking and copying all of a bundle, on one thread and on several: the first damage is named, the copy is the file. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "sample.h"

static const uint64_t sizes[] = {5 * GS_CHUNK_BYTES + 10, 5, 0, 3 * GS_CHUNK_BYTES, 700, SAMPLE_END};

typedef struct listener {
    _Atomic uint64_t most;
    _Atomic uint64_t total;
    _Atomic unsigned calls;
} listener;

static void listen(void *state, const gs_progress *progress)
{
    listener *l = state;
    uint64_t most = atomic_load(&l->most);
    while (progress->done > most && !atomic_compare_exchange_weak(&l->most, &most, progress->done)) {
    }
    atomic_store(&l->total, progress->total);
    atomic_fetch_add(&l->calls, 1);
}

static int make_copy(const gs_run *run, const sample *s, const gs_verified *verified, gs_error *err)
{
    gs_newfile file = GS_NEWFILE_INIT;
    int code = gs_newfile_begin(&file, s->dir->fd, "copy.gapship", 0644, err);
    code = code == 0 ? gs_verified_copy(run, verified, file.fd, err) : code;
    code = code == 0 ? gs_newfile_commit(&file, true, err) : code;
    gs_newfile_done(&file);
    return code;
}

static void assert_same_files(const sample *s)
{
    GS_AUTO_BUF gs_buf original;
    GS_AUTO_BUF gs_buf copy;
    gs_error err = {0};
    gs_buf_init(&original, GS_GIB(1));
    gs_buf_init(&copy, GS_GIB(1));
    assert_ok(&err, gs_fs_read_file(s->dir->fd, "demo.gapship", &original, &err));
    assert_ok(&err, gs_fs_read_file(s->dir->fd, "copy.gapship", &copy, &err));
    assert_int_equal(original.len, copy.len);
    assert_true(memcmp(original.data, copy.data, copy.len) == 0);
}

static void test_good_and_copied(void **state)
{
    for (unsigned jobs = 0; jobs <= 3; jobs++) {
        sample s;
        gs_error err = {0};
        listener heard = {0};
        const gs_run run = {.progress = listen, .state = &heard, .jobs = jobs};
        GS_AUTO_VERIFIED gs_verified *verified = NULL;
        sample_init(&s, *state, sizes);
        sample_write(&s, 2);
        assert_ok(&err, sample_verify(&s, &verified, &err));
        assert_ok(&err, gs_verified_check(&run, verified, &err));
        assert_int_equal(heard.most, gs_verified_length(verified));
        assert_int_equal(heard.total, gs_verified_length(verified));
        assert_int_equal(heard.calls, 6 + 1 + 1 + 3 + 1 + 3);
        assert_ok(&err, make_copy(&run, &s, verified, &err));
        assert_same_files(&s);
        sample_done(&s);
    }
}

/* One byte wrong in each unit in turn: its member and its place are named. */
static void test_damage_is_named(void **state)
{
    sample s;
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    sample_init(&s, *state, sizes);
    sample_write(&s, 1);
    assert_ok(&err, sample_verify(&s, &verified, &err));
    GS_AUTO_FD int fd = open(s.path, O_RDWR | O_CLOEXEC);
    size_t count;
    const gs_member *members = gs_verified_members(verified, &count);
    size_t damaged = 0;
    for (size_t i = 0; i < count; i++) {
        for (uint64_t at = 0; at < members[i].size; at += GS_CHUNK_BYTES) {
            uint64_t left = members[i].size - at;
            uint64_t last = members[i].offset + at + (left < GS_CHUNK_BYTES ? left : GS_CHUNK_BYTES) - 1;
            char byte;
            char place[64];
            char name[GS_MEMBER_NAME];
            assert_ok(&err, gs_fs_pread(fd, &byte, 1, last, &err));
            const char wrong = (char)(byte ^ 0x40);
            assert_ok(&err, gs_fs_pwrite(fd, &wrong, 1, last, &err));
            (void)snprintf(place, sizeof place, "at offset %llu of the file", (unsigned long long)(members[i].offset + at));
            gs_member_name(&members[i], name);
            assert_fails(&err, GS_EDIGEST, place, gs_verified_check(NULL, verified, &err));
            assert_fails(&err, GS_EDIGEST, name, gs_verified_check(NULL, verified, &err));
            assert_fails(&err, GS_EDIGEST, place, make_copy(NULL, &s, verified, &err));
            assert_ok(&err, gs_fs_pwrite(fd, &byte, 1, last, &err));
            damaged++;
        }
    }
    assert_int_equal(damaged, 6 + 1 + 3 + 1 + 3);
    assert_false(gs_fs_exists(s.dir->fd, "copy.gapship"));
    sample_done(&s);
}

static void test_the_lowest_damage_is_named(void **state)
{
    sample s;
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    sample_init(&s, *state, sizes);
    sample_write(&s, 1);
    assert_ok(&err, sample_verify(&s, &verified, &err));
    const gs_member *member = gs_verified_blob(verified, &s.descriptors[0].digest);
    GS_AUTO_FD int fd = open(s.path, O_RDWR | O_CLOEXEC);
    char place[64];
    for (uint64_t i = 0; i < 5; i++) {
        assert_ok(&err, gs_fs_pwrite(fd, "damage", 6, member->offset + i * GS_CHUNK_BYTES, &err));
    }
    (void)snprintf(place, sizeof place, "at offset %llu ", (unsigned long long)member->offset);
    const gs_run run = {.jobs = 4};
    assert_fails(&err, GS_EDIGEST, place, gs_verified_check(&run, verified, &err));
    sample_done(&s);
}

/* Between verification and copy the medium may change: what is outside the content is written from what was verified. */
static void test_copy_does_not_read_the_head_again(void **state)
{
    sample s;
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    GS_AUTO_VERIFIED gs_verified *copied = NULL;
    sample_init(&s, *state, sizes);
    sample_write(&s, 1);
    assert_ok(&err, sample_verify(&s, &verified, &err));
    const gs_member *member = gs_verified_blob(verified, &s.descriptors[0].digest);
    GS_AUTO_FD int fd = open(s.path, O_RDWR | O_CLOEXEC);
    assert_ok(&err, gs_fs_pwrite(fd, "changed", 7, 0, &err));
    assert_ok(&err, gs_fs_pwrite(fd, "changed", 7, 600, &err));
    assert_ok(&err, gs_fs_pwrite(fd, "changed", 7, member->offset - 512, &err));
    assert_ok(&err, make_copy(NULL, &s, verified, &err));
    gs_bundle *bundle = NULL;
    assert_ok(&err, gs_bundle_open_at(s.dir->fd, "copy.gapship", &bundle, &err));
    assert_ok(&err, gs_bundle_verify(&bundle, &(gs_terms){.trust = s.trust}, &copied, &err));
    assert_ok(&err, gs_verified_check(NULL, copied, &err));
    sample_done(&s);
}

static void test_stops_when_told(void **state)
{
    sample s;
    gs_error err = {0};
    volatile sig_atomic_t stop = 1;
    const gs_run run = {.stop = &stop};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    sample_init(&s, *state, sizes);
    sample_write(&s, 1);
    assert_ok(&err, sample_verify(&s, &verified, &err));
    assert_ok(&err, gs_verified_check(&run, verified, &err));
    stop = 2;
    assert_fails(&err, GS_EINTERRUPTED, "stopped", gs_verified_check(&run, verified, &err));
    sample_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_good_and_copied),
        test_in_tempdir(test_damage_is_named),
        test_in_tempdir(test_the_lowest_damage_is_named),
        test_in_tempdir(test_copy_does_not_read_the_head_again),
        test_in_tempdir(test_stops_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
