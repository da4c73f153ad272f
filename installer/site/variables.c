/* The variables of an environment: the release's own facts, the images, and the inputs that the site gives, checked against what
 * the release declares. Values of sensitive inputs pass through here and are never put into an error. */
#include <string.h>

#include "gapship/num.h"
#include "gapship/text.h"
#include "site.h"

static const char *find(const gs_text_map *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++) {
        if (gs_text_equal(map->items[i].key, key)) {
            return map->items[i].value;
        }
    }
    return NULL;
}

typedef struct filling {
    gs_arena *arena;
    gs_text_map *map;
    bool failed; /* out of memory */
} filling;

static void add(filling *f, const char *prefix, const char *name, const char *value)
{
    char *key = gs_arena_printf(f->arena, "%s%s", prefix, name);
    char *copy = gs_arena_text(f->arena, value);
    f->failed = f->failed || !key || !copy;
    if (!f->failed) {
        f->map->items[f->map->count++] = (gs_text_pair){.key = key, .value = copy};
    }
}

static bool has_type(const gs_input_spec *input, const char *value)
{
    int64_t number;
    switch ((gs_input_type)input->type) {
    case GS_INPUT_INTEGER:
        return gs_parse_i64(value, &number);
    case GS_INPUT_BOOLEAN:
        return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
    case GS_INPUT_STRING:
        break;
    }
    return true;
}

/* Where to set an input that is missing or wrong. */
static int place_input(const gs_site_environment *place, const gs_input_spec *input, gs_error *err)
{
    const char *colon = input->description ? ": " : "";
    const char *description = input->description ? input->description : "";
    if (place->inputs) {
        (void)gs_error_at(err, "%s", place->inputs);
        (void)gs_error_hint(err, "set %s there%s%s", input->name, colon, description);
    } else {
        (void)gs_error_at(err, "environment %s", place->name);
        (void)gs_error_hint(err, "name a file under `inputs` of the environment in site.yaml and set %s in it%s%s", input->name,
                            colon, description);
    }
    return GS_ECHECK;
}

static int add_inputs(filling *f, const gs_release *release, const gs_site_environment *place, gs_error *err)
{
    gs_text_map given = {0};
    int code = place->inputs ? gs_site_inputs_load(place->inputs, f->arena, &given, err) : 0;
    for (size_t i = 0; code == 0 && i < release->inputs.count; i++) {
        const gs_input_spec *input = &release->inputs.items[i];
        const char *value = find(&given, input->name);
        value = value ? value : input->otherwise;
        if (!value && input->required) {
            (void)gs_fail(err, GS_ECHECK, "the release needs the input %s, and the site does not give it", input->name);
            code = place_input(place, input, err);
        } else if (value && !has_type(input, value)) {
            (void)gs_fail(err, GS_ECHECK, "the input %s is not %s", input->name,
                          input->type == GS_INPUT_INTEGER ? "an integer" : "true or false");
            code = place_input(place, input, err);
        } else if (value) {
            add(f, "input.", input->name, value);
        }
    }
    return code;
}

int gs_variables_make(const gs_installation *site, const gs_subject *subject, const gs_environment_spec *environment,
                      gs_arena *arena, gs_text_map *out, gs_error *err)
{
    const gs_release *release = subject->contents->release;
    const gs_lock *lock = subject->contents->lock;
    const gs_site_environment *place = gs_site_environment_find(site->site, environment->name);
    const size_t most = 4 + 2 * lock->images.count + release->inputs.count;
    gs_text_map map = {.items = gs_arena_array(arena, most, sizeof *map.items)};
    const char *bundle = gs_digest_in(arena, gs_verified_digest(subject->verified));
    if (!map.items || !bundle) {
        return gs_fail_nomem(err);
    }
    filling f = {.arena = arena, .map = &map};
    add(&f, "", "name", release->name);
    add(&f, "", "version", release->version);
    add(&f, "", "environment", environment->name);
    add(&f, "", "bundle", bundle);
    for (size_t i = 0; i < lock->images.count; i++) {
        add(&f, "tag.", lock->images.items[i].as, lock->images.items[i].tag);
        add(&f, "digest.", lock->images.items[i].as, lock->images.items[i].digest);
    }
    int code = place ? add_inputs(&f, release, place, err) : 0;
    if (code == 0 && f.failed) {
        code = gs_fail_nomem(err);
    }
    if (code == 0) {
        *out = map;
    }
    return code;
}

int gs_variables_with(const gs_text_map *base, const gs_text_pair *more, size_t count, gs_arena *arena, gs_text_map *out,
                      gs_error *err)
{
    gs_text_map map = {.items = gs_arena_array(arena, base->count + count, sizeof *map.items)};
    if (!map.items) {
        return gs_fail_nomem(err);
    }
    filling f = {.arena = arena, .map = &map};
    for (size_t i = 0; i < base->count; i++) {
        map.items[map.count++] = base->items[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (more[i].value) {
            add(&f, "", more[i].key, more[i].value);
        }
    }
    if (f.failed) {
        return gs_fail_nomem(err);
    }
    *out = map;
    return 0;
}
