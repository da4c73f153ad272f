/* release.yaml, and the JSON that bundles carry of it: what is accepted has its needs in order and its names once, and is written and
 * read again as the same release. */
#include <string.h>

#include "fuzz.h"
#include "gapship/limits.h"
#include "gapship/release.h"
#include "gapship/text.h"

static bool names_unit(const gs_environment_spec *environment, size_t before, const char *name)
{
    for (size_t i = 0; i < before; i++) {
        if (strcmp(environment->units.items[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void check_environment(const gs_release *release, const gs_environment_spec *environment)
{
    check(gs_release_environment(release, environment->name) == environment);
    for (size_t i = 0; i < environment->units.count; i++) {
        const gs_unit_spec *unit = &environment->units.items[i];
        check(!names_unit(environment, i, unit->name));
        for (size_t j = 0; j < unit->needs.count; j++) {
            check(names_unit(environment, i, unit->needs.items[j]));
        }
        check((unit->source.chart != NULL) + (unit->source.overlay != NULL) + (unit->source.manifests != NULL) == 1);
    }
    for (size_t i = 0; i < environment->migrations.count; i++) {
        const gs_migration_spec *migration = &environment->migrations.items[i];
        check(!migration->schema || gs_release_schema(release, migration->schema));
        check(migration->retry.attempts >= 1 && migration->deadline > 0);
    }
}

static void check_release(const gs_release *release)
{
    check(gs_name_valid(release->name) && release->sequence >= 0 && release->epoch >= 0);
    check(release->security_floor >= 0 && release->security_floor <= release->sequence);
    check(release->environments.count <= GS_MAX_ENVIRONMENTS);
    for (size_t i = 0; i < release->environments.count; i++) {
        check_environment(release, &release->environments.items[i]);
    }
}

static void check_rewritten(const gs_release *release)
{
    gs_error err = {0};
    gs_release *again = NULL;
    gs_buf first;
    gs_buf second;
    gs_buf_init(&first, GS_MIB(4));
    gs_buf_init(&second, GS_MIB(4));
    int code = gs_release_write(release, &first, &err);
    check(code == 0 || code == GS_ELIMIT); /* `extends` may make it too long to be read again */
    if (code == 0) {
        check(gs_release_parse("again", first.data, first.len, &again, &err) == 0);
        check(gs_release_write(again, &second, &err) == 0);
        check(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    }
    gs_release_free(again);
    gs_buf_done(&first);
    gs_buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_release *release = NULL;
    if (gs_release_parse("fuzz", (const char *)data, size, &release, &err) == 0) {
        check_release(release);
        check_rewritten(release);
        gs_release_free(release);
    } else {
        check(err.code == GS_ESPEC || err.code == GS_ELIMIT);
    }
    return 0;
}
