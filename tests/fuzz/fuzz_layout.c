/* An OCI layout: a line with the name that is asked for, a line with the platforms that are chosen, its index.json, and after lines
 * "====" its blobs. "@3" stands for the digest of the third blob and "#3" for its size, in whatever stands before it, so that a blob that
 * is changed is still found. As a folder and as an archive it is the same image: made of blobs of the layout whose digests and sizes are as
 * promised, nothing that a manifest needs left out, each platform that was chosen and nothing of another, found in a
 * bounded number of steps. */
#include <string.h>
#include <unistd.h>

#include "builder/layout.h"
#include "fuzz.h"
#include "gapship/archive.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"
#include "scratch.h"

#define SEPARATOR  "\n====\n"
#define MOST_PARTS 10u /* index.json, and a blob for each digit */

/* The index, and the blobs in their order; the digests are right whatever the input is. */
typedef struct part {
    char name[sizeof "blobs/sha256/" + GS_DIGEST_HEX];
    gs_digest digest;
    gs_buf bytes;
} part;

static struct {
    part parts[MOST_PARTS];
    size_t count;
} layout;

/* ---- the layout of an input ---- */

/* Instead of the process that reads archives: the layout. */
int __wrap_gs_tar_read_apart(const gs_run *run, int fd, const gs_tar_limits *limits, gs_tar_visitor visit, void *state,
                             gs_error *err);

int __wrap_gs_tar_read_apart(const gs_run *run, int fd, const gs_tar_limits *limits, gs_tar_visitor visit, void *state,
                             gs_error *err)
{
    int code = 0;
    (void)run;
    (void)fd;
    (void)limits;
    for (size_t i = 0; code == 0 && i < layout.count; i++) {
        const part *file = &layout.parts[i];
        const gs_tar_entry entry = {.name = file->name, .kind = GS_TAR_FILE, .size = file->bytes.len};
        gs_source *content = NULL;
        code = gs_source_memory(file->bytes.data, file->bytes.len, &content, err);
        code = code == 0 ? visit(state, &entry, content, err) : code;
        gs_source_cancel(&content);
    }
    return code;
}

/* The n-th part: the parts behind it are there already. */
static void make_part(size_t n, const uint8_t *data, size_t size)
{
    gs_error err = {0};
    part *made = &layout.parts[n];
    char text[GS_DIGEST_TEXT];
    gs_buf_init(&made->bytes, GS_MIB(64));
    for (size_t i = 0; i < size; i++) {
        size_t other = i + 1 < size && data[i + 1] >= '0' && data[i + 1] <= '9' ? (size_t)(data[i + 1] - '0') : 0;
        if (other <= n || other >= layout.count || (data[i] != '@' && data[i] != '#')) {
            gs_buf_add(&made->bytes, &data[i], 1);
        } else if (data[i++] == '@') {
            gs_digest_text(&layout.parts[other].digest, text);
            gs_buf_add_text(&made->bytes, text);
        } else {
            gs_buf_printf(&made->bytes, "%zu", layout.parts[other].bytes.len);
        }
    }
    check(!made->bytes.failed && gs_digest_of(made->bytes.data, made->bytes.len, &made->digest, &err) == 0);
    gs_digest_text(&made->digest, text);
    (void)snprintf(made->name, sizeof made->name, "%s%s", n == 0 ? "index.json" : "blobs/sha256/",
                   n == 0 ? "" : strchr(text, ':') + 1);
}

static void make_layout(const uint8_t *data, size_t size)
{
    const uint8_t *starts[MOST_PARTS];
    size_t sizes[MOST_PARTS];
    layout.count = 0;
    for (const uint8_t *at = data; at && layout.count < MOST_PARTS; layout.count++) {
        size_t left = size - (size_t)(at - data);
        const uint8_t *end = layout.count + 1 < MOST_PARTS ? memmem(at, left, SEPARATOR, strlen(SEPARATOR)) : NULL;
        starts[layout.count] = at;
        sizes[layout.count] = end ? (size_t)(end - at) : left;
        at = end ? end + strlen(SEPARATOR) : NULL;
    }
    for (size_t i = layout.count; i > 0; i--) {
        make_part(i - 1, starts[i - 1], sizes[i - 1]);
    }
}

