/* `gapship site init`: a site.yaml to edit, the trust root, the store with its ledger. site.yaml comes last: until it is there the
 * same command finishes what was interrupted, and from then on nothing here is ever made anew. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "roots.h"

#define NAME_BYTES 64

static const char head[] = "# The site: where gapship keeps bundles, whom it trusts, and how it reaches what it installs to.\n"
                           "# Every key is described in SITE.md. Paths are relative to this file.\n"
                           "apiVersion: gapship/v1\n"
                           "kind: Site\n";
static const char body[] =
    "\n"
    "# Accepted bundles, the ledger, caches. Back it up: the ledger is what tells an old bundle from a new one.\n"
    "store: store\n"
    "\n"
    "# Who may sign bundles. Compare its fingerprint, which `gapship site init` printed, with the one you were told.\n"
    "trust: {root: trust/root.json}\n"
    "\n"
    "# Where nodes pull images from. Embedded: `gapship serve` serves them straight from the kept bundles.\n"
    "registry:\n"
    "  embedded:\n"
    "    listen: \"127.0.0.1:5000\"      # an address that the nodes reach\n"
    "    # tls: {certificate: tls.crt, key: tls.key}\n"
    "    # users: registry.users        # \"user:password\" lines, mode 0600; without it everybody may pull\n"
    "# Or one that exists; gapship load and install push to it:\n"
    "# registry:\n"
    "#   url: \"https://registry.internal:5000\"\n"
    "#   prefix: platform               # before every repository\n"
    "#   ca: ca.pem\n"
    "#   credentials: {file: registry.auth}   # \"user:password\", or a docker config.json; mode 0600\n"
    "\n"
    "# GitOps repositories that units with `target: {kind: gitops}` are committed to. A path, https or ssh.\n"
    "git:\n"
    "  site:\n"
    "    url: deploy.git                # make one with `git init --bare deploy.git`\n"
    "    # url: \"ssh://git@git.internal/platform/deploy.git\"\n"
    "    # key: {file: id_ed25519}\n"
    "    # knownHosts: known_hosts\n"
    "    # author: \"gapship <gapship@plant-7>\"\n"
    "\n"
    "# One entry for every environment of the release, by its name.\n"
    "# environments:\n"
    "#   staging:\n"
    "#     kubeconfig: staging.kubeconfig   # for units with kind helm or kubectl, and for migrations\n"
    "#     inputs: staging.inputs.yaml      # values of the release's inputs\n"
    "#   production: {kubeconfig: production.kubeconfig, inputs: production.inputs.yaml}\n"
    "\n"
    "# How many earlier bundles are kept for a rollback; without it, as the release says.\n"
    "# retention: {keep: 3}\n"
    "\n"
    "# policy: {allowUnsigned: true}    # only where nobody would mind a bundle from anybody\n";

typedef struct creation {
    const gs_run *run;
    int fd;         /* of the directory */
    char *root;     /* the root document */
    gs_entry first; /* of the ledger: which root */
    char name[NAME_BYTES];
} creation;

/* The machine's name where it is one; people change it in the file. */
static void name_site(char name[NAME_BYTES])
{
    char host[NAME_BYTES] = "";
    if (gethostname(host, sizeof host - 1) != 0) {
        host[0] = '\0';
    }
    for (char *c = host; *c; c++) {
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    }
    const char *chosen = gs_name_valid(host) ? host : "site";
    memcpy(name, chosen, strlen(chosen) + 1);
}

static int write_root(creation *c, const char *root_file, gs_error *err)
{
    GS_AUTO_TRUST gs_trust *trust = NULL;
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_ROOT_BYTES);
    int code = gs_trust_load(root_file, &trust, err);
    if (code == 0) {
        code = gs_roots_entry(trust, &c->first, err);
    }
    if (code == 0) {
        code = gs_trust_write(trust, &text, err);
    }
    if (code == 0) {
        code = gs_fs_make_dirs(c->fd, "trust", 0755, err);
    }
    return code == 0 ? gs_fs_write_file(c->fd, "trust/root.json", text.data, text.len, 0644, err) : code;
}

/* The ledger first, the store's VERSION behind it: a store always has its ledger. */
static int write_store(const creation *c, const char *directory, gs_error *err)
{
    if (gs_fs_exists(c->fd, "store/VERSION")) {
        return 0;
    }
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const char *store = arena ? gs_arena_printf(arena, "%s/store", directory) : NULL;
    const char *ledger = store ? gs_arena_printf(arena, "%s/ledger.sqlite", store) : NULL;
    char fingerprint[GS_DIGEST_TEXT];
    gs_digest_text(&c->first.bundle, fingerprint);
    const char *detail = ledger ? gs_arena_printf(arena, "site %s, root %s", c->name, fingerprint) : NULL;
    if (!detail) {
        return gs_fail_nomem(err);
    }
    int code = gs_fs_make_dirs(AT_FDCWD, store, 0700, err);
    if (code == 0) {
        code = gs_fs_remove(AT_FDCWD, ledger, err); /* half made by an interrupted run: a store without VERSION was never used */
    }
    gs_entry first = c->first;
    first.kind = GS_ENTRY_CREATED;
    first.state = GS_STATE_DONE;
    first.time = gs_now(c->run);
    first.detail = detail;
    if (code == 0) {
        code = gs_ledger_create(ledger, &first, err);
    }
    return code == 0 ? gs_store_create(store, err) : code;
}

static int write_site(const creation *c, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    GS_AUTO_SITE gs_site *site = NULL;
    gs_buf_init(&text, GS_MAX_SPEC_BYTES);
    gs_buf_add_text(&text, head);
    gs_buf_printf(&text, "name: %s\n", c->name);
    gs_buf_add_text(&text, body);
    int code = gs_buf_check(&text, err);
    if (code == 0) {
        code = gs_site_parse("site.yaml", text.data, text.len, &site, err);
    }
    return code == 0 ? gs_fs_write_file(c->fd, "site.yaml", text.data, text.len, 0644, err) : code;
}

static int create(creation *c, const char *directory, const char *root_file, gs_error *err)
{
    if (gs_fs_exists(c->fd, "site.yaml")) {
        (void)gs_fail(err, GS_EEXISTS, "there is a site already");
        (void)gs_error_at(err, "%s/site.yaml", directory);
        return gs_error_hint(err, "edit it, or name another directory");
    }
    name_site(c->name);
    int code = write_root(c, root_file, err);
    if (code == 0) {
        code = write_store(c, directory, err);
    }
    return code == 0 ? write_site(c, err) : code;
}

int gs_site_create(const gs_run *run, const char *directory, const char *root_file, gs_digest *fingerprint, gs_error *err)
{
    creation c = {.run = run, .fd = -1};
    int code = gs_fs_make_dirs(AT_FDCWD, directory, 0755, err);
    if (code == 0) {
        code = gs_fs_open_dir(AT_FDCWD, directory, &c.fd, err);
    }
    if (code == 0) {
        code = create(&c, directory, root_file, err);
    }
    gs_fs_close_p(&c.fd);
    if (code == 0) {
        *fingerprint = c.first.bundle;
    }
    return code;
}
