/* zstd frames: what is compressed comes back and is read by the real zstd; what a frame must not be is refused, in memory and as a
 * stream alike. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/codec.h"
#include "gapship/limits.h"
#include "gapship/proc.h"
#include "support.h"

/* Text-like bytes that compress, the same on every run. */
static char *make_data(size_t len)
{
    char *data = malloc(len + 1);
    assert_non_null(data);
    uint32_t random = 1;
    for (size_t i = 0; i < len; i++) {
        random = random * 1664525u + 1013904223u;
        data[i] = (char)('a' + (random >> 24) % 17);
    }
    data[len] = '\0';
    return data;
}

/* Decodes with gs_source_zstd, asking for `piece` bytes at once. */
static int decode_stream(const void *data, size_t len, uint64_t raw_len, size_t piece, gs_buf *out, gs_error *err)
{
    gs_source *inner = NULL;
    gs_source *source = NULL;
    int code = gs_source_memory(data, len, &inner, err);
    if (code == 0) {
        code = gs_source_zstd(inner, raw_len, &source, err);
    }
    return code == 0 ? support_drain(source, piece, out, err) : code;
}

static void test_round_trip(void **state)
{
    (void)state;
    gs_error err = {0};
    static const size_t lens[] = {0, 1, 255, 256, 65536, 131072, 131073, 1000000};
    static const size_t pieces[] = {1, 7, 1000, 131072, 2000000};
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        for (int level = 1; level <= 19; level += 9) {
            char *data = make_data(lens[i]);
            GS_AUTO_BUF gs_buf frame;
            GS_AUTO_BUF gs_buf raw;
            gs_buf_init(&frame, GS_MIB(2));
            gs_buf_init(&raw, GS_MIB(16));
            gs_buf_add_text(&frame, "head");
            gs_buf_add_text(&raw, "before ");
            assert_ok(&err, gs_zstd_compress(data, lens[i], level, &frame, &err));
            assert_memory_equal(frame.data, "head", 4);
            assert_ok(&err, gs_zstd_decompress(frame.data + 4, frame.len - 4, lens[i], &raw, &err));
            assert_int_equal(raw.len, 7 + lens[i]);
            assert_memory_equal(raw.data, "before ", 7);
            assert_string_equal(gs_buf_text(&raw) + 7, data);
            for (size_t p = lens[i] > 100000 ? 2 : 0; p < COUNT_OF(pieces); p++) {
                gs_buf_clear(&raw);
                assert_ok(&err, decode_stream(frame.data + 4, frame.len - 4, lens[i], pieces[p], &raw, &err));
                assert_string_equal(gs_buf_text(&raw), data);
            }
            free(data);
        }
    }
}

static void test_the_same_bytes_every_time_and_zstd_reads_them(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    size_t len = 500000;
    char *data = make_data(len);
    GS_AUTO_BUF gs_buf one;
    GS_AUTO_BUF gs_buf two;
    gs_buf_init(&one, GS_MIB(1));
    gs_buf_init(&two, GS_MIB(1));
    assert_ok(&err, gs_zstd_compress(data, len, 9, &one, &err));
    assert_ok(&err, gs_zstd_compress(data, len, 9, &two, &err));
    assert_int_equal(one.len, two.len);
    assert_memory_equal(one.data, two.data, one.len);
    assert_ok(&err, gs_fs_write_file(dir->fd, "raw.zst", one.data, one.len, 0644, &err));
    support_write(dir->fd, "raw", data);
    const gs_proc compare = {
        .argv = (const char *const[]){"sh", "-c", "zstd -q -d raw.zst -o out && cmp raw out && zstd -lv raw.zst", NULL},
        .cwd = dir->fd};
    GS_AUTO_PROC gs_proc_result result = {0};
    assert_ok(&err, gs_proc_check(NULL, &compare, GS_EINTERNAL, &result, &err));
    assert_contains(gs_buf_text(&result.output), "(500000 B)");
    assert_contains(gs_buf_text(&result.output), "XXH64");
    free(data);
}

