/* Nothing in a bundle may be changed: every bit of everything that is not content, every byte of the content, cut anywhere,
 * extended. The file is a memory file, changed in place and restored. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sample.h"

typedef struct target {
    sample s;
    gs_buf bytes;
    int fd;
    char path[64];
} target;

/* Two signatures, both required: with fewer, a change in one that is not needed could not be told from an unknown key. */
static void make_target(target *t, gs_tempdir *dir)
{
    static const uint64_t sizes[] = {0, 7, 512, 700, SAMPLE_END};
    sample_init(&t->s, dir, sizes);
    sample_trust(&t->s, 2, 2);
    sample_write(&t->s, 2);
    sample_read(&t->s, &t->bytes);
    t->fd = memfd_create("bundle", MFD_CLOEXEC);
    assert_true(t->fd >= 0);
    assert_int_equal(gs_fs_pwrite(t->fd, t->bytes.data, t->bytes.len, 0, NULL), 0);
    (void)snprintf(t->path, sizeof t->path, "/proc/self/fd/%d", t->fd);
}

static void end_target(target *t)
{
    (void)close(t->fd);
    gs_buf_done(&t->bytes);
    sample_done(&t->s);
}

/* Verifies, and checks all content, as everything does that uses a bundle. */
static int take(const target *t, gs_error *err)
{
    static const gs_run one_thread = {.jobs = 1};
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    int code = gs_bundle_open(t->path, &bundle, err);
    code = code == 0 ? gs_bundle_verify(&bundle, &(gs_terms){.trust = t->s.trust}, &verified, err) : code;
    return code == 0 ? gs_verified_check(&one_thread, verified, err) : code;
}

static void assert_refused(const target *t, const char *what, uint64_t offset, unsigned detail)
{
    gs_error err = {0};
    int code = take(t, &err);
    if (gs_code_exit(code) != 3 || code == GS_EDOWNGRADE || err.message[0] == '\0') {
        fail_msg("%s at %lu (%#x): code %d, \"%s\"", what, (unsigned long)offset, detail, code, err.message);
    }
}

static void poke(const target *t, uint64_t offset, unsigned char mask)
{
    unsigned char byte = (unsigned char)t->bytes.data[offset] ^ mask;
    assert_int_equal(gs_fs_pwrite(t->fd, &byte, 1, offset, NULL), 0);
}

/* Marks the bytes that are content of a member, which the second test takes. */
static unsigned char *find_content(const target *t)
{
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    assert_ok(&err, sample_verify(&t->s, &verified, &err));
    unsigned char *content = calloc(1, t->bytes.len);
    assert_non_null(content);
    size_t count;
    const gs_member *members = gs_verified_members(verified, &count);
    for (size_t i = 0; i < count; i++) {
        memset(content + members[i].offset, 1, (size_t)members[i].size);
    }
    return content;
}

static void test_every_bit_that_is_not_content(void **state)
{
    target t;
    make_target(&t, *state);
    unsigned char *content = find_content(&t);
    size_t flipped = 0;
    for (size_t at = 0; at < t.bytes.len; at++) {
        for (unsigned bit = 0; !content[at] && bit < 8; bit++) {
            poke(&t, at, (unsigned char)(1u << bit));
            assert_refused(&t, "flipped bit", at, bit);
            flipped++;
        }
        poke(&t, at, 0);
    }
    gs_error err = {0};
    assert_ok(&err, take(&t, &err));
    assert_true(flipped > 8u * (18000 + 9 * 512));
    free(content);
    end_target(&t);
}

static void test_every_byte_of_the_content(void **state)
{
    static const unsigned char patterns[] = {0x01, 0x80, 0xff};
    target t;
    make_target(&t, *state);
    unsigned char *content = find_content(&t);
    size_t changed = 0;
    for (size_t at = 0; at < t.bytes.len; at++) {
        for (size_t i = 0; content[at] && i < COUNT_OF(patterns); i++) {
            poke(&t, at, patterns[i]);
            assert_refused(&t, "changed byte", at, patterns[i]);
            changed++;
        }
        poke(&t, at, 0);
    }
    gs_error err = {0};
    assert_ok(&err, take(&t, &err));
    assert_true(changed >= 3u * (7 + 512 + 700 + 30));
    free(content);
    end_target(&t);
}

static void test_cut_anywhere(void **state)
{
    target t;
    make_target(&t, *state);
    for (size_t length = t.bytes.len; length-- > 0;) {
        assert_int_equal(ftruncate(t.fd, (off_t)length), 0);
        assert_refused(&t, "cut", length, 0);
    }
    end_target(&t);
}

static void test_extended(void **state)
{
    static const size_t more[] = {1, 511, 512, 1024, 10240};
    target t;
    make_target(&t, *state);
    for (size_t i = 0; i < COUNT_OF(more); i++) {
        assert_int_equal(ftruncate(t.fd, (off_t)(t.bytes.len + more[i])), 0);
        assert_refused(&t, "extended by zeros", more[i], 0);
    }
    assert_int_equal(gs_fs_pwrite(t.fd, t.bytes.data, t.bytes.len, t.bytes.len, NULL), 0);
    assert_refused(&t, "extended by another bundle", t.bytes.len, 0);
    assert_int_equal(ftruncate(t.fd, (off_t)t.bytes.len), 0);
    gs_error err = {0};
    assert_ok(&err, take(&t, &err));
    end_target(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_every_bit_that_is_not_content),
        test_in_tempdir(test_every_byte_of_the_content),
        test_in_tempdir(test_cut_anywhere),
        test_in_tempdir(test_extended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
