/* The arena: pieces are apart, aligned and zeroed, whatever their sizes and order. */
#include <stdalign.h>
#include <string.h>

#include "support.h"

static void gives_separate_pieces(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    assert_non_null(arena);
    enum { PIECES = 3000 };
    static unsigned char *pieces[PIECES];
    static size_t sizes[PIECES];
    for (size_t i = 0; i < PIECES; i++) {
        /* Mostly small, now and then larger than any chunk. */
        sizes[i] = i % 500 == 499 ? 300000 + i : i * 37 % 700;
        pieces[i] = gs_arena_alloc(arena, sizes[i]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        for (size_t j = 0; j < sizes[i]; j++) {
            assert_int_equal(pieces[i][j], 0);
        }
        memset(pieces[i], (int)(i % 251 + 1), sizes[i]);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t j = 0; j < sizes[i]; j++) {
            assert_int_equal(pieces[i][j], i % 251 + 1);
        }
    }
}

static void gives_unique_pointers_for_nothing(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    void *first = gs_arena_alloc(arena, 0);
    void *second = gs_arena_array(arena, 0, 100);
    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_not_equal(first, second);
}

static void refuses_overflow(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    assert_null(gs_arena_alloc(arena, SIZE_MAX));
    assert_null(gs_arena_alloc(arena, SIZE_MAX - 8));
    assert_null(gs_arena_alloc(arena, SIZE_MAX - 40));
    assert_null(gs_arena_array(arena, SIZE_MAX / 2, 3));
    assert_null(gs_arena_copy(arena, "", SIZE_MAX));
    assert_non_null(gs_arena_alloc(arena, 1));
}

static void copies_texts(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    assert_string_equal(gs_arena_text(arena, "a text"), "a text");
    assert_memory_equal(gs_arena_copy(arena, "a\0b", 3), "a\0b", 4);
    assert_string_equal(gs_arena_copy(arena, NULL, 0), "");
    assert_string_equal(gs_arena_printf(arena, "%s-%d", "x", 5), "x-5");
    gs_arena_free(NULL);
}

static void grows_a_list(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    int *items = NULL;
    size_t room = 0;
    for (int i = 0; i < 1000; i++) {
        int *more = gs_arena_more(arena, items, (size_t)i, &room, sizeof *more);
        assert_non_null(more);
        assert_true(room > (size_t)i);
        items = more;
        items[i] = i;
    }
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(items[i], i);
    }
    room = SIZE_MAX / 2;
    assert_null(gs_arena_more(arena, items, room, &room, sizeof *items));
    assert_int_equal(room, SIZE_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_separate_pieces), cmocka_unit_test(gives_unique_pointers_for_nothing),
        cmocka_unit_test(refuses_overflow),      cmocka_unit_test(copies_texts),
        cmocka_unit_test(grows_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