/* Frames written byte by byte: magic, descriptor, [window], [dictionary id], content size, raw blocks. */
#define MAGIC "\x28\xb5\x2f\xfd"
#define ABC                                                                                                                        \
    "\x19\x00\x00"                                                                                                                 \
    "abc"                              /* the last block, raw, 3 bytes */
#define GOOD      MAGIC "\x20\x03" ABC /* a single segment that promises 3 bytes */
#define SKIPPABLE "\x50\x2a\x4d\x18\x04\x00\x00\x00skip"
#define BLOCK_256 "\x01\x08\x00" /* the last block, raw, 256 bytes */

static const struct {
    const char *what;
    const char *frame;
    size_t len;
    size_t zeros; /* that follow */
    uint64_t raw_len;
    const char *text; /* NULL: it is good */
} frames[] = {
#define FRAME(text) text, sizeof(text) - 1
    {"good", FRAME(GOOD), 0, 3, NULL},
    {"a window of 2^27", FRAME(MAGIC "\x40\x88\x00\x00" BLOCK_256), 256, 256, NULL},
    {"a window of 2^27 and some", FRAME(MAGIC "\x40\x89\x00\x00" BLOCK_256), 256, 256, "window of more than 128 MiB"},
    {"a window of 2^28", FRAME(MAGIC "\x40\x90\x00\x00" BLOCK_256), 256, 256, "window of more than 128 MiB"},
    {"a window of 2^41", FRAME(MAGIC "\x40\xf8\x00\x00" BLOCK_256), 256, 256, "header of the zstd frame is damaged"},
    {"nothing", FRAME(""), 0, 0, "not a zstd frame"},
    {"half a magic", FRAME("\x28\xb5"), 0, 3, "not a zstd frame"},
    {"another magic", FRAME("\x28\xb5\x2f\xfc\x20\x03" ABC), 0, 3, "not a zstd frame"},
    {"more than asked for", FRAME(GOOD), 0, 2, "does not promise the 2 bytes"},
    {"less than asked for", FRAME(GOOD), 0, 4, "does not promise the 4 bytes"},
    {"an unknown size", FRAME(MAGIC "\x00\x58" ABC), 0, 3, "does not promise"},
    {"a huge size", FRAME(MAGIC "\xe0\xff\xff\xff\xff\xff\xff\xff\x00" ABC), 0, 3, "does not promise"},
    {"a dictionary", FRAME(MAGIC "\x21\x07\x03" ABC), 0, 3, "dictionary"},
    {"a reserved bit", FRAME(MAGIC "\x28\x03" ABC), 0, 3, ""},
    {"holds more",
     FRAME(MAGIC "\x20\x03\x21\x00\x00"
                 "abcd"),
     0, 3, ""},
    {"holds less",
     FRAME(MAGIC "\x20\x03\x11\x00\x00"
                 "ab"),
     0, 3, ""},
    {"no last block",
     FRAME(MAGIC "\x20\x03\x18\x00\x00"
                 "abc"),
     0, 3, ""},
    {"a reserved block",
     FRAME(MAGIC "\x20\x03\x1f\x00\x00"
                 "abc"),
     0, 3, ""},
    {"a wrong checksum", FRAME(MAGIC "\x24\x03" ABC "\x00\x00\x00\x00"), 0, 3, ""},
    {"a trailing byte", FRAME(GOOD "\x00"), 0, 3, "after the zstd frame"},
    {"a second frame", FRAME(GOOD GOOD), 0, 3, "after the zstd frame"},
    {"far trailing bytes", FRAME(GOOD), 300000, 3, "after the zstd frame"},
    {"a skippable frame", FRAME(SKIPPABLE), 0, 0, "not a zstd frame"},
    {"a skippable frame before", FRAME(SKIPPABLE GOOD), 0, 3, "not a zstd frame"},
    {"a skippable frame behind", FRAME(GOOD SKIPPABLE), 0, 3, "after the zstd frame"},
    {"the old format", FRAME("\x27\xb5\x2f\xfd\x20\x03" ABC), 0, 3, "not a zstd frame"},
#undef FRAME
};

