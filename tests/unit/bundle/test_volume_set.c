/* A split bundle: found again, and nothing of it may be changed: every bit of every header, cut and extended anywhere, mixed. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "sample.h"

#define VOLUMES     3u
#define VOLUME_SIZE 20480u

static const uint64_t sizes[] = {0, 7, 20000, SAMPLE_END};

/* demo.gapship.001 to .003. */
static void make(sample *s, gs_tempdir *dir)
{
    sample_init(s, dir, sizes);
    s->plan.volume_size = VOLUME_SIZE;
    sample_write(s, 1);
}

static const char *volume(const sample *s, unsigned number)
{
    static char path[600];
    (void)snprintf(path, sizeof path, "%s.%03u", s->path, number);
    return path;
}

static int take(const sample *s, const char *path, const char *const *directories, size_t count, gs_error *err)
{
    static const gs_run one_thread = {.jobs = 1};
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    int code = gs_bundle_open_volumes(path, directories, count, &bundle, err);
    code = code == 0 ? gs_bundle_verify(&bundle, &(gs_terms){.trust = s->trust}, &verified, err) : code;
    return code == 0 ? gs_verified_check(&one_thread, verified, err) : code;
}

static int take_beside(const sample *s, unsigned number, gs_error *err)
{
    return take(s, volume(s, number), NULL, 0, err);
}

