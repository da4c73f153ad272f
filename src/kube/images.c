/* Where the images of objects stand. A typed walk finds what runs: PodSpecs at any depth (Rollouts and custom resources have them
 * too), keys `image`, and images written in parts. Every other text is scanned for what reads like a reference (scan.c). Must not
 * know registries, locks or what an image is replaced with. */
#include "internal.h"

#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"

#define LONGEST_PATH GS_KIB(4)
/* Text inside text: a ConfigMap's YAML that holds YAML again. */
#define DEEPEST_TEXT 2

typedef struct walk {
    gs_arena *arena;
    const gs_node *object;
    gs_buf path;
    gs_image_use *uses;
    size_t count, room;
    size_t running; /* uses[0, running) run; known while mentions are looked for */
    size_t first_of_object;
    bool mentions;  /* second pass */
    int text_depth; /* > 0: inside a text that is YAML or JSON itself */
} walk;

/* Recording ----------------------------------------------------------------------------------------------------------------------
 */

static int record(walk *w, gs_image_certainty certainty, const char *image, gs_error *err)
{
    gs_image_use *uses = gs_arena_more(w->arena, w->uses, w->count, &w->room, sizeof *uses);
    if (!uses) {
        return gs_fail_nomem(err);
    }
    w->uses = uses;
    gs_image_use *use = &w->uses[w->count];
    *use = (gs_image_use){.certainty = certainty,
                          .object = w->object,
                          .path = gs_arena_text(w->arena, gs_buf_text(&w->path)),
                          .image = gs_arena_text(w->arena, image)};
    if (!use->path || !use->image) {
        return gs_fail_nomem(err);
    }
    w->count++;
    return 0;
}

/* The same words stand many times in one object (a ConfigMap's text and the YAML in it): once is enough. */
static int record_mention(void *state, const char *image, gs_error *err)
{
    walk *w = state;
    for (size_t i = w->first_of_object; i < w->count; i++) {
        if (strcmp(w->uses[i].image, image) == 0) {
            return 0;
        }
    }
    return record(w, GS_IMAGE_MENTIONED, image, err);
}

static bool names_repository(const gs_image_use *uses, size_t count, const gs_reference *repository)
{
    gs_reference other;
    for (size_t i = 0; i < count; i++) {
        if (gs_reference_parse(uses[i].image, &other, NULL) == 0 && strcmp(other.path, repository->path) == 0 &&
            strcmp(other.host, repository->host) == 0) {
            return true;
        }
    }
    return false;
}

/* A repository that runs somewhere, or that this object has named before. */
static bool is_known(void *state, const gs_reference *reference)
{
    const walk *w = state;
    return names_repository(w->uses, w->running, reference) ||
           names_repository(w->uses + w->first_of_object, w->count - w->first_of_object, reference);
}

/* Images in parts ----------------------------------------------------------------------------------------------------------------
 */

static bool is_structured(const gs_node *node)
{
    return node->kind == GS_NODE_MAP || node->kind == GS_NODE_LIST;
}

static const char *part(const gs_node *map, const char *key)
{
    const char *text = gs_node_text(map, key);
    return text && *text ? text : NULL;
}

static bool is_readable(const char *text)
{
    gs_reference reference;
    return gs_reference_parse(text, &reference, NULL) == 0;
}

static bool in_pod(const char *list_key)
{
    return gs_text_equal(list_key, "containers") || gs_text_equal(list_key, "initContainers") ||
           gs_text_equal(list_key, "ephemeralContainers");
}

gs_image_place gs_image_place_below(const gs_image_place *at, const char *key)
{
    return (gs_image_place){.key = key, .volume = gs_text_equal(at->list_key, "volumes") && strcmp(key, "image") == 0};
}

bool gs_image_runs(const gs_image_place *at, const char *key, const gs_node *value)
{
    if (!value || value->kind == GS_NODE_NULL || is_structured(value) || *value->text == '\0') {
        return false;
    }
    if (at->volume) {
        return strcmp(key, "reference") == 0;
    }
    return strcmp(key, "image") == 0 && (in_pod(at->list_key) || (value->kind == GS_NODE_TEXT && is_readable(value->text)));
}

/* A tag or digest behind the repository. */
static bool is_complete(const char *image)
{
    const char *slash = strrchr(image, '/');
    return strpbrk(slash ? slash : image, ":@") != NULL;
}

static bool names_host(const char *repository)
{
    const char *slash = strchr(repository, '/');
    const char *mark = strpbrk(repository, ".:");
    return slash && mark && mark < slash;
}