static void write_layout(char out[SCRATCH_PATH])
{
    char path[SCRATCH_PATH];
    scratch_folder("blobs", path);
    scratch_folder("blobs/sha256", path);
    for (size_t i = 0; i < layout.count; i++) {
        scratch_write(layout.parts[i].name, layout.parts[i].bytes.data, layout.parts[i].bytes.len, path);
    }
    scratch_path("", out);
}

static void remove_layout(void)
{
    char path[SCRATCH_PATH];
    for (size_t i = 0; i < layout.count; i++) {
        scratch_path(layout.parts[i].name, path);
        (void)unlink(path);
        gs_buf_done(&layout.parts[i].bytes);
    }
}

static const part *find_blob(const gs_digest *digest)
{
    for (size_t i = 1; i < layout.count; i++) {
        if (gs_digest_equal(&layout.parts[i].digest, digest)) {
            return &layout.parts[i];
        }
    }
    return NULL;
}

/* ---- an image of it ---- */

typedef struct laid_image {
    gs_origin *origin;
    gs_arena *arena;
    gs_locked_image locked;
    gs_build_layout laid;
    gs_node *rows; /* of manifest.json */
} laid_image;

static const gs_piece *find_piece(const laid_image *image, const gs_digest *digest)
{
    for (size_t i = 0; i < image->laid.count; i++) {
        if (gs_digest_equal(&image->laid.pieces[i].descriptor.digest, digest)) {
            return &image->laid.pieces[i];
        }
    }
    return NULL;
}

static bool is_chosen(const laid_image *image, const char *platform, const gs_platform *offered)
{
    gs_error err = {0};
    gs_platform wanted;
    return gs_platform_parse(platform, image->arena, &wanted, &err) == 0 && gs_platform_match(&wanted, offered);
}

static bool is_any_chosen(const laid_image *image, const gs_platform *offered)
{
    bool chosen = image->locked.platforms.count == 0 || !offered->os;
    for (size_t i = 0; !chosen && i < image->locked.platforms.count; i++) {
        chosen = is_chosen(image, image->locked.platforms.items[i], offered);
    }
    return chosen;
}

static const gs_piece *check_there(const laid_image *image, const gs_descriptor *needed)
{
    const gs_piece *piece = find_piece(image, &needed->digest);
    check(piece && piece->descriptor.size == needed->size);
    return piece;
}

static gs_manifest parse(const laid_image *image, const gs_piece *piece)
{
    gs_error err = {0};
    gs_manifest manifest;
    check(gs_manifest_parse(piece->data, piece->descriptor.size, piece->descriptor.media_type, image->arena, &manifest, &err) == 0);
    return manifest;
}

/* What a manifest needs is there; of an index, what was chosen. */
static void check_needed(const laid_image *image, const gs_piece *piece)
{
    gs_manifest manifest = parse(image, piece);
    if (!manifest.is_index) {
        check_there(image, &manifest.config);
    }
    for (size_t i = 0; i < manifest.item_count; i++) {
        if (!manifest.is_index || is_any_chosen(image, &manifest.items[i].platform)) {
            check(check_there(image, &manifest.items[i])->data || !manifest.is_index);
        }
    }
}

/* Somebody asked for it: an index that was taken, for a platform that was chosen, or the name. */
static bool is_asked_for(const laid_image *image, const gs_piece *piece)
{
    bool asked = piece == &image->laid.pieces[0];
    for (size_t i = 0; !asked && i < image->laid.count; i++) {
        if (image->laid.pieces[i].data) {
            gs_manifest manifest = parse(image, &image->laid.pieces[i]);
            for (size_t k = 0; manifest.is_index && k < manifest.item_count; k++) {
                asked = asked || (gs_digest_equal(&manifest.items[k].digest, &piece->descriptor.digest) &&
                                  is_any_chosen(image, &manifest.items[k].platform));
            }
        }
    }
    return asked;
}

