/* Reading by another process: it finds exactly what this one would, and whatever it says, nothing wrong is believed. This program is
 * its own reader: an archive that begins with a word of hostile_readers is read by one that somebody has taken over. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "apart.h"
#include "fixture.h"
#include "gapship/confine.h"
#include "gapship/limits.h"

/* All that a visitor can see, contents included, as a number. */
typedef struct seen {
    uint64_t sum;
    uint64_t bytes;
} seen;

static void add(seen *all, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        all->sum = (all->sum ^ ((const unsigned char *)data)[i]) * 1099511628211u;
    }
    all->bytes += len;
}

static int see(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    seen *all = state;
    unsigned char piece[5000];
    add(all, entry->name, strlen(entry->name) + 1);
    add(all, entry->target ? entry->target : "", entry->target ? strlen(entry->target) + 1 : 0);
    add(all, (uint64_t[]){entry->size, entry->kind, entry->executable}, 3 * sizeof(uint64_t));
    for (size_t got = 1; got > 0;) {
        int code = gs_source_read(content, piece, sizeof(piece), &got, err);
        if (code != 0) {
            return code;
        }
        add(all, piece, got);
    }
    return 0;
}

static int read_apart(const gs_tempdir *dir, const char *name, const gs_tar_limits *limits, gs_tar_visitor visit, void *state,
                      gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    uint64_t size;
    int code = gs_fs_open_read(dir->fd, name, false, &fd, &size, err);
    return code == 0 ? gs_tar_read_apart(NULL, fd, limits, visit, state, err) : code;
}

static void test_finds_what_this_process_would(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_fs_entry *files = NULL;
    size_t count = 0;
    size_t refused = 0;
    const gs_tar_limits cases[] = {{.links = true}, {.entries = 2}, {.file_size = 9, .total = 20}};
    assert_ok(&err, gs_fs_walk(dir->fd, 1000, arena, &files, &count, &err));
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < COUNT_OF(cases); k++) {
            seen here = {0};
            seen there = {0};
            gs_error why_here = {0};
            gs_error why_there = {0};
            int code_here = gs_tar_read(open_file(dir, files[i].path), &cases[k], see, &here, &why_here);
            int code_there = read_apart(dir, files[i].path, &cases[k], see, &there, &why_there);
            if (code_here != code_there || strcmp(why_here.message, why_there.message) != 0 ||
                strcmp(why_here.where, why_there.where) != 0 || strcmp(why_here.hint, why_there.hint) != 0) {
                fail_msg("%s, limits %zu: here %d %s (%s), there %d %s (%s)", files[i].path, k, code_here, why_here.message,
                         why_here.where, code_there, why_there.message, why_there.where);
            }
            assert_true(code_here != 0 || (here.bytes == there.bytes && here.sum == there.sum));
            refused += code_here != 0;
        }
    }
    assert_true(count > 40 && refused > 40);
}

/* ---- contents that do not travel ---- */

typedef struct peek {
    size_t wanted; /* bytes of each content */
    uint64_t sum;
    size_t entries;
} peek;

static int look_at_the_beginning(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    peek *self = state;
    unsigned char piece[4096];
    size_t left = entry->size < self->wanted ? (size_t)entry->size : self->wanted;
    self->entries++;
    while (left > 0) {
        size_t len = left < sizeof(piece) ? left : sizeof(piece);
        int code = gs_source_read_all(content, piece, len, err);
        if (code != 0) {
            return code;
        }
        for (size_t i = 0; i < len; i++) {
            self->sum = self->sum * 31 + piece[i];
        }
        left -= len;
    }
    return 0;
}

static void test_any_part_of_a_content_can_be_read(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    const gs_tar_limits limits = {.file_size = GS_MIB(64)};
    const size_t wanted[] = {0, 2, GS_APART_MESSAGE - 1, GS_APART_MESSAGE, GS_APART_MESSAGE + 1, GS_MIB(4), GS_MIB(5), GS_MIB(64)};
    run_in(dir, NULL,
           (const char *const[]){
               "sh", "-c",
               "for n in 1 2 3; do head -c 9M /dev/urandom > big$n; echo $n > small$n; done; head -c 256K big1 > whole; "
               "tar -cf big.tar big1 small1 whole big2 small2 big3 small3",
               NULL});
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        peek here = {.wanted = wanted[i]};
        peek there = here;
        assert_ok(&err, gs_tar_read(open_file(dir, "big.tar"), &limits, look_at_the_beginning, &here, &err));
        assert_ok(&err, read_apart(dir, "big.tar", &limits, look_at_the_beginning, &there, &err));
        assert_int_equal(here.entries, 7);
        assert_int_equal(there.entries, 7);
        assert_true(here.sum == there.sum);
    }
}