/* "NAME:TAG@DIGEST"; a tag or version may be a digest itself, as the GPU operator's are. */
static const char *join_parts(gs_arena *arena, const char *registry, const char *repository, const char *image, const char *tag,
                              const char *digest)
{
    bool digest_as_tag = tag && gs_text_starts(tag, "sha256:");
    return gs_arena_printf(arena, "%s%s%s%s%s%s%s%s%s", registry ? registry : "", registry ? "/" : "", repository ? repository : "",
                           repository && image ? "/" : "", image ? image : "", tag ? (digest_as_tag ? "@" : ":") : "",
                           tag ? tag : "", digest ? "@" : "", digest ? digest : "");
}

int gs_image_parts_read(const gs_node *map, gs_arena *arena, gs_image_parts *parts, const char **image, gs_error *err)
{
    gs_image_parts p = {.registry = part(map, "registry"),
                        .repository = part(map, "repository"),
                        .image = part(map, "image"),
                        .tag = part(map, "tag"),
                        .digest = part(map, "digest")};
    const char *name = p.repository ? p.repository : p.image;
    *image = NULL;
    if (!name || (p.image && is_complete(p.image))) {
        return 0;
    }
    if (gs_node_get(map, "tag")) {
        p.tag_key = "tag";
    }
    /* `version` beside a lone `image` is something else (an operator's own idea of it), and so it is in a chart's coordinates. */
    if (!p.tag && p.repository && part(map, "version") && (p.image || p.registry || names_host(p.repository))) {
        p.tag_key = "version";
        p.tag = part(map, "version");
    }
    if (!p.tag && !p.digest && !(p.registry && p.image)) {
        return 0;
    }
    if (p.image && p.repository && (names_host(p.image) || strchr(p.image, '/'))) {
        p.repository = NULL;
    }
    if (p.registry && gs_text_starts(name, p.registry) && name[strlen(p.registry)] == '/') {
        p.registry = NULL;
    }
    const char *joined = join_parts(arena, p.registry, p.repository, p.image, p.tag, p.digest);
    if (!joined) {
        return gs_fail_nomem(err);
    }
    if (is_readable(joined)) {
        *parts = p;
        *image = joined;
    }
    return 0;
}

/* The walk -----------------------------------------------------------------------------------------------------------------------
 */

static bool is_plain_key(const char *key)
{
    return *key && strpbrk(key, "./[]\" ") == NULL;
}

/* Adds a key to the path; returns where to cut it off again. */
static size_t enter_key(walk *w, const char *key)
{
    size_t before = w->path.len;
    if (is_plain_key(key)) {
        gs_buf_printf(&w->path, "%s%s", before ? "." : "", key);
    } else {
        gs_buf_printf(&w->path, "[\"%s\"]", key);
    }
    return before;
}

static size_t enter_item(walk *w, size_t index)
{
    size_t before = w->path.len;
    gs_buf_printf(&w->path, "[%zu]", index);
    return before;
}

static void leave(walk *w, size_t before)
{
    if (w->path.failed) {
        return; /* a path longer than any sane one stays cut, and gs_buf_check tells */
    }
    w->path.len = before;
    w->path.data[before] = '\0';
}

static int walk_node(walk *w, const gs_node *node, const gs_image_place *at, gs_error *err);

/* A ConfigMap's file, an annotation: text that is YAML or JSON itself may name images under keys, too. */
static int walk_text_as_document(walk *w, const gs_node *node, gs_error *err)
{
    bool likely = strchr(node->text, '\n') || node->text[0] == '{' || node->text[0] == '[';
    if (!likely || w->text_depth == DEEPEST_TEXT) {
        return 0;
    }
    GS_AUTO_DOC gs_doc *doc = NULL;
    int code = gs_doc_parse_manifests("text", node->text, node->text_len, &doc, NULL);
    if (code == GS_ENOMEM) {
        return gs_fail_nomem(err);
    }
    if (code < 0) {
        return 0;
    }
    w->text_depth++;
    for (size_t i = 0; code == 0 && i < doc->root->count; i++) {
        if (is_structured(doc->root->items[i])) {
            code = walk_node(w, doc->root->items[i], &(gs_image_place){0}, err);
        }
    }
    w->text_depth--;
    return code;
}

static bool hints_at_image(const char *key)
{
    return key && strcasestr(key, "image");
}

/* Scans a scalar that does not run by its place. */
static int walk_mentions(walk *w, const gs_node *node, bool hint, gs_error *err)
{
    const gs_image_scan scan = {.hint = hint, .known = is_known, .found = record_mention, .state = w};
    if (!w->mentions || node->kind != GS_NODE_TEXT) {
        return 0;
    }
    /* The document first: it knows more about a name than its words do. */
    int code = walk_text_as_document(w, node, err);
    return code < 0 ? code : gs_image_scan_text(&scan, node->text, err);
}