static void check_piece(const laid_image *image, const gs_piece *piece)
{
    check(find_piece(image, &piece->descriptor.digest) == piece && !piece->path);
    if (!piece->data) {
        check(piece->origin == image->origin);
        return;
    }
    const part *blob = find_blob(&piece->descriptor.digest);
    check(!piece->origin && blob && blob->bytes.len == piece->descriptor.size);
    check(memcmp(blob->bytes.data, piece->data, blob->bytes.len) == 0);
    check_needed(image, piece);
    check(is_asked_for(image, piece));
}

static void check_rows(const laid_image *image)
{
    const gs_node *row = image->rows->count > 0 ? image->rows->items[0] : NULL;
    const gs_node *layers = gs_node_get(row, "Layers");
    check(image->rows->count <= 1);
    for (size_t i = 0; layers && i <= layers->count; i++) {
        const char *path = i < layers->count ? layers->items[i]->text : gs_node_text(row, "Config");
        gs_digest digest;
        check(path && gs_text_starts(path, "blobs/sha256/"));
        check(gs_hex_decode(path + strlen("blobs/sha256/"), digest.bytes, sizeof digest.bytes) && find_piece(image, &digest));
    }
}

/* An index offers it, or the config of an image says it. */
static bool is_offered(const laid_image *image, const char *platform)
{
    bool offered = false;
    for (size_t i = 0; !offered && i < image->laid.count; i++) {
        const part *blob = find_blob(&image->laid.pieces[i].descriptor.digest);
        GS_AUTO_DOC gs_doc *doc = NULL;
        gs_error err = {0};
        if (blob && gs_doc_parse(GS_JSON, "config", blob->bytes.data, blob->bytes.len, &doc, &err) == 0) {
            offered = is_chosen(image, platform,
                                &(gs_platform){.os = gs_node_text(doc->root, "os"),
                                               .architecture = gs_node_text(doc->root, "architecture"),
                                               .variant = gs_node_text(doc->root, "variant")});
        }
        if (!image->laid.pieces[i].data) {
            continue;
        }
        gs_manifest manifest = parse(image, &image->laid.pieces[i]);
        for (size_t k = 0; manifest.is_index && k < manifest.item_count; k++) {
            offered = offered || is_chosen(image, platform, &manifest.items[k].platform);
        }
    }
    return offered;
}

static void check_image(const laid_image *image, const gs_descriptor *top)
{
    char digest[GS_DIGEST_TEXT];
    gs_digest_text(&top->digest, digest);
    check(strcmp(digest, image->locked.digest) == 0 && (int64_t)top->size == image->locked.size);
    check(image->laid.count > 0 && gs_digest_equal(&image->laid.pieces[0].descriptor.digest, &top->digest));
    for (size_t i = 0; i < image->laid.count; i++) {
        check_piece(image, &image->laid.pieces[i]);
    }
    for (size_t i = 0; i < image->locked.platforms.count; i++) {
        check(is_offered(image, image->locked.platforms.items[i]));
    }
    check_rows(image);
}

/* The one that index.json has for the name, byte for byte. */
static void check_selected(const laid_image *image, const char *name, const gs_buf *bytes, const gs_descriptor *found)
{
    gs_error err = {0};
    gs_manifest index;
    const part *blob = find_blob(&found->digest);
    bool listed = false;
    check(blob && blob->bytes.len == bytes->len && found->size == bytes->len);
    check(memcmp(blob->bytes.data, bytes->data, bytes->len) == 0);
    const gs_buf *json = &layout.parts[0].bytes;
    check(gs_manifest_parse(json->data, json->len, GS_MEDIA_INDEX, image->arena, &index, &err) == 0);
    for (size_t i = 0; i < index.item_count; i++) {
        const gs_descriptor *entry = &index.items[i];
        bool named = !name || gs_text_equal(gs_annotation(&entry->annotations, GS_REF_NAME_ANNOTATION), name) ||
                     gs_text_equal(gs_annotation(&entry->annotations, GS_IMAGE_NAME_ANNOTATION), name);
        listed = listed || (named && gs_digest_equal(&entry->digest, &found->digest));
        check(!named || gs_digest_equal(&entry->digest, &found->digest));
    }
    check(listed);
}

