/* Unpacking: what Python's tarfile packed is there with its modes, and nothing is written outside or over something. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

static void make_tar(const gs_tempdir *dir, const char *statements)
{
    gs_buf script;
    gs_buf_init(&script, 10000);
    gs_buf_printf(&script,
                  "import io, tarfile\n"
                  "tar = tarfile.open('in.tar', 'w:gz')\n"
                  "def add(name, content=b'', kind=tarfile.REGTYPE, mode=0o644):\n"
                  "    info = tarfile.TarInfo(name)\n"
                  "    info.size, info.type, info.mode = len(content), kind, mode\n"
                  "    tar.addfile(info, io.BytesIO(content))\n"
                  "%s\ntar.close()\n",
                  statements);
    run_in(dir, NULL, (const char *const[]){"python3", "-c", gs_buf_text(&script), NULL});
    gs_buf_done(&script);
}

static int extract(const gs_tempdir *dir, const char *into, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    int code = gs_fs_make_dirs(dir->fd, into, 0700, err);
    if (code == 0) {
        code = gs_fs_open_dir(dir->fd, into, &fd, err);
    }
    return code == 0 ? gs_tar_extract(open_file(dir, "in.tar"), NULL, fd, err) : code;
}

static mode_t mode_of(const gs_tempdir *dir, const char *path)
{
    struct stat info;
    assert_int_equal(fstatat(dir->fd, path, &info, AT_SYMLINK_NOFOLLOW), 0);
    return info.st_mode & 07777;
}

static void test_a_chart(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    make_tar(dir, "add('x/Chart.yaml', b'name: x\\n')\n"
                  "add('x/templates/deploy.yaml', b'kind: Deployment\\n', mode=0o600)\n"
                  "add('x/run.sh', b'#!/bin/sh\\n', mode=0o6777)\n"
                  "add('x/empty')\n"
                  "add('y/', kind=tarfile.DIRTYPE, mode=0o000)\n"
                  "add('big', bytes(range(256)) * 4096)\n");
    mode_t before = umask(0077);
    assert_ok(&err, extract(dir, "out", &err));
    (void)umask(before);
    support_assert_file(dir->fd, "out/x/Chart.yaml", "name: x\n");
    support_assert_file(dir->fd, "out/x/templates/deploy.yaml", "kind: Deployment\n");
    support_assert_file(dir->fd, "out/x/empty", "");
    assert_int_equal(mode_of(dir, "out/x/Chart.yaml"), 0644);
    assert_int_equal(mode_of(dir, "out/x/templates/deploy.yaml"), 0644);
    assert_int_equal(mode_of(dir, "out/x/run.sh"), 0755);
    assert_int_equal(mode_of(dir, "out/x/templates"), 0755);
    assert_int_equal(mode_of(dir, "out/y"), 0755);
    run_in(dir, NULL, (const char *const[]){"sh", "-c", "mkdir ref && tar xzf in.tar -C ref big && cmp ref/big out/big", NULL});
}

static void test_nothing_is_overwritten(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    support_write(dir->fd, "victim", "precious");
    support_write(dir->fd, "out/there", "old");
    assert_int_equal(symlinkat("..", dir->fd, "out/link"), 0);
    make_tar(dir, "add('there', b'new')");
    assert_fails(&err, GS_EEXISTS, "there", extract(dir, "out", &err));
    make_tar(dir, "add('link/victim', b'new')");
    assert_int_not_equal(extract(dir, "out", &err), 0);
    make_tar(dir, "add('a', b'1')\nadd('a', b'2')");
    assert_int_not_equal(extract(dir, "fresh", &err), 0);
    support_assert_file(dir->fd, "fresh/a", "1");
    support_assert_file(dir->fd, "out/there", "old");
    support_assert_file(dir->fd, "victim", "precious");
}

static void test_links_are_refused_whatever_the_limits_say(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    make_tar(dir, "info = tarfile.TarInfo('l')\ninfo.type, info.linkname = tarfile.SYMTYPE, 'x'\ntar.addfile(info)\nadd('x')");
    assert_fails(&err, GS_EFORMAT, "is a link",
                 gs_tar_extract(open_file(dir, "in.tar"), &(gs_tar_limits){.links = true}, dir->fd, &err));
    assert_false(gs_fs_exists(dir->fd, "l"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_in_tempdir(test_a_chart), test_in_tempdir(test_nothing_is_overwritten),
                                       test_in_tempdir(test_links_are_refused_whatever_the_limits_say)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
