/* Reading tars: what tools write is read whole, and of what an attacker writes nothing is taken. make_tars.py makes them all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "gapship/limits.h"

typedef struct seen {
    char text[4096];
    size_t len;
    bool read; /* the content too */
} seen;

/* "name=size" for a file ('*' when executable), "name/" for a directory, "name->target" for a link. */
static int see(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    seen *all = state;
    char *at = all->text + all->len;
    size_t room = sizeof(all->text) - all->len;
    if (entry->kind == GS_TAR_DIRECTORY) {
        all->len += (size_t)snprintf(at, room, "%s/ ", entry->name);
    } else if (entry->kind == GS_TAR_LINK) {
        all->len += (size_t)snprintf(at, room, "%s->%s ", entry->name, entry->target);
    } else {
        all->len += (size_t)snprintf(at, room, "%s=%d%s ", entry->name, (int)entry->size, entry->executable ? "*" : "");
    }
    assert_true(all->len < sizeof(all->text));
    uint64_t total = 0;
    if (all->read) {
        char buffer[5000];
        for (size_t got = 1; got > 0; total += got) {
            int code = gs_source_read(content, buffer, sizeof(buffer), &got, err);
            if (code != 0) {
                return code;
            }
        }
        assert_int_equal(total, entry->size);
    }
    return 0;
}

#define LONG10 "long/long/long/long/long/long/long/long/long/long/"
#define GOOD                                                                                                                       \
    "chart/ chart/Chart.yaml=8 chart/run.sh=10* chart/empty=0 chart/Gr\xc3\xbc\xc3\x9f"                                            \
    "e.txt=7 " LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 "name=4 big.bin=262144 "

static const struct {
    const char *name;
    const char *entries;
} good[] = {
    {"good_pax", GOOD},          {"good_gnu", GOOD},   {"good_gzip", GOOD},
    {"good_two_members", GOOD},  {"good_zstd", GOOD},  {"good_git_archive", "a=1 "},
    {"good_no_padding", "a=1 "}, {"good_nothing", ""}, {"good_v7_directory", "old/ old/a=1 "},
};

static void test_what_tools_write(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    run_in(dir, NULL, (const char *const[]){"zstd", "-q", "good_pax", "-o", "good_zstd", NULL});
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        for (int read = 0; read < 2; read++) {
            seen all = {.read = read};
            assert_ok(&err, gs_tar_read(open_file(dir, good[i].name), NULL, see, &all, &err));
            assert_string_equal(all.text, good[i].entries);
        }
    }
}

static void test_links_where_they_are_wanted(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    seen all = {.read = true};
    const gs_tar_limits links = {.links = true};
    assert_ok(&err, gs_tar_read(open_file(dir, "good_links"), &links, see, &all, &err));
    assert_string_equal(all.text, "a/layer.tar=5 b/layer.tar->a/layer.tar c->a/layer.tar d->a/layer.tar ");
    all = (seen){0};
    assert_fails(&err, GS_EFORMAT, "b/layer.tar", gs_tar_read(open_file(dir, "good_links"), NULL, see, &all, &err));
}

