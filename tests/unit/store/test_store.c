/* The store as a directory: made once, refused when it is missing, foreign, damaged or writable by others; one lock. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gapship/store.h"
#include "support.h"

typedef struct place {
    gs_arena *arena;
    const char *path;
} place;

static place place_in(const gs_tempdir *dir)
{
    place p = {.arena = gs_arena_new()};
    assert_non_null(p.arena);
    p.path = gs_arena_printf(p.arena, "%s/var/store", dir->path);
    assert_non_null(p.path);
    return p;
}

static const char *below(const place *p, const char *name)
{
    return gs_arena_printf(p->arena, "%s/%s", p->path, name);
}

static void test_a_new_store_is_private_and_empty(void **state)
{
    gs_error err = {0};
    place p = place_in(*state);
    GS_AUTO_STORE gs_store *store = NULL;
    assert_ok(&err, gs_store_create(p.path, &err));
    assert_ok(&err, gs_store_open(p.path, &store, &err));
    struct stat info;
    assert_int_equal(stat(p.path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    support_assert_file(gs_store_dirfd(store), "VERSION", "gapship store 1\n");
    gs_digest *digests = NULL;
    size_t count = 99;
    assert_ok(&err, gs_store_list(store, p.arena, &digests, &count, &err));
    assert_int_equal(count, 0);
    assert_string_equal(gs_store_path(store, p.arena, "ledger.sqlite"), below(&p, "ledger.sqlite"));
    gs_arena_free(p.arena);
}

static void test_create_refuses_what_is_in_use(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    place p = place_in(dir);
    assert_ok(&err, gs_store_create(p.path, &err));
    assert_fails(&err, GS_EEXISTS, "there is a store already", gs_store_create(p.path, &err));
    support_write(dir->fd, "home/letter.txt", "dear");
    assert_fails(&err, GS_EEXISTS, "letter.txt", gs_store_create(gs_arena_printf(p.arena, "%s/home", dir->path), &err));
    support_assert_file(dir->fd, "home/letter.txt", "dear");
    gs_arena_free(p.arena);
}

/* Killed before VERSION was there, the same command finishes it. */
static void test_create_finishes_what_was_interrupted(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    place p = place_in(dir);
    support_write(dir->fd, "var/store/ledger.sqlite", "");
    support_write(dir->fd, "var/store/.VERSION.0123456789abcdef.tmp", "gapship st");
    assert_ok(&err, gs_fs_make_dirs(dir->fd, "var/store/bundles", 0700, &err));
    assert_int_equal(chmod(p.path, 0700), 0);
    assert_ok(&err, gs_store_create(p.path, &err));
    GS_AUTO_STORE gs_store *store = NULL;
    assert_ok(&err, gs_store_open(p.path, &store, &err));
    gs_arena_free(p.arena);
}

static void test_open_refuses_what_is_no_sound_store(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    place p = place_in(dir);
    gs_store *store = NULL;
    assert_fails(&err, GS_ESTATE, "gapship site init", gs_store_open(p.path, &store, &err));
    assert_ok(&err, gs_fs_make_dirs(AT_FDCWD, p.path, 0700, &err));
    assert_fails(&err, GS_ESTATE, "no VERSION", gs_store_open(p.path, &store, &err));
    assert_ok(&err, gs_store_create(p.path, &err));

    assert_int_equal(chmod(p.path, 0770), 0);
    assert_fails(&err, GS_ESTATE, "mode 0770", gs_store_open(p.path, &store, &err));
    assert_int_equal(chmod(p.path, 0702), 0);
    assert_fails(&err, GS_ESTATE, "chmod go-w", gs_store_open(p.path, &store, &err));
    assert_int_equal(chmod(p.path, 0750), 0);
    assert_ok(&err, gs_store_open(p.path, &store, &err));
    gs_store_free_p(&store);

    assert_int_equal(rmdir(below(&p, "git")), 0);
    assert_fails(&err, GS_ESTATE, "lacks its directory 'git'", gs_store_open(p.path, &store, &err));

    assert_ok(&err, gs_fs_remove(AT_FDCWD, below(&p, "VERSION"), &err));
    support_write(dir->fd, "var/store/VERSION", "gapship store 2\nmore\n");
    assert_fails(&err, GS_ESTATE, "version 'gapship store 2', and this gapship knows 'gapship store 1'",
                 gs_store_open(p.path, &store, &err));
    assert_null(store);
    gs_arena_free(p.arena);
}

static void test_the_lock_is_one_and_clears_what_killed_runs_left(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    place p = place_in(dir);
    assert_ok(&err, gs_store_create(p.path, &err));
    support_write(dir->fd, "var/store/bundles/.abc.gapship.0123456789abcdef.tmp", "half a bundle");
    support_write(dir->fd, "var/store/bundles/note.txt", "somebody's");
    GS_AUTO_STORE gs_store *store = NULL;
    GS_AUTO_STORE gs_store *other = NULL;
    assert_ok(&err, gs_store_open(p.path, &store, &err));
    assert_ok(&err, gs_store_open(p.path, &other, &err));
    GS_AUTO_FILELOCK gs_filelock lock = GS_FILELOCK_INIT;
    gs_filelock second = GS_FILELOCK_INIT;
    assert_ok(&err, gs_store_lock(store, &lock, &err));
    assert_false(gs_fs_exists(dir->fd, "var/store/bundles/.abc.gapship.0123456789abcdef.tmp"));
    support_assert_file(dir->fd, "var/store/bundles/note.txt", "somebody's");
    assert_fails(&err, GS_ELOCKED, "process", gs_store_lock(other, &second, &err));
    gs_filelock_release(&lock);
    assert_ok(&err, gs_store_lock(other, &second, &err));
    gs_filelock_release(&second);
    gs_arena_free(p.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_a_new_store_is_private_and_empty),
        test_in_tempdir(test_create_refuses_what_is_in_use),
        test_in_tempdir(test_create_finishes_what_was_interrupted),
        test_in_tempdir(test_open_refuses_what_is_no_sound_store),
        test_in_tempdir(test_the_lock_is_one_and_clears_what_killed_runs_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