static int open_volume(const sample *s, unsigned number, uint64_t *length)
{
    int fd = open(volume(s, number), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    off_t end = lseek(fd, 0, SEEK_END);
    assert_true(end > 0);
    *length = (uint64_t)end;
    return fd;
}

static void test_any_volume_stands_for_all(void **state)
{
    sample s;
    make(&s, *state);
    for (unsigned number = 1; number <= VOLUMES; number++) {
        gs_error err = {0};
        assert_ok(&err, take_beside(&s, number, &err));
    }
    gs_error err = {0};
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    assert_ok(&err, gs_bundle_open(volume(&s, 2), &bundle, &err));
    assert_int_equal(gs_bundle_volume_count(bundle), VOLUMES);
    assert_ok(&err, gs_bundle_verify(&bundle, &(gs_terms){.trust = s.trust}, &verified, &err));
    assert_int_equal(gs_verified_volume_count(verified), VOLUMES);
    assert_int_equal(gs_verified_fd(verified), -1);
    assert_int_equal(gs_verified_length(verified), gs_verified_statement(verified)->total_length);
    const gs_member *member = gs_verified_blob(verified, &s.descriptors[2].digest);
    GS_AUTO_BUF gs_buf read;
    gs_buf_init(&read, SIZE_MAX);
    assert_ok(&err, gs_verified_read(verified, member, SIZE_MAX, &read, &err));
    assert_memory_equal(read.data, s.blobs[2].data, s.blobs[2].len);
    sample_done(&s);
}

static void test_copies_to_one_file(void **state)
{
    sample s;
    gs_error err = {0};
    make(&s, *state);
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    GS_AUTO_FD int fd = openat(s.dir->fd, "copy", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_ok(&err, gs_bundle_open(volume(&s, 1), &bundle, &err));
    assert_ok(&err, gs_bundle_verify(&bundle, &(gs_terms){.trust = s.trust}, &verified, &err));
    assert_ok(&err, gs_verified_copy(NULL, verified, fd, &err));
    s.plan.volume_size = 0;
    sample_write(&s, 1);
    GS_AUTO_BUF gs_buf copy;
    gs_buf whole;
    gs_buf_init(&copy, GS_GIB(1));
    assert_ok(&err, gs_fs_read_file(s.dir->fd, "copy", &copy, &err));
    sample_read(&s, &whole);
    assert_int_equal(copy.len, whole.len);
    assert_memory_equal(copy.data, whole.data, whole.len);
    gs_buf_done(&whole);
    sample_done(&s);
}

static void test_every_bit_of_every_header(void **state)
{
    sample s;
    make(&s, *state);
    for (unsigned number = 1; number <= VOLUMES; number++) {
        uint64_t length;
        unsigned char header[GS_BLOCK];
        GS_AUTO_FD int fd = open_volume(&s, number, &length);
        assert_int_equal(gs_fs_pread(fd, header, sizeof header, 0, NULL), 0);
        for (size_t bit = 0; bit < 8 * sizeof header; bit++) {
            gs_error err = {0};
            unsigned char byte = header[bit / 8] ^ (unsigned char)(1u << (bit % 8));
            assert_int_equal(gs_fs_pwrite(fd, &byte, 1, bit / 8, NULL), 0);
            int code = take_beside(&s, 1 + (unsigned)bit % VOLUMES, &err);
            /* A number that is possible, but not its own, leaves a gap. */
            if (code != GS_EFORMAT && !(code == GS_ENOTFOUND && bit / 8 >= 12 && bit / 8 < 16)) {
                fail_msg("volume %u, bit %zu: %d %s", number, bit, code, err.message);
            }
            assert_int_equal(gs_fs_pwrite(fd, &header[bit / 8], 1, bit / 8, NULL), 0);
        }
    }
    gs_error err = {0};
    assert_ok(&err, take_beside(&s, 1, &err));
    sample_done(&s);
}

/* Headers that agree with each other and not with what is in them. */
static void test_headers_of_another_bundle(void **state)
{
    sample s;
    gs_error err = {0};
    make(&s, *state);
    for (unsigned number = 1; number <= VOLUMES; number++) {
        uint64_t length;
        GS_AUTO_FD int fd = open_volume(&s, number, &length);
        assert_int_equal(gs_fs_pwrite(fd, "another bundle", 14, 40, NULL), 0);
    }
    assert_fails(&err, GS_EFORMAT, "name another bundle", take_beside(&s, 1, &err));
    sample_done(&s);
}

static void test_cut_and_extended(void **state)
{
    sample s;
    gs_error err = {0};
    make(&s, *state);
    for (unsigned number = 1; number <= VOLUMES; number++) {
        uint64_t length;
        GS_AUTO_FD int fd = open_volume(&s, number, &length);
        GS_AUTO_BUF gs_buf bytes;
        gs_buf_init(&bytes, GS_MIB(1));
        assert_ok(&err, gs_fs_read_file(AT_FDCWD, volume(&s, number), &bytes, &err));
        for (uint64_t cut = 0; cut < length; cut++) {
            assert_int_equal(ftruncate(fd, (off_t)cut), 0);
            assert_int_equal(take_beside(&s, 1 + number % VOLUMES, &err), GS_EFORMAT);
            assert_int_equal(gs_fs_pwrite(fd, bytes.data + cut, bytes.len - cut, cut, NULL), 0);
        }
        static const off_t more[] = {1, 511, 512, VOLUME_SIZE};
        for (size_t i = 0; i < COUNT_OF(more); i++) {
            assert_int_equal(ftruncate(fd, (off_t)length + more[i]), 0);
            assert_fails(&err, GS_EFORMAT, "it was extended", take_beside(&s, number, &err));
            assert_int_equal(ftruncate(fd, (off_t)length), 0);
        }
    }
    assert_ok(&err, take_beside(&s, 1, &err));
    sample_done(&s);
}

static void test_damage_names_the_volume(void **state)
{
    sample s;
    gs_error err = {0};
    make(&s, *state);
    uint64_t length;
    GS_AUTO_FD int fd = open_volume(&s, 3, &length);
    assert_int_equal(gs_fs_pwrite(fd, "x", 1, length - 1, NULL), 0);
    assert_fails(&err, GS_EFORMAT, "of the bundle, on volume 3 of 3 (demo.gapship.003),", take_beside(&s, 1, &err));
    assert_int_equal(gs_fs_pwrite(fd, "\0", 1, length - 1, NULL), 0);
    GS_AUTO_FD int two = open_volume(&s, 2, &length);
    assert_int_equal(gs_fs_pwrite(two, "damaged", 7, 15000, NULL), 0);
    assert_fails(&err, GS_EDIGEST, "is damaged: the 20000 bytes at offset", take_beside(&s, 1, &err));
    assert_fails(&err, GS_EDIGEST, "of the bundle, on volumes 2 to 3 of 3,", take_beside(&s, 1, &err));
    assert_fails(&err, GS_EDIGEST, "demo.gapship.001", take_beside(&s, 1, &err));
    sample_done(&s);
}

static void move(const sample *s, unsigned number, const char *directory)
{
    char to[700];
    (void)snprintf(to, sizeof to, "%s/%s.%03u", directory, "demo.gapship", number);
    assert_int_equal(renameat(AT_FDCWD, volume(s, number), s->dir->fd, to), 0);
}

static void test_directories(void **state)
{
    sample s;
    gs_error err = {0};
    make(&s, *state);
    char one[600];
    char two[600];
    (void)snprintf(one, sizeof one, "%s/one", s.dir->path);
    (void)snprintf(two, sizeof two, "%s/two", s.dir->path);
    assert_ok(&err, gs_fs_make_dirs(AT_FDCWD, one, 0700, &err));
    assert_ok(&err, gs_fs_make_dirs(AT_FDCWD, two, 0700, &err));
    const char *const directories[] = {one, two, one, s.dir->path};
    move(&s, 1, "one");
    assert_fails(&err, GS_ENOTFOUND, "volume 1 of 3 is missing (demo.gapship.001)", take_beside(&s, 2, &err));
    assert_ok(&err, take(&s, volume(&s, 3), directories, 1, &err));
    move(&s, 3, "two");
    assert_fails(&err, GS_ENOTFOUND, "volumes 1, 3 of 3 are missing (demo.gapship.001, …)", take_beside(&s, 2, &err));
    assert_ok(&err, take(&s, volume(&s, 2), directories, COUNT_OF(directories), &err));
    assert_fails(&err, GS_ENOTFOUND, "volume 3 of 3", take(&s, volume(&s, 2), directories, 1, &err));
    const char *const nowhere[] = {"/nowhere"};
    assert_fails(&err, GS_ENOTFOUND, "cannot open the directory", take(&s, volume(&s, 2), nowhere, 1, &err));
    sample_done(&s);
}

static void test_one_in_place_of_another(void **state)
{
    sample s;
    gs_error err = {0};
    make(&s, *state);
    char other[600];
    (void)snprintf(other, sizeof other, "%s/other", s.dir->path);
    assert_ok(&err, gs_fs_make_dirs(AT_FDCWD, other, 0700, &err));
    const char *const directories[] = {other};
    move(&s, 2, "other");
    s.plan.statement.sequence++;
    sample_write(&s, 1);
    assert_ok(&err, take_beside(&s, 1, &err));
    assert_fails(&err, GS_EFORMAT, "this is volume 2 of 3 of another bundle, while", take(&s, volume(&s, 1), directories, 1, &err));
    assert_fails(&err, GS_EFORMAT, "/other/demo.gapship.002: this is", take(&s, volume(&s, 1), directories, 1, &err));
    /* Half as many volumes, and as many. */
    static const uint64_t other_sizes[] = {2 * VOLUME_SIZE, VOLUME_SIZE - 512};
    for (size_t i = 0; i < COUNT_OF(other_sizes); i++) {
        s.plan.volume_size = VOLUME_SIZE;
        sample_write(&s, 1);
        move(&s, 2, "other");
        s.plan.volume_size = other_sizes[i];
        sample_write(&s, 1);
        assert_ok(&err, take_beside(&s, 1, &err));
        assert_fails(&err, GS_EFORMAT, "this is volume 2 of 3 of the same bundle in slices of another size",
                     take(&s, volume(&s, 1), directories, 1, &err));
    }
    sample_done(&s);
}

static void test_the_name_without_a_number(void **state)
{
    sample s;
    gs_error err = {0};
    make(&s, *state);
    assert_fails(&err, GS_ENOTFOUND, "it was split into volumes: name", take(&s, s.path, NULL, 0, &err));
    sample_done(&s);
}

static void test_a_volume_where_a_whole_bundle_belongs(void **state)
{
    sample s;
    gs_error err = {0};
    gs_bundle *bundle = NULL;
    make(&s, *state);
    assert_fails(&err, GS_EFORMAT, "a whole one has to be here", gs_bundle_open_at(s.dir->fd, "demo.gapship.001", &bundle, &err));
    assert_int_equal(renameat(s.dir->fd, "demo.gapship.002", s.dir->fd, "second"), 0);
    char path[600];
    (void)snprintf(path, sizeof path, "%s/second", s.dir->path);
    assert_fails(&err, GS_EFORMAT, "this is volume 2 of 3 of a split bundle, but its name has no number",
                 gs_bundle_open(path, &bundle, &err));
    assert_null(bundle);
    sample_done(&s);
}

static void test_signatures_are_in_the_first(void **state)
{
    sample s;
    gs_error err = {0};
    GS_AUTO_BUF gs_buf statement;
    GS_AUTO_BUF gs_buf encoding;
    GS_AUTO_BUF gs_buf signature;
    gs_buf_init(&statement, GS_MIB(1));
    gs_buf_init(&encoding, GS_MIB(2));
    gs_buf_init(&signature, 1024);
    make(&s, *state);
    {
        GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
        GS_AUTO_VERIFIED gs_verified *verified = NULL;
        assert_ok(&err, gs_bundle_open(volume(&s, 1), &bundle, &err));
        assert_ok(&err, gs_bundle_verify(&bundle, &(gs_terms){0}, &verified, &err));
        assert_ok(&err, gs_verified_statement_bytes(verified, &statement, &encoding, &err));
    }
    assert_ok(&err, gs_sign(s.private[1], encoding.data, encoding.len, &signature, &err));
    assert_fails(&err, GS_EFORMAT, "this is volume 3 of 3, and signatures are in volume 1",
                 gs_bundle_add_signature(volume(&s, 3), s.public[1], signature.data, signature.len, &err));
    assert_ok(&err, gs_bundle_add_signature(volume(&s, 1), s.public[1], signature.data, signature.len, &err));
    sample_trust(&s, 2, 2);
    assert_ok(&err, take_beside(&s, 1, &err));
    sample_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_any_volume_stands_for_all),
        test_in_tempdir(test_copies_to_one_file),
        test_in_tempdir(test_every_bit_of_every_header),
        test_in_tempdir(test_headers_of_another_bundle),
        test_in_tempdir(test_cut_and_extended),
        test_in_tempdir(test_damage_names_the_volume),
        test_in_tempdir(test_directories),
        test_in_tempdir(test_one_in_place_of_another),
        test_in_tempdir(test_the_name_without_a_number),
        test_in_tempdir(test_a_volume_where_a_whole_bundle_belongs),
        test_in_tempdir(test_signatures_are_in_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