static void judge(const char *what, const char *text, int code, gs_error *err, const gs_buf *raw, uint64_t raw_len)
{
    if ((code == 0) != (text == NULL)) {
        print_error("%s:\n", what);
    }
    if (text) {
        assert_fails(err, GS_EFORMAT, text, code);
    } else {
        assert_ok(err, code);
        assert_int_equal(raw->len, raw_len);
    }
}

static void test_frames_by_hand(void **state)
{
    (void)state;
    gs_error err = {0};
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        GS_AUTO_BUF gs_buf frame;
        GS_AUTO_BUF gs_buf raw;
        gs_buf_init(&frame, GS_MIB(1));
        gs_buf_init(&raw, GS_MIB(1));
        gs_buf_add(&frame, frames[i].frame, frames[i].len);
        gs_buf_add_zeros(&frame, frames[i].zeros);
        int code = gs_zstd_decompress(gs_buf_text(&frame), frame.len, frames[i].raw_len, &raw, &err);
        judge(frames[i].what, frames[i].text, code, &err, &raw, frames[i].raw_len);
        if (code != 0) {
            assert_int_equal(raw.len, 0);
        }
        gs_buf_clear(&raw);
        judge(frames[i].what, frames[i].text, decode_stream(gs_buf_text(&frame), frame.len, frames[i].raw_len, 1000, &raw, &err),
              &err, &raw, frames[i].raw_len);
    }
}

/* A cut frame is never taken for whole, and no flip changes the content: it has a checksum. A few bits of a frame mean nothing (RFC
 * 8878 calls them unused or reserved); that nobody flips those is for the digest in the index to say. */
static void test_every_cut_and_every_flip(void **state)
{
    (void)state;
    gs_error err = {0};
    size_t len = 3000;
    char *data = make_data(len);
    GS_AUTO_BUF gs_buf frame;
    GS_AUTO_BUF gs_buf raw;
    gs_buf_init(&frame, GS_MIB(1));
    gs_buf_init(&raw, GS_MIB(1));
    assert_ok(&err, gs_zstd_compress(data, len, 3, &frame, &err));
    for (size_t cut = 0; cut < frame.len; cut++) {
        assert_fails(&err, GS_EFORMAT, NULL, gs_zstd_decompress(frame.data, cut, len, &raw, &err));
        assert_int_equal(raw.len, 0);
        assert_fails(&err, GS_EFORMAT, NULL, decode_stream(frame.data, cut, len, 1000, &raw, &err));
        gs_buf_clear(&raw);
    }
    size_t accepted = 0;
    for (size_t bit = 0; bit < 8 * frame.len; bit++) {
        frame.data[bit / 8] = (char)(frame.data[bit / 8] ^ (1 << bit % 8));
        if (gs_zstd_decompress(frame.data, frame.len, len, &raw, &err) == 0) {
            accepted++;
            assert_string_equal(gs_buf_text(&raw), data);
        }
        gs_buf_clear(&raw);
        frame.data[bit / 8] = (char)(frame.data[bit / 8] ^ (1 << bit % 8));
    }
    assert_in_range(accepted, 0, 8);
    free(data);
}