static const struct {
    const char *name;
    int code;
    const char *text;
    bool links;
} bad[] = {
    {"absolute", GS_EFORMAT, "leads out", false},
    {"up", GS_EFORMAT, "leads out", false},
    {"up_inside", GS_EFORMAT, "leads out", false},
    {"dot_inside", GS_EFORMAT, "leads out", false},
    {"empty_component", GS_EFORMAT, "leads out", false},
    {"backslash", GS_EFORMAT, "cannot be carried", false},
    {"control", GS_EFORMAT, "cannot be carried", false},
    {"newline", GS_EFORMAT, "cannot be carried", false},
    {"not_utf8", GS_EFORMAT, NULL, false},
    {"not_utf8_pax", GS_EFORMAT, NULL, false},
    {"long_component", GS_EFORMAT, "cannot be carried", false},
    {"long_name", GS_EFORMAT, "more than 4096", false},
    {"no_name", GS_EFORMAT, NULL, false},
    {"twice", GS_EFORMAT, "name twice", false},
    {"twice_directory", GS_EFORMAT, "name twice", false},
    {"twice_by_dot", GS_EFORMAT, "name twice", false},
    {"file_then_directory", GS_EFORMAT, "name twice", false},
    {"below_a_file", GS_EFORMAT, "not a directory", false},
    {"below_a_later_file", GS_EFORMAT, "not a directory", false},
    {"hardlink", GS_EFORMAT, "is a link", false},
    {"symlink", GS_EFORMAT, "is a link", false},
    {"link_out", GS_EFORMAT, "link leads out", true},
    {"link_absolute", GS_EFORMAT, "link leads out", true},
    {"link_to_root", GS_EFORMAT, "link leads out", true},
    {"hardlink_out", GS_EFORMAT, "link leads out", true},
    {"hardlink_with_content", GS_EFORMAT, "it has a size", true},
    {"character_device", GS_EFORMAT, "tar type \"3\"", false},
    {"block_device", GS_EFORMAT, "tar type \"4\"", false},
    {"fifo", GS_EFORMAT, "tar type \"6\"", false},
    {"contiguous", GS_EFORMAT, "tar type \"7\"", false},
    {"unknown_type", GS_EFORMAT, "tar type \"Z\"", false},
    {"volume", GS_EFORMAT, NULL, false},
    {"gnu_sparse", GS_EFORMAT, NULL, false},
    {"gnu_map_in_a_plain_file", GS_EFORMAT, "sparse file", false},
    {"pax_sparse", GS_EFORMAT, NULL, false},
    {"pax_size_larger", GS_EFORMAT, "two sizes", false},
    {"pax_size_smaller", GS_EFORMAT, "two sizes", false},
    {"pax_size_of_directory", GS_EFORMAT, NULL, false},
    {"directory_with_size", GS_EFORMAT, "it has a size", false},
    {"pax_twice", GS_EFORMAT, NULL, false},
    {"pax_and_gnu", GS_EFORMAT, "two ways", false},
    {"gnu_and_pax", GS_EFORMAT, "two ways", false},
    {"pax_nul", GS_EFORMAT, NULL, false},
    {"size_not_octal", GS_EFORMAT, NULL, false},
    {"size_negative", GS_EFORMAT, NULL, false},
    {"size_overflow", GS_EFORMAT, NULL, false},
    {"size_huge", GS_ELIMIT, "at most 5242880", false},
    {"bad_checksum", GS_EFORMAT, NULL, false},
    {"trailing_garbage", GS_EFORMAT, "after the end", false},
    {"trailing_garbage_late", GS_EFORMAT, "after the end", false},
    {"trailing_after_one_zero_block", GS_EFORMAT, "after the end", false},
    {"second_archive", GS_EFORMAT, "after the end", false},
    {"no_end_mark", GS_EFORMAT, "no end mark", false},
    {"cut_in_content", GS_EFORMAT, NULL, false},
    {"cut_in_header", GS_EFORMAT, NULL, false},
    {"not_a_tar", GS_EFORMAT, NULL, false},
    {"empty", GS_EFORMAT, NULL, false},
    {"gzip_trailing", GS_EFORMAT, "bytes after the end", false},
    {"gzip_cut", GS_EFORMAT, NULL, false},
    {"gzip_of_gzip", GS_EFORMAT, NULL, false},
    {"gzip_damaged", GS_EFORMAT, NULL, false},
    {"bomb_content", GS_ELIMIT, "at most 5242880", false},
    {"bomb_total", GS_ELIMIT, "more than 104857600", false},
    {"bomb_padding", GS_ELIMIT, NULL, false},
    {"bomb_entries", GS_ELIMIT, "more than 10000 entries", false},
    {"bomb_pax", GS_EFORMAT, NULL, false},
};

static int pass(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    (void)entry;
    (void)content;
    (void)err;
    ++*(size_t *)state;
    return 0;
}

static void test_what_nobody_means_well(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        for (int read = 0; read < 2; read++) {
            seen *all = calloc(1, sizeof(*all));
            assert_non_null(all);
            all->read = read;
            const gs_tar_limits limits = {.links = bad[i].links};

            int code = gs_tar_read(open_file(dir, bad[i].name), &limits, strncmp(bad[i].name, "bomb", 4) == 0 ? pass : see, all,
                                   &err);
            free(all);
            if (code != bad[i].code) {
                print_error("%s:\n", bad[i].name);
            }
            assert_fails(&err, bad[i].code, bad[i].text, code);
        }
    }
}