static int refuse(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    (void)content;
    *(int *)state += 1;
    return strcmp(entry->name, "small1") == 0 ? gs_fail(err, GS_ESPEC, "enough of it") : 0;
}

static void test_the_visitor_may_stop(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    int entries = 0;
    run_in(dir, NULL,
           (const char *const[]){"sh", "-c", "head -c 9M /dev/zero > big1; echo > small1; tar -cf two.tar big1 small1 big1", NULL});
    assert_fails(&err, GS_ESPEC, "enough of it",
                 read_apart(dir, "two.tar", &(gs_tar_limits){.file_size = GS_MIB(64)}, refuse, &entries, &err));
    assert_int_equal(entries, 2);
}

static void test_stops_when_told_to(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    static const volatile sig_atomic_t stop = 2;
    const gs_run run = {.stop = &stop};
    int entries = 0;
    GS_AUTO_FD int fd = -1;
    uint64_t size;
    run_in(dir, NULL, (const char *const[]){"sh", "-c", "echo > small1; tar -cf one.tar small1", NULL});
    assert_ok(&err, gs_fs_open_read(dir->fd, "one.tar", false, &fd, &size, &err));
    assert_fails(&err, GS_EINTERRUPTED, NULL, gs_tar_read_apart(&run, fd, NULL, refuse, &entries, &err));
    assert_int_equal(entries, 0);
}

/* ---- the reader's own bounds ---- */

static char *status_of_the_reader(char text[4096])
{
    char path[64];
    char children[64] = "";
    (void)snprintf(path, sizeof(path), "/proc/self/task/%ld/children", syscall(SYS_gettid));
    FILE *list = fopen(path, "re");
    if (!list || !fgets(children, sizeof(children), list)) {
        skip(); /* a kernel without CONFIG_PROC_CHILDREN */
    }
    (void)fclose(list);
    (void)snprintf(path, sizeof(path), "/proc/%ld/status", strtol(children, NULL, 10));
    FILE *status = fopen(path, "re");
    assert_non_null(status);
    text[fread(text, 1, 4095, status)] = '\0';
    (void)fclose(status);
    return text;
}

static int look_at_the_reader(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    (void)entry;
    (void)content;
    (void)err;
    char text[4096] = "";
    (void)status_of_the_reader(text);
    assert_contains(text, "NoNewPrivs:\t1");
    if (!(gs_tar_reader_unconfined() & GS_UNCONFINED_CALLS)) {
        assert_contains(text, "Seccomp:\t2");
    }
    *(int *)state += 1;
    return 0;
}

static void test_the_reader_has_given_up_everything(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    int looked = 0;
    run_in(dir, NULL, (const char *const[]){"sh", "-c", "head -c 9M /dev/zero > big; tar -cf one.tar big", NULL});
    assert_ok(&err, read_apart(dir, "one.tar", &(gs_tar_limits){.file_size = GS_MIB(64)}, look_at_the_reader, &looked, &err));
    assert_int_equal(looked, 1);
}

/* ---- readers that lie ---- */

static void tell(unsigned kind, const void *body, size_t len)
{
    const gs_apart_message head = {.kind = kind, .value = (uint32_t)len};
    if (write(1, &head, sizeof(head)) != sizeof(head) || (body && write(1, body, len) != (ssize_t)len)) {
        _exit(9);
    }
}

static void tell_entry(gs_apart_entry entry, const char *name, const char *target)
{
    char body[16384];
    size_t len = sizeof(entry);
    entry.name = entry.name ? entry.name : (uint32_t)strlen(name);
    entry.target = entry.target ? entry.target : (uint32_t)strlen(target);
    memcpy(body, &entry, sizeof(entry));
    memcpy(body + len, name, entry.name);
    len += entry.name;
    memcpy(body + len, target, entry.target);
    tell(GS_APART_ENTRY, body, len + entry.target);
}

