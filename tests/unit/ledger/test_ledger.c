/* The ledger's file: created once, opened and checked, appended to; what is missing, foreign or damaged is refused. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "fixture.h"

static void test_create_makes_a_private_file_with_its_first_row(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    struct stat info;
    assert_int_equal(stat(f->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    gs_entry *rows = NULL;
    size_t count = 0;
    const gs_ledger_filter all = {0};
    assert_ok(&err, gs_ledger_read(f->ledger, &all, f->arena, &rows, &count, &err));
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].row, 1);
    assert_int_equal(rows[0].kind, GS_ENTRY_CREATED);
    assert_int_equal(rows[0].time, T0);
    assert_string_equal(rows[0].detail, "plant-7, root sha256:00");
}

static void test_create_never_replaces(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    const gs_entry first = {.kind = GS_ENTRY_CREATED};
    assert_fails(&err, GS_EEXISTS, "ledger.sqlite", gs_ledger_create(f->path, &first, &err));
    assert_ok(&err, gs_ledger_check(f->ledger, NULL, &err));
}

static void test_append_numbers_rows_and_chains_them(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    gs_entry one = {.kind = GS_ENTRY_STEP, .state = GS_STATE_BEGUN, .time = T0 + 5, .step = "apply/app"};
    gs_entry two = one;
    assert_ok(&err, gs_ledger_append(f->ledger, &one, &err));
    assert_ok(&err, gs_ledger_append(f->ledger, &two, &err));
    assert_int_equal(one.row, 2);
    assert_int_equal(two.row, 3);
    assert_int_equal(strlen(one.hash), 64);
    /* The same content behind another row has another hash. */
    assert_string_not_equal(one.hash, two.hash);
    int64_t rows = 0;
    assert_ok(&err, gs_ledger_check(f->ledger, &rows, &err));
    assert_int_equal(rows, 3);
}

static void test_rows_survive_reopening(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    append(f, (gs_entry){.kind = GS_ENTRY_ACCEPTED, .product = "shop", .version = "1.0.0", .sequence = 7});
    close_ledger(f);
    assert_ok(&err, gs_ledger_open(f->path, &f->ledger, &err));
    gs_entry row = {0};
    bool found = false;
    const gs_ledger_filter filter = {.kind = GS_ENTRY_ACCEPTED};
    assert_ok(&err, gs_ledger_newest(f->ledger, &filter, f->arena, &row, &found, &err));
    assert_true(found);
    assert_int_equal(row.sequence, 7);
    assert_string_equal(row.version, "1.0.0");
}

static void test_a_missing_ledger_is_never_made_anew(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    gs_ledger *ledger = NULL;
    close_ledger(f);
    assert_ok(&err, gs_fs_remove(f->dir.fd, "ledger.sqlite", &err));
    assert_fails(&err, GS_ESTATE, "restore it from a backup", gs_ledger_open(f->path, &ledger, &err));
    assert_null(ledger);
    assert_false(gs_fs_exists(f->dir.fd, "ledger.sqlite"));
}

static void test_foreign_and_damaged_files_are_refused(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    gs_ledger *ledger = NULL;
    tamper(f, "PRAGMA user_version = 2");
    assert_fails(&err, GS_ESTATE, "version 2, and this gapship knows version 1", gs_ledger_open(f->path, &ledger, &err));
    tamper(f, "PRAGMA application_id = 1");
    assert_fails(&err, GS_ESTATE, "not a gapship ledger", gs_ledger_open(f->path, &ledger, &err));
    assert_ok(&err, gs_fs_write_file(f->dir.fd, "ledger.sqlite", "", 0, 0600, &err));
    assert_fails(&err, GS_ESTATE, "not a gapship ledger", gs_ledger_open(f->path, &ledger, &err));
    support_write(f->dir.fd, "ledger.sqlite",
                  "this is a text file, and longer than the header of a database is, which has a hundred bytes");
    assert_fails(&err, GS_ESTATE, "ledger.sqlite", gs_ledger_open(f->path, &ledger, &err));
}

/* Flips bytes all over the file: SQLite's own checks or the chain find each one that changes what would be read. */
static void test_damaged_pages_are_found(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    for (int i = 0; i < 40; i++) {
        append(f, (gs_entry){.kind = GS_ENTRY_STEP, .state = GS_STATE_DONE, .step = "apply/app", .detail = "commit 1234"});
    }
    close_ledger(f);
    GS_AUTO_BUF gs_buf whole;
    gs_buf_init(&whole, (size_t)1 << 20);
    assert_ok(&err, gs_fs_read_file(f->dir.fd, "ledger.sqlite", &whole, &err));
    size_t harmed = 0;
    for (size_t at = 100; at < whole.len; at += 509) {
        whole.data[at] ^= 0x55;
        assert_ok(&err, gs_fs_write_file(f->dir.fd, "ledger.sqlite", whole.data, whole.len, 0600, &err));
        whole.data[at] ^= 0x55;
        GS_AUTO_LEDGER gs_ledger *ledger = NULL;
        int code = gs_ledger_open(f->path, &ledger, &err);
        code = code == 0 ? gs_ledger_check(ledger, NULL, &err) : code;
        assert_true(code == 0 || code == GS_ESTATE || code == GS_EIO);
        harmed += code == 0 ? 0 : 1;
        err = (gs_error){0};
    }
    assert_true(harmed > 10);
}

static void test_a_failed_append_leaves_nothing(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    GS_AUTO_BUF gs_buf big;
    gs_buf_init(&big, (size_t)3 << 20);
    gs_buf_add_zeros(&big, (size_t)2 << 20);
    memset(big.data, 'x', big.len);
    gs_entry entry = {.kind = GS_ENTRY_STEP, .detail = big.data};
    assert_fails(&err, GS_ELIMIT, NULL, gs_ledger_append(f->ledger, &entry, &err));
    assert_int_equal(entry.row, 0);
    int64_t rows = 0;
    assert_ok(&err, gs_ledger_check(f->ledger, &rows, &err));
    assert_int_equal(rows, 1);
    append(f, (gs_entry){.kind = GS_ENTRY_STEP});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ledger(test_create_makes_a_private_file_with_its_first_row),
        test_with_ledger(test_create_never_replaces),
        test_with_ledger(test_append_numbers_rows_and_chains_them),
        test_with_ledger(test_rows_survive_reopening),
        test_with_ledger(test_a_missing_ledger_is_never_made_anew),
        test_with_ledger(test_foreign_and_damaged_files_are_refused),
        test_with_ledger(test_damaged_pages_are_found),
        test_with_ledger(test_a_failed_append_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