static const gs_origin_ops *plain;
static size_t asked; /* for manifests */

static int ask_manifest(gs_origin *origin, const char *reference, gs_arena *arena, gs_buf *bytes, gs_descriptor *out, gs_error *err)
{
    asked++;
    return plain->manifest(origin, reference, arena, bytes, out, err);
}

/* As the builder does: what the name means, and then all that it is made of. */
static int lay(laid_image *image, const char *name, gs_error *err)
{
    gs_descriptor found;
    gs_descriptor top;
    char digest[GS_DIGEST_TEXT];
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    int code = image->origin->ops->manifest(image->origin, NULL, image->arena, &bytes, &found, err);
    if (code < 0) {
        return code;
    }
    check_selected(image, name, &bytes, &found);
    gs_digest_text(&found.digest, digest);
    image->locked.from = "oci:layout";
    image->locked.digest = gs_arena_text(image->arena, digest);
    image->locked.size = (int64_t)found.size;
    image->rows = gs_node_new_list(image->arena);
    check(image->rows);
    gs_lay_state state = {.arena = image->arena, .out = &image->laid, .manifest_items = image->rows};
    plain = image->origin->ops;
    asked = 0;
    gs_origin_ops counted = *plain;
    counted.manifest = ask_manifest;
    image->origin->ops = &counted;
    code = gs_lay_image(&state, image->origin, &image->locked, "app:1", &top, err);
    image->origin->ops = plain;
    check(asked <= GS_MAX_IMAGE_MANIFESTS);
    if (code == 0) {
        check_image(image, &top);
    }
    return code;
}

static void check_same(const laid_image *a, const laid_image *b)
{
    check(a->laid.count == b->laid.count && gs_node_equal(a->rows, b->rows));
    for (size_t i = 0; i < a->laid.count; i++) {
        check(gs_digest_equal(&a->laid.pieces[i].descriptor.digest, &b->laid.pieces[i].descriptor.digest));
    }
}

/* The platforms of a line, or all when it is empty. */
static gs_text_list split(char *line, gs_arena *arena)
{
    gs_text_list list = {.items = gs_arena_array(arena, strlen(line) + 1, sizeof *list.items)};
    check(list.items);
    for (char *save = NULL, *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        list.items[list.count++] = word;
    }
    return list;
}

static void judge(const char *name, const gs_text_list *platforms, gs_arena *arena)
{
    static const gs_run run = {0};
    gs_error first = {0};
    gs_error second = {0};
    char path[SCRATCH_PATH];
    char archive[SCRATCH_PATH];
    laid_image folder = {.arena = arena, .locked = {.platforms = *platforms}};
    laid_image tar = folder;
    scratch_write("layout.tar", "", 0, archive);
    write_layout(path);
    check(gs_origin_directory(&run, path, name, &folder.origin, &first) == 0);
    check(gs_origin_oci_archive(&run, archive, name, &tar.origin, &second) == 0);
    int code = lay(&folder, name, &first);
    check(lay(&tar, name, &second) == code);
    if (code == 0) {
        check_same(&folder, &tar);
    } else {
        check(code == first.code && code == second.code);
        check(code == GS_ESPEC || code == GS_ENOTFOUND || code == GS_ELIMIT || code == GS_EDIGEST || code == GS_ECHECK);
    }
    gs_build_layout_done(&folder.laid);
    gs_build_layout_done(&tar.laid);
    gs_origin_free(folder.origin);
    gs_origin_free(tar.origin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *first = memchr(data, '\n', size);
    const uint8_t *second = first ? memchr(first + 1, '\n', size - (size_t)(first + 1 - data)) : NULL;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    check(arena);
    if (second) {
        const char *name = first > data ? gs_arena_copy(arena, data, (size_t)(first - data)) : NULL;
        gs_text_list platforms = split(gs_arena_copy(arena, first + 1, (size_t)(second - first - 1)), arena);
        make_layout(second + 1, size - (size_t)(second + 1 - data));
        judge(name, &platforms, arena);
        remove_layout();
    }
    return 0;
}
