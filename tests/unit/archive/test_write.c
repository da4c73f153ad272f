/* Archives of our own: the same bytes every time, read by GNU tar, by Python's tarfile and by ourselves. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "gapship/limits.h"
#include "gapship/run.h"

#define LONG10 "long/long/long/long/long/long/long/long/long/long/"

static int into_buffer(const gs_tar_input *inputs, size_t count, gs_buf *out, gs_error *err)
{
    gs_sink *sink = NULL;
    gs_buf_init(out, GS_MIB(16));
    int code = gs_sink_buffer(out, &sink, err);
    if (code == 0) {
        code = gs_tar_gzip_write(inputs, count, sink, err);
    }
    if (code != 0) {
        gs_sink_cancel(&sink);
        return code;
    }
    return gs_sink_close(&sink, err);
}

/* Names of each kind: short, split by ustar, too long for it, not ASCII. */
static const gs_tar_input inputs[] = {
    {.name = "a/Chart.yaml", .data = "name: x\n", .len = 8, .fd = -1},
    {.name = "a/empty", .data = "", .len = 0, .fd = -1},
    {.name = "a/run.sh", .executable = true, .data = "#!/bin/sh\n", .len = 10, .fd = -1},
    {.name = "gr\xc3\xbc\xc3\x9f"
             "e.txt",
     .data = "x",
     .len = 1,
     .fd = -1},
    {.name = LONG10 LONG10 "name", .data = "1", .len = 1, .fd = -1},
    {.name = LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 "name", .data = "2", .len = 1, .fd = -1},
};

static void test_readers_agree(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_buf packed;
    assert_ok(&err, into_buffer(inputs, COUNT_OF(inputs), &packed, &err));
    assert_ok(&err, gs_fs_write_file(dir->fd, "out.tgz", packed.data, packed.len, 0644, &err));
    gs_buf_done(&packed);
    static const char judge[] = "import gzip, tarfile\n"
                                "raw = open('out.tgz', 'rb').read()\n"
                                "assert raw[:10] == b'\\x1f\\x8b\\x08\\0\\0\\0\\0\\0\\0\\x03', raw[:10]\n"
                                "assert len(gzip.decompress(raw)) % 512 == 0\n"
                                "for m in tarfile.open('out.tgz', 'r:gz', errorlevel=2):\n"
                                "    assert (m.uid, m.gid, m.mtime, m.uname, m.gname) == (0, 0, 0, '', ''), m.get_info()\n"
                                "    assert not set(m.pax_headers) - {'path'}, m.pax_headers\n"
                                "    print('%s %o %d' % (m.name, m.mode, m.size))\n";
    gs_buf seen;
    run_in(dir, &seen, (const char *const[]){"env", "PYTHONUTF8=1", "python3", "-c", judge, NULL});
    assert_string_equal(gs_buf_text(&seen),
                        "a/Chart.yaml 644 8\na/empty 644 0\na/run.sh 755 10\ngr\xc3\xbc\xc3\x9f"
                        "e.txt 644 1\n" LONG10 LONG10 "name 644 1\n" LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 "name 644 1\n");
    gs_buf_done(&seen);
    run_in(dir, &seen, (const char *const[]){"tar", "--quoting-style=literal", "-tzf", "out.tgz", NULL});
    assert_contains(gs_buf_text(&seen), "a/run.sh\ngr\xc3\xbc\xc3\x9f"
                                        "e.txt\n" LONG10 LONG10 "name\n" LONG10);
    gs_buf_done(&seen);
    run_in(dir, NULL, (const char *const[]){"gzip", "-t", "out.tgz", NULL});
    GS_AUTO_FD int into = -1;
    assert_ok(&err, gs_fs_make_dirs(dir->fd, "back", 0700, &err));
    assert_ok(&err, gs_fs_open_dir(dir->fd, "back", &into, &err));
    assert_ok(&err, gs_tar_extract(open_file(dir, "out.tgz"), NULL, into, &err));
    support_assert_file(into, "a/run.sh", "#!/bin/sh\n");
    support_assert_file(into, LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 "name", "2");
}

static void test_the_same_bytes_every_time(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_buf one;
    gs_buf two;
    (void)dir;
    assert_ok(&err, into_buffer(inputs, COUNT_OF(inputs), &one, &err));
    assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
    assert_int_equal(setenv("LC_ALL", "de_DE.ISO-8859-1", 1), 0);
    assert_ok(&err, gs_sleep(NULL, 1100, &err)); /* into another second: a time in the header would show */
    assert_ok(&err, into_buffer(inputs, COUNT_OF(inputs), &two, &err));
    assert_int_equal(one.len, two.len);
    assert_memory_equal(one.data, two.data, one.len);
    gs_buf_done(&one);
    gs_buf_done(&two);
}

