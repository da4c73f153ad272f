/* Runs a fuzz target without libFuzzer: every file of a corpus, then a fixed number of mutations of them, the same on every run.
 *
 *   replay_NAME CORPUS [MUTATIONS]
 *
 * An input that makes the target abort, or a sanitizer speak, is written to ./crash-PID before the program dies. Knows nothing of
 * gapship, so that it cannot hide its mistakes.
 */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

#define INPUT_MAX  ((size_t)1 << 20)
#define CORPUS_MAX 4096

typedef struct input {
    uint8_t *data;
    size_t size;
} input;

static input current;

static void die(const char *what, const char *name)
{
    fprintf(stderr, "%s: %s\n", what, name);
    exit(2);
}

static void save_current(void)
{
    char name[32];
    if (!current.data) { /* a leak, seen at the end: of which input nobody knows */
        return;
    }
    snprintf(name, sizeof name, "crash-%ld", (long)getpid());
    FILE *file = fopen(name, "wb");
    if (file && fwrite(current.data, 1, current.size, file) == current.size) {
        fprintf(stderr, "the input of %zu bytes is in ./%s\n", current.size, name);
    }
    if (file) {
        fclose(file);
    }
}

static void on_signal(int number)
{
    save_current();
    signal(number, SIG_DFL);
    raise(number);
}

static void run(const uint8_t *data, size_t size)
{
    /* A copy of exactly this size: the sanitizer then sees a read of one byte too many. */
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) {
        die("out of memory", "");
    }
    memcpy(copy, data, size);
    current = (input){copy, size};
    LLVMFuzzerTestOneInput(copy, size);
    current = (input){0};
    free(copy);
}

static input read_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    input in = {malloc(INPUT_MAX), 0};
    if (!file || !in.data) {
        die("cannot read", name);
    }
    in.size = fread(in.data, 1, INPUT_MAX, file);
    if (ferror(file) || !feof(file)) {
        die("cannot read to its end, or larger than 1 MiB", name);
    }
    fclose(file);
    return in;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static size_t read_corpus(const char *folder, input *corpus)
{
    struct dirent **names;
    int count = scandir(folder, &names, visible, alphasort);
    if (count <= 0 || count > CORPUS_MAX) {
        die("no corpus, or too large a one", folder);
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name) >= sizeof path) {
            die("name too long", names[i]->d_name);
        }
        corpus[i] = read_file(path);
        free(names[i]);
    }
    free(names);
    return (size_t)count;
}

static uint64_t random_state = 0x9e3779b97f4a7c15u;

/* xorshift64: below limit, which is not 0. */
static size_t any(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % limit);
}

/* One change in place; buffer has INPUT_MAX bytes. Returns the new size. */
static size_t change(uint8_t *buffer, size_t size, const input *other)
{
    static const uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '\n', '"', '{', '}', ':', '/', '@', ' ', '0', '9', '-'};
    size_t at = size ? any(size) : 0;
    size_t length = size ? 1 + any(size - at < 64 ? size - at : 64) : 0;
    switch (size ? any(7) : 5) {
    case 0:
        buffer[at] ^= (uint8_t)(1u << any(8));
        return size;
    case 1:
        buffer[at] = edges[any(sizeof edges)];
        return size;
    case 2:
        memset(buffer + at, edges[any(sizeof edges)], length);
        return size;
    case 3: /* cut out */
        memmove(buffer + at, buffer + at + length, size - at - length);
        return size - length;
    case 4: /* truncate */
        return at;
    case 5: { /* put in a piece of another input */
        size_t from = other->size ? any(other->size) : 0;
        size_t piece = other->size ? 1 + any(other->size - from < 256 ? other->size - from : 256) : 0;
        if (size + piece > INPUT_MAX) {
            return size;
        }
        memmove(buffer + at + piece, buffer + at, size - at);
        memcpy(buffer + at, other->data + from, piece);
        return size + piece;
    }
    default: /* twice */
        if (size + length > INPUT_MAX) {
            return size;
        }
        memmove(buffer + at + length, buffer + at, size - at);
        return size + length;
    }
}

int main(int argc, char **argv)
{
    static input corpus[CORPUS_MAX];
    if (argc < 2 || argc > 3) {
        die("usage", "replay_NAME CORPUS [MUTATIONS]");
    }
    long mutations = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback(save_current);
    }
    signal(SIGABRT, on_signal);
    signal(SIGILL, on_signal);
    signal(SIGTRAP, on_signal);
    size_t count = read_corpus(argv[1], corpus);
    for (size_t i = 0; i < count; i++) {
        run(corpus[i].data, corpus[i].size);
    }
    uint8_t *buffer = malloc(INPUT_MAX);
    if (!buffer) {
        die("out of memory", "");
    }
    for (long i = 0; i < mutations; i++) {
        const input *seed = &corpus[any(count)];
        memcpy(buffer, seed->data, seed->size);
        size_t size = seed->size;
        for (size_t changes = 1 + any(4); changes > 0; changes--) {
            size = change(buffer, size, &corpus[any(count)]);
        }
        run(buffer, size);
    }
    printf("%zu inputs and %ld mutations\n", count, mutations);
    free(buffer);
    for (size_t i = 0; i < count; i++) {
        free(corpus[i].data);
    }
    return 0;
}
