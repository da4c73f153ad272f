/* Lets every bundle and every chain of roots that it is given be refused, each in a process of its own: what that executes is what runs
 * before the threshold is met.
 *
 *   refuse ROOT... -- BUNDLE|CHAIN...
 *
 * What a root accepts leaves no trace: its process ends without writing its counters. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gapship/bundle.h"
#include "gapship/fs.h"

static int walk(gs_trust **trust, const char *path, gs_error *err)
{
    GS_AUTO_BUF gs_buf chain;
    gs_buf_init(&chain, GS_MAX_ROOTS_BYTES);
    int code = gs_fs_read_file(AT_FDCWD, path, &chain, err);
    return code == 0 ? gs_trust_walk(trust, chain.data, chain.len, NULL, NULL, err) : code;
}

/* Whether the counters of this process may be kept. */
static bool refuse(const char *root, const char *path)
{
    gs_error err = {0};
    GS_AUTO_TRUST gs_trust *trust = NULL;
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    if (gs_trust_load(root, &trust, &err) != 0) {
        return true;
    }
    if (!strstr(path, ".gapship")) {
        return walk(&trust, path, &err) != 0;
    }
    if (gs_bundle_open(path, &bundle, &err) != 0) {
        return true;
    }
    int code = gs_bundle_walk(bundle, &trust, NULL, NULL, &err);
    const gs_terms terms = {.trust = trust};
    code = code == 0 ? gs_bundle_verify(&bundle, &terms, &verified, &err) : code;
    return code == GS_ESIGNATURE;
}

int main(int argc, char **argv)
{
    int split = 1;
    unsigned refused = 0;
    while (split < argc && strcmp(argv[split], "--") != 0) {
        split++;
    }
    for (int root = 1; root < split; root++) {
        for (int bundle = split + 1; bundle < argc; bundle++) {
            pid_t child = fork();
            int status = -1;
            if (child == 0) {
                if (refuse(argv[root], argv[bundle])) {
                    exit(0);
                }
                _exit(1);
            }
            if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
                fprintf(stderr, "%s with %s: status %d\n", argv[bundle], argv[root], status);
                return 2;
            }
            refused += WEXITSTATUS(status) == 0;
        }
    }
    printf("%u refused\n", refused);
    return refused > 0 ? 0 : 2;
}
