/* The names in a layer, as docker and buildkit make them: with links, devices, white-outs, twice the same name. */
#include <string.h>

#include "fixture.h"

static const char make_layer[] = "import io, tarfile\n"
                                 "tar = tarfile.open('layer', 'w')\n"
                                 "def add(name, kind=tarfile.REGTYPE, link='', content=b''):\n"
                                 "    info = tarfile.TarInfo(name)\n"
                                 "    info.type, info.linkname, info.size = kind, link, len(content)\n"
                                 "    tar.addfile(info, io.BytesIO(content))\n"
                                 "add('./', tarfile.DIRTYPE)\n"
                                 "add('usr/', tarfile.DIRTYPE)\n"
                                 "add('./usr/bin/alembic', content=b'#!' * 5000)\n"
                                 "add('/usr/bin/node')\n"
                                 "add('bin', tarfile.SYMTYPE, 'usr/bin')\n"
                                 "add('usr/bin/nodejs', tarfile.LNKTYPE, 'usr/bin/node')\n"
                                 "add('dev/null', tarfile.CHRTYPE)\n"
                                 "add('etc/.wh.passwd')\n"
                                 "add('usr/', tarfile.DIRTYPE)\n"
                                 "add('gr\\u00fc\\u00dfe')\n"
                                 "add('long/' * 60 + 'x')\n"
                                 "tar.close()\n";

typedef struct seen {
    char text[2048];
    const char *until;
} seen;

static int see(void *state, const char *name, gs_error *err)
{
    seen *all = state;
    if (strcmp(name, "refuse") == 0) {
        return gs_fail(err, GS_ESPEC, "refused");
    }
    size_t used = strlen(all->text);
    assert_true(used + strlen(name) + 2 < sizeof(all->text));
    (void)strncat(all->text, name, sizeof(all->text) - used - 1);
    (void)strncat(all->text, "\n", sizeof(all->text) - used - strlen(name) - 1);
    return all->until && strcmp(name, all->until) == 0;
}

static void test_lists_everything(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    run_in(dir, NULL, (const char *const[]){"python3", "-c", make_layer, NULL});
    run_in(dir, NULL, (const char *const[]){"sh", "-c", "gzip -k layer && zstd -q layer", NULL});
    static const char *const names[] = {"layer", "layer.gz", "layer.zst"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        seen all = {0};
        assert_ok(&err, gs_layer_names(open_file(dir, names[i]), see, &all, &err));
        assert_memory_equal(
            all.text,
            "usr/\nusr/bin/alembic\nusr/bin/node\nbin\nusr/bin/nodejs\ndev/null\netc/.wh.passwd\nusr/\ngr\xc3\xbc\xc3\x9f"
            "e\nlong/long/",
            100);
        assert_contains(all.text, "long/x\n");
    }
}

static void test_stops_when_it_was_found(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    run_in(dir, NULL, (const char *const[]){"python3", "-c", make_layer, NULL});
    seen all = {.until = "usr/bin/node"};
    assert_ok(&err, gs_layer_names(open_file(dir, "layer"), see, &all, &err));
    assert_string_equal(all.text, "usr/\nusr/bin/alembic\nusr/bin/node\n");
}

static void test_what_is_no_layer(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    seen all = {0};
    support_write(dir->fd, "text", "this is no layer, this is no layer, this is no layer");
    assert_fails(&err, GS_EFORMAT, "Unrecognized archive format", gs_layer_names(open_file(dir, "text"), see, &all, &err));
    run_in(dir, NULL, (const char *const[]){"python3", "-c", make_layer, NULL});
    run_in(dir, NULL,
           (const char *const[]){"sh", "-c", "gzip -k layer && head -c 200 layer.gz > cut.gz && head -c 3000 layer > cut", NULL});
    assert_fails(&err, GS_EFORMAT, NULL, gs_layer_names(open_file(dir, "cut.gz"), see, &all, &err));
    assert_fails(&err, GS_EFORMAT, NULL, gs_layer_names(open_file(dir, "cut"), see, &all, &err));
    run_in(dir, NULL, (const char *const[]){"sh", "-c", "touch refuse && tar cf refusing refuse", NULL});
    assert_fails(&err, GS_ESPEC, "refused", gs_layer_names(open_file(dir, "refusing"), see, &all, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_in_tempdir(test_lists_everything), test_in_tempdir(test_stops_when_it_was_found),
                                       test_in_tempdir(test_what_is_no_layer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
