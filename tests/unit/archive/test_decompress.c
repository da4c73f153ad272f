/* Decoding what gzip, pigz-like writers and zstd wrote, and refusing what is cut, longer than promised or followed by something. */
#include <string.h>

#include "fixture.h"
#include "gapship/limits.h"

static const char make_all[] =
    "import gzip, os, random\n"
    "random.seed(7)\n"
    "data = bytes(random.randrange(64) for _ in range(300000))\n"
    "def save(name, content):\n"
    "    open(name, 'wb').write(content)\n"
    "save('plain', data)\n"
    "save('one.gz', gzip.compress(data))\n"
    "save('many.gz', b''.join(gzip.compress(data[i:i + 70000]) for i in range(0, 300000, 70000)))\n"
    "save('nothing', b'')\n"
    "save('three', b'abc')\n"
    "save('nothing.gz', gzip.compress(b''))\n"
    "save('trailing.gz', gzip.compress(data) + b'\\0')\n"
    "save('trailing_far.gz', gzip.compress(data) + bytes(200000))\n"
    "body = gzip.compress(data)[10:]\n"
    "head = b'\\x1f\\x8b\\x08\\x08\\0\\0\\0\\0\\0\\x03'\n"
    "whole = head + b'n' * (-(len(head) + 1 + len(body)) % 65536) + b'\\0' + body\n"
    "save('block.gz', whole)\n"
    "save('trailing_block.gz', whole + b'g')\n"
    "save('cut.gz', gzip.compress(data)[:-1000])\n"
    "save('cut_trailer.gz', gzip.compress(data)[:-3])\n"
    "save('twice.gz', gzip.compress(gzip.compress(data)))\n"
    "save('magic', b'\\x1f\\x8b')\n"
    "save('bomb.gz', gzip.compress(bytes(300 << 20)))\n"
    "os.system('zstd -q plain -o one.zst; zstd -q nothing -o nothing.zst; zstd -q --ultra --long=28 plain -o w.zst')\n"
    "frame = open('one.zst', 'rb').read()\n"
    "save('many.zst', frame + b'\\x50\\x2a\\x4d\\x18\\4\\0\\0\\0skip' + frame)\n"
    "save('trailing.zst', frame + b'garbage')\n"
    "save('cut.zst', frame[:-1000])\n";

static int setup(void **state)
{
    if (support_enter(state) != 0) {
        return -1;
    }
    run_in(*state, NULL, (const char *const[]){"python3", "-c", make_all, NULL});
    return 0;
}

/* Decodes a file; piece is how much is asked for at once. */
static int decode(const gs_tempdir *dir, const char *name, uint64_t max, size_t piece, gs_buf *out, gs_error *err)
{
    gs_source *source = NULL;
    int code = gs_source_decompress(open_file(dir, name), max, &source, err);
    gs_buf_init(out, GS_MIB(400));
    return code == 0 ? support_drain(source, piece, out, err) : code;
}

static void test_decodes(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_buf plain;
    gs_buf_init(&plain, GS_MIB(1));
    assert_ok(&err, gs_fs_read_file(dir->fd, "plain", &plain, &err));
    const struct {
        const char *name;
        size_t len;
        int times;
    } cases[] = {{"plain", 300000, 1},   {"one.gz", 300000, 1},   {"block.gz", 300000, 1}, {"many.gz", 300000, 1},
                 {"one.zst", 300000, 1}, {"many.zst", 600000, 2}, {"nothing", 0, 0},       {"nothing.gz", 0, 0},
                 {"nothing.zst", 0, 0},  {"three", 3, 0},         {"w.zst", 300000, 1}};
    static const size_t pieces[] = {1000, 65536, 1000000};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (size_t p = 0; p < COUNT_OF(pieces); p++) {
            gs_buf out;
            assert_ok(&err, decode(dir, cases[i].name, cases[i].len, pieces[p], &out, &err));
            assert_int_equal(out.len, cases[i].len);
            for (int t = 0; t < cases[i].times; t++) {
                assert_memory_equal(out.data + (size_t)t * plain.len, plain.data, plain.len);
            }
            gs_buf_done(&out);
        }
    }
    gs_buf_done(&plain);
}

static void test_only_one_layer_of_compression(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_buf out;
    assert_ok(&err, decode(dir, "twice.gz", GS_MIB(1), 4096, &out, &err));
    assert_memory_equal(out.data, "\x1f\x8b", 2);
    gs_buf_done(&out);
}

static void test_refuses(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    const struct {
        const char *name;
        uint64_t max;
        int code;
        const char *text;
    } cases[] = {{"trailing.gz", 300000, GS_EFORMAT, "bytes after the end"},
                 {"trailing_far.gz", 300000, GS_EFORMAT, "bytes after the end"},
                 {"trailing_block.gz", 300000, GS_EFORMAT, "bytes after the end"},
                 {"trailing.zst", 300000, GS_EFORMAT, NULL},
                 {"cut.gz", 300000, GS_EFORMAT, NULL},
                 {"cut_trailer.gz", 300000, GS_EFORMAT, NULL},
                 {"cut.zst", 300000, GS_EFORMAT, NULL},
                 {"magic", 300000, GS_EFORMAT, NULL},
                 {"one.gz", 299999, GS_ELIMIT, NULL},
                 {"one.zst", 299999, GS_ELIMIT, NULL},
                 {"plain", 299999, GS_ELIMIT, NULL},
                 {"bomb.gz", GS_MIB(1), GS_ELIMIT, NULL}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_buf out;
        int code = decode(dir, cases[i].name, cases[i].max, 65536, &out, &err);
        assert_true(out.len <= cases[i].max);
        gs_buf_done(&out);
        if (code != cases[i].code) {
            print_error("%s:\n", cases[i].name);
        }
        assert_fails(&err, cases[i].code, cases[i].text, code);
    }
}

/* Closing after the end closes the inner source, which may be one that checks itself; cancelling may happen anywhere. */
static void test_closing(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    int fd = -1;
    uint64_t size;
    char byte;
    size_t got;
    gs_source *inner = NULL;
    gs_source *source = NULL;
    assert_ok(&err, gs_fs_open_read(dir->fd, "one.gz", false, &fd, &size, &err));
    assert_ok(&err, gs_source_segment(fd, 0, size, &inner, &err));
    assert_ok(&err, gs_source_decompress(inner, GS_MIB(1), &source, &err));
    assert_ok(&err, gs_source_read(source, &byte, 1, &got, &err));
    assert_int_not_equal(gs_source_close(&source, &err), 0);
    assert_ok(&err, gs_source_segment(fd, 0, size, &inner, &err));
    assert_ok(&err, gs_source_decompress(inner, GS_MIB(1), &source, &err));
    gs_source_cancel(&source);
    gs_fs_close_p(&fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_decodes), cmocka_unit_test(test_only_one_layer_of_compression),
                                       cmocka_unit_test(test_refuses), cmocka_unit_test(test_closing)};
    return cmocka_run_group_tests(tests, setup, support_leave);
}