/* An image found by the walk runs, unless it stands in a text: what becomes of that is for the program that reads it. */
static int record_by_place(walk *w, const char *image, gs_error *err)
{
    if (w->text_depth > 0) {
        return record_mention(w, image, err);
    }
    return w->mentions ? 0 : record(w, GS_IMAGE_RUNS, image, err);
}

/* In a text a bare word at `image` says too little; the scan judges it. */
static bool runs_by_place(const walk *w, const gs_node *value, const char *key, const gs_image_place *at)
{
    return gs_image_runs(at, key, value) && (w->text_depth == 0 || at->volume || in_pod(at->list_key));
}

static bool is_part_key(const char *key)
{
    static const char *const keys[] = {"registry", "repository", "image", "tag", "version", "digest"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(key, keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int walk_map(walk *w, const gs_node *map, const gs_image_place *at, gs_error *err)
{
    gs_image_parts parts;
    const char *joined;
    bool hinted_value = hints_at_image(gs_node_text(map, "name")); /* {name: SIDECAR_IMAGE, value: …} */
    int code = gs_image_parts_read(map, w->arena, &parts, &joined, err);
    if (code == 0 && joined) {
        code = record_by_place(w, joined, err);
    }
    for (size_t i = 0; code == 0 && i < map->count; i++) {
        const char *key = map->pairs[i].key;
        const gs_node *value = map->pairs[i].value;
        size_t before = enter_key(w, key);
        if (is_structured(value)) {
            gs_image_place below = gs_image_place_below(at, key);
            code = walk_node(w, value, &below, err);
        } else if (joined && is_part_key(key)) {
            code = 0; /* told as a whole */
        } else if (runs_by_place(w, value, key, at)) {
            code = record_by_place(w, value->text, err);
        } else {
            code = walk_mentions(w, value, hints_at_image(key) || (hinted_value && strcmp(key, "value") == 0), err);
        }
        leave(w, before);
    }
    return code;
}

static int walk_list(walk *w, const gs_node *list, const char *key, gs_error *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < list->count; i++) {
        const gs_node *item = list->items[i];
        size_t before = enter_item(w, i);
        if (is_structured(item)) {
            code = walk_node(w, item, &(gs_image_place){.list_key = key}, err);
        } else {
            code = walk_mentions(w, item, hints_at_image(key), err);
        }
        leave(w, before);
    }
    return code;
}

static int walk_node(walk *w, const gs_node *node, const gs_image_place *at, gs_error *err)
{
    return node->kind == GS_NODE_LIST ? walk_list(w, node, at->key, err) : walk_map(w, node, at, err);
}

static int walk_objects(walk *w, const gs_node *objects, gs_error *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < objects->count; i++) {
        w->object = objects->items[i];
        w->first_of_object = w->count;
        if (is_structured(w->object)) {
            code = walk_node(w, w->object, &(gs_image_place){0}, err);
        }
    }
    return code < 0 ? code : gs_buf_check(&w->path, err);
}

/* Both passes' uses, object by object: what runs before what is mentioned. */
static int merge_passes(const walk *w, const gs_node *objects, gs_image_use **out, gs_error *err)
{
    gs_image_use *merged = gs_arena_array(w->arena, w->count, sizeof *merged);
    size_t n = 0, runs = 0, mentioned = w->running;
    if (!merged) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < objects->count; i++) {
        while (runs < w->running && w->uses[runs].object == objects->items[i]) {
            merged[n++] = w->uses[runs++];
        }
        while (mentioned < w->count && w->uses[mentioned].object == objects->items[i]) {
            merged[n++] = w->uses[mentioned++];
        }
    }
    *out = merged;
    return 0;
}

int gs_kube_images(const gs_node *objects, gs_arena *arena, gs_image_use **out, size_t *count, gs_error *err)
{
    walk w = {.arena = arena};
    gs_buf_init(&w.path, LONGEST_PATH);
    (void)gs_buf_text(&w.path);
    int code = walk_objects(&w, objects, err);
    /* Mentions are judged by what runs anywhere, so they wait for a second pass. */
    w.running = w.count;
    w.mentions = true;
    if (code == 0) {
        code = walk_objects(&w, objects, err);
    }
    if (code == 0) {
        code = merge_passes(&w, objects, out, err);
    }
    if (code == 0) {
        *count = w.count;
    }
    gs_buf_done(&w.path);
    return code;
}