static void climb(void)
{
    tell_entry((gs_apart_entry){0}, "../outside", "");
}

static void be_absolute(void)
{
    tell_entry((gs_apart_entry){0}, "/etc/passwd", "");
}

static void hide_a_nul(void)
{
    tell_entry((gs_apart_entry){.name = 5}, "a\0../b", "");
}

static void be_nameless(void)
{
    tell_entry((gs_apart_entry){0}, "", "");
}

static void be_huge(void)
{
    tell_entry((gs_apart_entry){.size = UINT64_MAX}, "a", "");
}

static void be_a_link(void)
{
    tell_entry((gs_apart_entry){.kind = GS_TAR_LINK}, "a", "b");
}

static void be_something_else(void)
{
    tell_entry((gs_apart_entry){.kind = 77}, "a", "");
}

static void be_a_directory_with_content(void)
{
    tell_entry((gs_apart_entry){.kind = GS_TAR_DIRECTORY, .size = 5}, "a", "");
}

static void be_twice(void)
{
    tell_entry((gs_apart_entry){0}, "a", "");
    tell_entry((gs_apart_entry){0}, "a", "");
    tell(GS_APART_END, NULL, 0);
}

static void be_many(void)
{
    for (int i = 0; i <= (int)GS_MAX_ARCHIVE_ENTRIES; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "f%d", i);
        tell_entry((gs_apart_entry){0}, name, "");
    }
}

static void be_much(void)
{
    for (int i = 0; i <= (int)(GS_MAX_ARCHIVE_BYTES / GS_MAX_ARCHIVE_FILE_BYTES); i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "f%d", i);
        tell_entry((gs_apart_entry){.size = GS_MAX_ARCHIVE_FILE_BYTES}, name, "");
        char word = 0;
        static char content[GS_APART_MESSAGE];
        tell(GS_APART_DATA, content, sizeof(content));
        if (read(1, &word, 1) != 1) {
            _exit(9);
        }
    }
}

static void give_too_much(void)
{
    tell_entry((gs_apart_entry){.size = 3}, "a", "");
    tell(GS_APART_DATA, "abcdef", 6);
}

static void give_nothing_for_ever(void)
{
    tell_entry((gs_apart_entry){.size = 3}, "a", "");
    for (;;) {
        tell(GS_APART_DATA, NULL, 0);
    }
}

static void give_what_was_not_announced(void)
{
    tell(GS_APART_DATA, "abc", 3);
}

static void give_an_entry_for_content(void)
{
    tell_entry((gs_apart_entry){.size = 3}, "a", "");
    tell_entry((gs_apart_entry){.size = 3}, "b", "");
}

static void speak_too_long(void)
{
    const gs_apart_message head = {.kind = GS_APART_ENTRY, .value = UINT32_MAX};
    ssize_t sent = write(1, &head, sizeof(head));
    (void)sent;
}

static void say_an_unknown_word(void)
{
    tell(99, NULL, 0);
}

static void lie_about_lengths(void)
{
    const gs_apart_entry entry = {.name = 4096, .target = 4096};
    tell(GS_APART_ENTRY, &entry, sizeof(entry));
}

static void be_too_short(void)
{
    tell(GS_APART_ENTRY, "abc", 3);
}

static void fail_at_length(void)
{
    const gs_apart_failure failure = {.code = GS_EFORMAT, .lengths = {UINT32_MAX, 1, 1}};
    tell(GS_APART_FAILED, &failure, sizeof(failure));
}

static void fail_with_a_strange_code(void)
{
    struct {
        gs_apart_failure failure;
        char text[8];
    } said = {.failure = {.code = 0, .lengths = {8, 0, 0}}, .text = "a\x1b[31m!!"};
    tell(GS_APART_FAILED, &said, sizeof(said));
}

static void fail_without_a_word(void)
{
    const gs_apart_failure said = {.code = GS_EFORMAT};
    tell(GS_APART_FAILED, &said, sizeof(said));
}

static void end_at_once(void)
{
    _exit(5);
}

static void break_a_rule(void)
{
    unsigned missing = 0;
    gs_error err = {0};
    if (gs_confine_self(&(gs_confinement){.strict = true}, &missing, &err) != 0 || (missing & GS_UNCONFINED_CALLS)) {
        (void)raise(SIGSYS);
    }
    (void)syscall(SYS_socket, 2, 1, 0);
}

