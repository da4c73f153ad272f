/* A small release, with every kind of member the binder knows. */
#ifndef GAPSHIP_TEST_BIND_SAMPLE_H
#define GAPSHIP_TEST_BIND_SAMPLE_H

#include "doc_support.h"

#include "gapship/bind.h"
#include "gapship/text.h"

enum { KIND_HELM, KIND_KUBECTL };

typedef struct image {
    gs_place place;
    const char *from, *tag;
    gs_text_list platforms;
} image;

typedef struct image_list {
    image *items;
    size_t count;
} image_list;

typedef struct retry {
    gs_place place;
    int64_t attempts, initial;
    const char *reason;
} retry;

typedef struct schema {
    gs_place place;
    const char *name, *tool;
} schema;

typedef struct schema_map {
    schema *items;
    size_t count;
} schema_map;

typedef struct sample {
    gs_place place;
    const char *name, *note;
    int64_t sequence;
    bool keep, strict;
    int64_t timeout;
    int kind;
    gs_text_map labels;
    retry retry;
    retry *backup;
    image_list images;
    schema_map schemas;
    const gs_node *extra;
} sample;

static inline bool positive(const char *digits)
{
    return digits[0] != '-' && digits[0] != '0';
}

static const gs_bind_field image_fields[] = {
    {.kind = GS_BIND_PLACE, .offset = offsetof(image, place)},
    {.key = "from", .kind = GS_BIND_TEXT, .offset = offsetof(image, from), .required = true},
    {.key = "tag", .kind = GS_BIND_TEXT, .offset = offsetof(image, tag)},
    {.key = "platforms", .kind = GS_BIND_TEXT_LIST, .offset = offsetof(image, platforms)},
};
static const gs_bind_table image_table = {"an image", sizeof(image), image_fields, COUNT_OF(image_fields)};

static const gs_bind_field retry_fields[] = {
    {.kind = GS_BIND_PLACE, .offset = offsetof(retry, place)},
    {.key = "attempts",
     .kind = GS_BIND_INTEGER,
     .offset = offsetof(retry, attempts),
     .otherwise = "6",
     .valid = positive,
     .expects = "a positive number"},
    {.key = "initial", .kind = GS_BIND_DURATION, .offset = offsetof(retry, initial), .otherwise = "2s"},
    {.key = "reason", .kind = GS_BIND_TEXT, .offset = offsetof(retry, reason), .required = true},
};
static const gs_bind_table retry_table = {"a retry", sizeof(retry), retry_fields, COUNT_OF(retry_fields)};

static const gs_bind_field schema_fields[] = {
    {.key = "NAME", .kind = GS_BIND_KEY, .offset = offsetof(schema, name), .valid = gs_name_valid, .expects = "a name"},
    {.kind = GS_BIND_PLACE, .offset = offsetof(schema, place)},
    {.key = "tool", .kind = GS_BIND_TEXT, .offset = offsetof(schema, tool)},
};
static const gs_bind_table schema_table = {"a schema", sizeof(schema), schema_fields, COUNT_OF(schema_fields)};

static const char *const kinds[] = {"helm", "kubectl", NULL};

static const gs_bind_field sample_fields[] = {
    {.kind = GS_BIND_PLACE, .offset = offsetof(sample, place)},
    {.key = "name",
     .kind = GS_BIND_TEXT,
     .offset = offsetof(sample, name),
     .required = true,
     .valid = gs_name_valid,
     .expects = "a name"},
    {.key = "note", .kind = GS_BIND_TEXT, .offset = offsetof(sample, note), .otherwise = "12"},
    {.key = "sequence", .kind = GS_BIND_INTEGER, .offset = offsetof(sample, sequence)},
    {.key = "keep", .kind = GS_BIND_BOOL, .offset = offsetof(sample, keep), .otherwise = "yes"},
    {.key = "strict", .kind = GS_BIND_BOOL, .offset = offsetof(sample, strict)},
    {.key = "timeout", .kind = GS_BIND_DURATION, .offset = offsetof(sample, timeout), .otherwise = "5m"},
    {.key = "kind", .kind = GS_BIND_CHOICE, .offset = offsetof(sample, kind), .choices = kinds, .otherwise = "kubectl"},
    {.key = "labels", .kind = GS_BIND_TEXT_MAP, .offset = offsetof(sample, labels)},
    {.key = "retry", .kind = GS_BIND_STRUCT, .offset = offsetof(sample, retry), .table = &retry_table},
    {.key = "backup", .kind = GS_BIND_STRUCT_PTR, .offset = offsetof(sample, backup), .table = &retry_table},
    {.key = "images", .kind = GS_BIND_STRUCT_LIST, .offset = offsetof(sample, images), .table = &image_table},
    {.key = "schemas", .kind = GS_BIND_STRUCT_MAP, .offset = offsetof(sample, schemas), .table = &schema_table},
    {.key = "extra", .kind = GS_BIND_NODE, .offset = offsetof(sample, extra)},
};
static const gs_bind_table sample_table = {"a release", sizeof(sample), sample_fields, COUNT_OF(sample_fields)};

#endif