static void test_content_of_files(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_buf from_memory;
    gs_buf from_file;
    size_t len = GS_MIB(1) + 17;
    char *data = malloc(len + 1);
    assert_non_null(data);
    for (size_t i = 0; i < len; i++) {
        data[i] = (char)('a' + i * i % 23);
    }
    data[len] = '\0';
    support_write(dir->fd, "content", data);
    GS_AUTO_FD int fd = openat(dir->fd, "content", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, 100, SEEK_SET), 100); /* read from 0 wherever it stands */
    assert_ok(&err, into_buffer(&(gs_tar_input){.name = "c", .data = data, .len = len, .fd = -1}, 1, &from_memory, &err));
    assert_ok(&err, into_buffer(&(gs_tar_input){.name = "c", .len = len, .fd = fd}, 1, &from_file, &err));
    assert_int_equal(from_memory.len, from_file.len);
    assert_memory_equal(from_memory.data, from_file.data, from_file.len);
    gs_buf_done(&from_file);
    assert_int_not_equal(into_buffer(&(gs_tar_input){.name = "c", .len = len + 1, .fd = fd}, 1, &from_file, &err),
                         0); /* too short */
    gs_buf_done(&from_file);
    gs_buf_done(&from_memory);
    free(data);
}

static void test_nothing_at_all(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_buf packed;
    assert_ok(&err, into_buffer(NULL, 0, &packed, &err));
    assert_ok(&err, gs_fs_write_file(dir->fd, "out.tgz", packed.data, packed.len, 0644, &err));
    gs_buf_done(&packed);
    run_in(dir, NULL, (const char *const[]){"tar", "-tzf", "out.tgz", NULL});
    assert_ok(&err, gs_tar_extract(open_file(dir, "out.tgz"), NULL, dir->fd, &err));
}

static void test_a_full_sink(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_sink *sink = NULL;
    GS_AUTO_FD int fd = openat(dir->fd, "small", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_ok(&err, gs_sink_range(fd, 0, 50, &sink, &err));
    assert_fails(&err, GS_ELIMIT, NULL, gs_tar_gzip_write(inputs, COUNT_OF(inputs), sink, &err));
    gs_sink_cancel(&sink);
}

static void gzip_into(const char *data, size_t len, gs_buf *out)
{
    gs_error err = {0};
    gs_source *in = NULL;
    gs_sink *sink = NULL;
    gs_buf_init(out, GS_MIB(4));
    assert_ok(&err, gs_source_memory(data, len, &in, &err));
    assert_ok(&err, gs_sink_buffer(out, &sink, &err));
    assert_ok(&err, gs_gzip_write(in, sink, &err));
    assert_ok(&err, gs_source_close(&in, &err));
    assert_ok(&err, gs_sink_close(&sink, &err));
}

static void test_gzip(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    size_t len = GS_MIB(2) + 1;
    char *data = malloc(len + 1);
    assert_non_null(data);
    for (size_t i = 0; i < len; i++) {
        data[i] = (char)('a' + (i / 7) % 26);
    }
    data[len] = '\0';
    const size_t lens[] = {0, 1, 65536, len};
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        gs_buf one;
        gs_buf two;
        gs_buf back;
        gzip_into(data, lens[i], &one);
        gzip_into(data, lens[i], &two);
        assert_int_equal(one.len, two.len);
        assert_memory_equal(one.data, two.data, one.len);
        assert_memory_equal(one.data, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
        assert_ok(&err, gs_fs_write_file(dir->fd, "out.gz", one.data, one.len, 0644, &err));
        run_in(dir, &back, (const char *const[]){"gzip", "-dc", "out.gz", NULL});
        assert_int_equal(back.len, lens[i]);
        assert_true(lens[i] == 0 || memcmp(back.data, data, lens[i]) == 0);
        gs_buf_done(&one);
        gs_buf_done(&two);
        gs_buf_done(&back);
    }
    free(data);
}

static void test_version(void **state)
{
    (void)state;
    assert_int_equal(strncmp(gs_archive_version(), "libarchive 3.", 13), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_in_tempdir(test_readers_agree),    test_in_tempdir(test_the_same_bytes_every_time),
                                       test_in_tempdir(test_content_of_files), test_in_tempdir(test_nothing_at_all),
                                       test_in_tempdir(test_a_full_sink),      test_in_tempdir(test_gzip),
                                       cmocka_unit_test(test_version)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