static void crash(void)
{
    (void)signal(SIGSEGV, SIG_DFL);
    (void)raise(SIGSEGV);
}

static void use_up_its_time(void)
{
    (void)raise(SIGXCPU);
}

static const struct {
    const char *word;
    void (*attack)(void);
    int code;
    const char *says;
} hostile_readers[] = {
    {"climb", climb, GS_EFORMAT, "no archive holds"},
    {"absolute", be_absolute, GS_EFORMAT, "no archive holds"},
    {"nul", hide_a_nul, GS_EFORMAT, "no archive holds"},
    {"nameless", be_nameless, GS_EFORMAT, "no archive holds"},
    {"huge", be_huge, GS_EFORMAT, "no archive holds"},
    {"link", be_a_link, GS_EFORMAT, "no archive holds"},
    {"other", be_something_else, GS_EFORMAT, "no archive holds"},
    {"directory", be_a_directory_with_content, GS_EFORMAT, "no archive holds"},
    {"twice", be_twice, GS_EFORMAT, "this name twice"},
    {"many", be_many, GS_EFORMAT, "no archive holds"},
    {"much", be_much, GS_EFORMAT, "no archive holds"},
    {"data", give_too_much, GS_EFORMAT, "no archive holds"},
    {"empty", give_nothing_for_ever, GS_EFORMAT, "no archive holds"},
    {"loose", give_what_was_not_announced, GS_EFORMAT, "no archive holds"},
    {"interrupting", give_an_entry_for_content, GS_EFORMAT, "no archive holds"},
    {"long", speak_too_long, GS_EFORMAT, "no archive holds"},
    {"unknown", say_an_unknown_word, GS_EFORMAT, "no archive holds"},
    {"lengths", lie_about_lengths, GS_EFORMAT, "no archive holds"},
    {"short", be_too_short, GS_EFORMAT, "no archive holds"},
    {"failing", fail_at_length, GS_EFORMAT, "no archive holds"},
    {"strange", fail_with_a_strange_code, GS_EFORMAT, "a?[31m!!"},
    {"wordless", fail_without_a_word, GS_EFORMAT, "something that no archive holds"},
    {"ending", end_at_once, GS_EINTERNAL, "status 5"},
    {"rule", break_a_rule, GS_EFORMAT, "tried what no reader does"},
    {"crash", crash, GS_EFORMAT, "killed by signal 11"},
    {"time", use_up_its_time, GS_ELIMIT, "processor time"},
};

static int hostile_main(void)
{
    char word[32] = "";
    gs_apart_request request;
    if (pread(0, word, sizeof(word) - 1, 0) <= 0) {
        return -1;
    }
    for (size_t i = 0; i < COUNT_OF(hostile_readers); i++) {
        if (strcmp(word, hostile_readers[i].word) == 0) {
            if (read(1, &request, sizeof(request)) != sizeof(request)) {
                return 9;
            }
            hostile_readers[i].attack();
            return 8;
        }
    }
    return -1;
}

static int pass(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    (void)state;
    (void)entry;
    (void)content;
    (void)err;
    return 0;
}

static void test_no_lie_is_believed(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    for (size_t i = 0; i < COUNT_OF(hostile_readers); i++) {
        support_write(dir->fd, "archive", hostile_readers[i].word);
        print_message("reader: %s\n", hostile_readers[i].word);
        for (int visitor = 0; visitor < 2; visitor++) {
            seen all = {0};
            assert_fails(&err, hostile_readers[i].code, hostile_readers[i].says,
                         read_apart(dir, "archive", NULL, visitor == 0 ? pass : see, &all, &err));
        }
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], GS_TAR_READER) == 0) {
        int hostile = hostile_main();
        return hostile >= 0 ? hostile : gs_tar_reader_main();
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_finds_what_this_process_would, enter_among_tars, support_leave),
        test_in_tempdir(test_any_part_of_a_content_can_be_read),
        test_in_tempdir(test_the_visitor_may_stop),
        test_in_tempdir(test_stops_when_told_to),
        test_in_tempdir(test_the_reader_has_given_up_everything),
        test_in_tempdir(test_no_lie_is_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
