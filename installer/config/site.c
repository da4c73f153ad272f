/* site.yaml from file to struct. Must not know single keys: they are the tables'. */
#include "config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"

static int bind_site(gs_site *site, gs_error *err)
{
    gs_site_file file;
    int code = gs_bind_read(&gs_site_table, site->doc, site->doc->root, site->arena, &file, err);
    if (code < 0) {
        return code;
    }
    file.site.doc = site->doc;
    file.site.arena = site->arena;
    file.site.path = site->path;
    file.site.root = file.trust.root;
    file.site.keep = file.retention.keep;
    file.site.allow_unsigned = file.policy.allow_unsigned;
    file.site.refuse_stale = file.policy.on_stale == GS_STALE_REFUSE;
    if (file.policy.max_age) {
        (void)gs_parse_age(file.policy.max_age, &file.site.max_age); /* the table has accepted it */
    }
    *site = file.site;
    return 0;
}

static int fill_authors(gs_site *site, gs_error *err)
{
    for (size_t i = 0; i < site->git.count; i++) {
        gs_site_git *git = &site->git.items[i];
        if (!git->author) {
            git->author = gs_arena_printf(site->arena, "gapship <gapship@%s>", site->name);
        }
        if (!git->author) {
            return gs_fail_nomem(err);
        }
    }
    return 0;
}

static int parse_checked(gs_site *site, const char *path, const char *data, size_t len, gs_error *err)
{
    if (len > GS_MAX_SPEC_BYTES) {
        (void)gs_fail(err, GS_ELIMIT, "the file has %zu bytes; gapship reads up to %zu", len, GS_MAX_SPEC_BYTES);
        return gs_error_at(err, "%s", path);
    }
    site->path = gs_arena_text(site->arena, path);
    if (!site->path) {
        return gs_fail_nomem(err);
    }
    int code = gs_doc_parse(GS_CONFIGURATION, path, data, len, &site->doc, err);
    if (code == 0) {
        code = bind_site(site, err);
    }
    if (code == 0) {
        code = gs_site_check(site, err);
    }
    if (code == 0) {
        code = fill_authors(site, err);
    }
    return code < 0 ? code : gs_site_resolve_paths(site, err);
}

int gs_site_parse(const char *path, const char *data, size_t len, gs_site **out, gs_error *err)
{
    gs_error ignored = {0};
    if (!err) {
        err = &ignored;
    }
    GS_AUTO_SITE gs_site *site = calloc(1, sizeof *site);
    if (!site || !(site->arena = gs_arena_new())) {
        return gs_fail_nomem(err);
    }
    int code = parse_checked(site, path, data, len, err);
    if (code < 0) {
        return code;
    }
    *out = GS_STEAL(site);
    return 0;
}

/* A relative path would mean something else after a change of directory. */
static int make_absolute(const char *path, gs_buf *out, gs_error *err)
{
    char here[PATH_MAX];
    if (*path != '/') {
        if (!getcwd(here, sizeof here)) {
            return gs_fail_errno(err, errno, "the current directory");
        }
        gs_buf_printf(out, "%s/", here);
    }
    gs_buf_add_text(out, path);
    return gs_buf_check(out, err);
}

static int load_file(const char *path, gs_site **out, gs_error *err)
{
    GS_AUTO_BUF gs_buf absolute;
    GS_AUTO_BUF gs_buf data;
    gs_buf_init(&absolute, 2 * PATH_MAX);
    gs_buf_init(&data, GS_MAX_SPEC_BYTES + 1);
    int code = gs_fs_read_file(AT_FDCWD, path, &data, err);
    if (code == 0) {
        code = make_absolute(path, &absolute, err);
    }
    return code < 0 ? code : gs_site_parse(gs_buf_text(&absolute), gs_buf_text(&data), data.len, out, err);
}

int gs_site_load(const char *path, gs_site **out, gs_error *err)
{
    static const char here[] = "site.yaml", system[] = "/etc/gapship/site.yaml";
    gs_error ignored = {0};
    if (!err) {
        err = &ignored;
    }
    int code = load_file(path ? path : here, out, err);
    if (code == GS_ENOTFOUND && !path) {
        code = load_file(system, out, err);
    }
    if (code == GS_ENOTFOUND && !path) {
        (void)gs_fail(err, GS_ENOTFOUND, "there is no site: neither %s here nor %s exists", here, system);
        *err->where = '\0';
    }
    return code == GS_ENOTFOUND ? gs_error_hint(err, "`gapship site init DIR --root ROOT` makes one") : code;
}

void gs_site_free(gs_site *site)
{
    if (!site) {
        return;
    }
    gs_doc_free(site->doc);
    gs_arena_free(site->arena);
    free(site);
}

void gs_site_free_p(gs_site **site)
{
    gs_site_free(*site);
}

const gs_site_environment *gs_site_environment_find(const gs_site *site, const char *name)
{
    for (size_t i = 0; i < site->environments.count; i++) {
        if (gs_text_equal(site->environments.items[i].name, name)) {
            return &site->environments.items[i];
        }
    }
    return NULL;
}

const gs_site_git *gs_site_git_find(const gs_site *site, const char *name)
{
    for (size_t i = 0; i < site->git.count; i++) {
        if (gs_text_equal(site->git.items[i].name, name)) {
            return &site->git.items[i];
        }
    }
    return NULL;
}

const char *gs_site_registry_host(const gs_site *site)
{
    if (!site->registry.url) {
        return site->registry.embedded.listen;
    }
    return strstr(site->registry.url, "://") + 3;
}