/* 4 GiB of zeros are 130 kB of zstd: the promise is looked at, not the memory that is left. */
static void test_a_bomb(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    const gs_proc make = {.argv = (const char *const[]){"sh", "-c", "head -c 1G /dev/zero > z && zstd -q z -o bomb && rm z", NULL},
                          .cwd = dir->fd};
    GS_AUTO_PROC gs_proc_result result = {0};
    assert_ok(&err, gs_proc_check(NULL, &make, GS_EINTERNAL, &result, &err));
    GS_AUTO_BUF gs_buf bomb;
    GS_AUTO_BUF gs_buf raw;
    gs_buf_init(&bomb, GS_MIB(1));
    gs_buf_init(&raw, GS_MIB(1));
    assert_ok(&err, gs_fs_read_file(dir->fd, "bomb", &bomb, &err));
    assert_fails(&err, GS_EFORMAT, "does not promise", gs_zstd_decompress(bomb.data, bomb.len, 1000, &raw, &err));
    assert_fails(&err, GS_EFORMAT, "does not promise", decode_stream(bomb.data, bomb.len, 1000, 1000, &raw, &err));
    assert_true(raw.cap < 100000);
    assert_fails(&err, GS_ELIMIT, NULL, gs_zstd_decompress(bomb.data, bomb.len, (uint64_t)1 << 30, &raw, &err));
    assert_int_equal(raw.failed, 0);
}

static void test_too_small_a_buffer(void **state)
{
    (void)state;
    gs_error err = {0};
    char *data = make_data(1000);
    GS_AUTO_BUF gs_buf out;
    gs_buf_init(&out, 100);
    gs_buf_add_text(&out, "kept");
    assert_fails(&err, GS_ELIMIT, NULL, gs_zstd_compress(data, 1000, 3, &out, &err));
    assert_string_equal(gs_buf_text(&out), "kept");
    assert_ok(&err, gs_zstd_compress("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 79, 3, &out,
                                     &err));
    assert_true(out.len > 4 && out.len <= 100);
    free(data);
}

/* Closing closes the inner source, which may be one that checks itself. */
static void test_closing(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_source *inner = NULL;
    gs_source *source = NULL;
    char *data = make_data(1000000);
    char byte;
    size_t got;
    GS_AUTO_BUF gs_buf frame;
    gs_buf_init(&frame, GS_MIB(2));
    assert_ok(&err, gs_zstd_compress(data, 1000000, 3, &frame, &err));
    assert_ok(&err, gs_fs_write_file(dir->fd, "frame", frame.data, frame.len, 0644, &err));
    GS_AUTO_FD int fd = -1;
    uint64_t size;
    assert_ok(&err, gs_fs_open_read(dir->fd, "frame", false, &fd, &size, &err));
    for (int cancelled = 0; cancelled < 2; cancelled++) {
        assert_ok(&err, gs_source_segment(fd, 0, size, &inner, &err));
        assert_ok(&err, gs_source_zstd(inner, 1000000, &source, &err));
        assert_ok(&err, gs_source_read(source, &byte, 1, &got, &err));
        if (cancelled) {
            gs_source_cancel(&source);
        } else {
            assert_int_not_equal(gs_source_close(&source, &err), 0);
        }
    }
    /* Reading exactly the promised bytes has checked the whole: no read of the end is needed. */
    assert_ok(&err, gs_source_segment(fd, 0, size, &inner, &err));
    assert_ok(&err, gs_source_zstd(inner, 1000000, &source, &err));
    char *back = malloc(1000000);
    assert_non_null(back);
    assert_ok(&err, gs_source_read_all(source, back, 1000000, &err));
    assert_memory_equal(back, data, 1000000);
    assert_ok(&err, gs_source_close(&source, &err));
    free(back);
    free(data);
}

static void test_version(void **state)
{
    (void)state;
    assert_int_equal(strncmp(gs_codec_version(), "libzstd 1.", 10), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     test_in_tempdir(test_the_same_bytes_every_time_and_zstd_reads_them),
        cmocka_unit_test(test_frames_by_hand), cmocka_unit_test(test_every_cut_and_every_flip),
        test_in_tempdir(test_a_bomb),          cmocka_unit_test(test_too_small_a_buffer),
        test_in_tempdir(test_closing),         cmocka_unit_test(test_version)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