static void test_limits_are_the_callers(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    size_t count = 0;
    const struct {
        gs_tar_limits limits;
        const char *text;
    } cases[] = {{{.entries = 7}, NULL},         {{.entries = 6}, "more than 6 entries"},
                 {{.file_size = 262144}, NULL},  {{.file_size = 262143}, "big.bin"},
                 {{.total = 262144 + 29}, NULL}, {{.total = 262144 + 28}, "big.bin"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (cases[i].text) {
            assert_fails(&err, GS_ELIMIT, cases[i].text,
                         gs_tar_read(open_file(dir, "good_gzip"), &cases[i].limits, pass, &count, &err));
        } else {
            assert_ok(&err, gs_tar_read(open_file(dir, "good_gzip"), &cases[i].limits, pass, &count, &err));
        }
    }
}

static int refuse_second(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    (void)entry;
    (void)content;
    return ++*(size_t *)state == 2 ? gs_fail(err, GS_ESPEC, "enough") : 0;
}

static void test_the_visitors_error_ends_it(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    size_t count = 0;
    assert_fails(&err, GS_ESPEC, "enough", gs_tar_read(open_file(dir, "good_gzip"), NULL, refuse_second, &count, &err));
    assert_int_equal(count, 2);
}

/* The source's own error is told, not libarchive's view of it; a source that checks itself is read to its end. */
static void test_the_sources_verdict(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    size_t count = 0;
    gs_source *limited = NULL;
    assert_ok(&err, gs_source_limited(open_file(dir, "good_pax"), 3000, &limited, &err));
    assert_fails(&err, GS_ELIMIT, NULL, gs_tar_read(limited, NULL, pass, &count, &err));

    int fd = -1;
    uint64_t size;
    gs_source *segment = NULL;
    assert_ok(&err, gs_fs_open_read(dir->fd, "good_pax", false, &fd, &size, &err));
    assert_ok(&err, gs_source_segment(fd, 0, size, &segment, &err));
    assert_ok(&err, gs_tar_read(segment, NULL, pass, &count, &err));
    assert_ok(&err, gs_source_segment(fd, 0, size + 1, &segment, &err));
    assert_int_not_equal(gs_tar_read(segment, NULL, pass, &count, &err), 0);
    gs_fs_close_p(&fd);
}

/* Cut anywhere, an archive is refused, compressed or not. */
static void test_truncation_at_every_block(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    static const char *const names[] = {"good_git_archive", "good_links", "good_gzip"};
    for (size_t n = 0; n < COUNT_OF(names); n++) {
        gs_buf whole;
        gs_buf_init(&whole, GS_MIB(1));
        assert_ok(&err, gs_fs_read_file(dir->fd, names[n], &whole, &err));
        size_t content = whole.len;
        while (n < 2 && content > 0 && whole.data[content - 1] == '\0') {
            content--; /* a tar without all its padding is whole */
        }
        const gs_tar_limits links = {.links = true};
        for (size_t len = 0; len < content; len += n < 2 ? 256 : 7) {
            size_t count = 0;
            gs_source *part = NULL;
            assert_ok(&err, gs_source_memory(whole.data, len, &part, &err));
            int code = gs_tar_read(part, &links, pass, &count, &err);
            if (code == 0) {
                fail_msg("%s, cut to %zu of %zu bytes, is accepted", names[n], len, whole.len);
            }
        }
        gs_buf_done(&whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_tools_write),           cmocka_unit_test(test_links_where_they_are_wanted),
        cmocka_unit_test(test_what_nobody_means_well),     cmocka_unit_test(test_limits_are_the_callers),
        cmocka_unit_test(test_the_visitors_error_ends_it), cmocka_unit_test(test_the_sources_verdict),
        cmocka_unit_test(test_truncation_at_every_block)};
    return cmocka_run_group_tests(tests, enter_among_tars, support_leave);
}
