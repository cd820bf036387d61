// Callbacks that call back: on the iterating thread and on the background thread. They work, or are refused with
// H5R_ERR_REENTRANT; they never deadlock, and never come after the close.
#include "check.h"
#include <pthread.h>
#include <time.h>

enum { MANY = 2000 };

static void sleep_ms(long ms) {
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void fill(h5r_object *object) {
    char name[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "attribute_%06d", i);
        write_int(object, name, i);
    }
}

static void thin_out(h5r_object *object) {
    char name[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "attribute_%06d", i);
        if (i % 4 != 0) OK(h5r_attr_delete(object, name));
    }
}

struct context {
    h5r_file *file;
    h5r_object *object;
    int calls;
    int level;
};

static int32_t calls_everything(const char *name, void *user_data) {
    struct context *context = (struct context *)user_data;
    int32_t value = 0;
    if (++context->calls > 20) return 1;
    OK(h5r_attr_read(context->object, name, H5R_I32, &value, sizeof value));
    value += 1000;
    OK(h5r_attr_write(context->object, name, H5R_I32, 0, NULL, &value));
    OK(h5r_attr_delete(context->object, name));
    OK(h5r_flush(context->file));
    FAILS(H5R_ERR_REENTRANT, h5r_close(context->file));
    SAYS("h5r_close");
    OK(h5r_set_lazy(context->file, NULL));
    OK(h5r_set_none(context->file));
    OK(h5r_rebalance(context->file));
    // An error of a callback's own call does not become the iteration's.
    FAILS(H5R_ERR_NOT_FOUND, h5r_attr_delete(context->object, "absent"));
    return 0;
}

static int32_t nested(const char *name, void *user_data) {
    struct context *context = (struct context *)user_data;
    (void)name;
    context->calls++;
    if (context->level == 3) {
        FAILS(H5R_ERR_REENTRANT, h5r_close(context->file));
        return 1;
    }
    struct context inner = *context;
    inner.level++;
    inner.calls = 0;
    OK(h5r_attr_iterate(context->object, H5R_ORDER_NATIVE, nested, &inner));
    CHECK(inner.calls > 0);
    return context->calls < 3 ? 0 : 1;
}

static int32_t closes_another(const char *name, void *user_data) {
    h5r_file **other = (h5r_file **)user_data;
    (void)name;
    OK(h5r_close(*other));
    FAILS(H5R_ERR_BAD_HANDLE, h5r_close(*other));
    return 1;
}

static void iterations(void) {
    struct context context = {new_file("iterations.h5"), NULL, 0, 0};
    context.object = h5r_root(context.file);
    fill(context.object);
    OK(h5r_attr_iterate(context.object, H5R_ORDER_NAME, calls_everything, &context));
    CHECK(context.calls == 21 && attr_count(context.object) == MANY - 20);
    context.calls = 0;
    OK(h5r_attr_iterate(context.object, H5R_ORDER_NAME, nested, &context));
    h5r_file *other = new_file("other.h5");
    OK(h5r_attr_iterate(context.object, H5R_ORDER_NAME, closes_another, &other));
    OK(h5r_close(context.file));
}

struct background {
    h5r_file *file;
    h5r_object *object;
    pthread_t caller;
    pthread_mutex_t lock;
    int calls;
    uint64_t nodes;
    bool ended;
};

static void on_progress(const h5r_progress *progress, void *user_data) {
    struct background *state = (struct background *)user_data;
    bool exists = false;
    uint64_t count = 0;
    h5r_rebalance_stats stats = H5R_REBALANCE_STATS_INIT;
    pthread_mutex_lock(&state->lock);
    CHECK(!state->ended);
    CHECK(!pthread_equal(pthread_self(), state->caller));
    state->calls++;
    state->nodes += progress->nodes_rebalanced;
    pthread_mutex_unlock(&state->lock);
    // Reads, writes and the statistics work.
    const h5r_status counted = h5r_attr_count(state->object, &count);
    CHECK(counted == H5R_OK || counted == H5R_ERR_BAD_HANDLE);
    const h5r_status found = h5r_attr_exists(state->object, "attribute_000000", &exists);
    CHECK((found == H5R_OK && exists) || found == H5R_ERR_BAD_HANDLE);
    const h5r_status asked = h5r_rebalance_status(state->file, &stats);
    CHECK(asked == H5R_OK || asked == H5R_ERR_BAD_HANDLE);
    int32_t value = 1;
    const h5r_status written = h5r_attr_write(state->object, "from_the_background", H5R_I32, 0, NULL, &value);
    CHECK(written == H5R_OK || written == H5R_ERR_BAD_HANDLE);
    // What would wait for this thread is refused, or the file is closing already.
    const h5r_status refused[] = {h5r_close(state->file), h5r_set_none(state->file), h5r_set_lazy(state->file, NULL),
                                  h5r_set_incremental(state->file, NULL), h5r_set_smart(state->file, NULL)};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        CHECK(refused[i] == H5R_ERR_REENTRANT || refused[i] == H5R_ERR_BAD_HANDLE);
}

static void start(struct background *state, const char *path) {
    const h5r_lazy_options init = H5R_LAZY_OPTIONS_INIT;
    h5r_lazy_options lazy = init;
    h5r_incremental_options options = H5R_INCREMENTAL_OPTIONS_INIT;
    memset(state, 0, sizeof *state);
    pthread_mutex_init(&state->lock, NULL);
    state->caller = pthread_self();
    state->file = new_file(path);
    state->object = h5r_root(state->file);
    fill(state->object);
    lazy.max_delay_ms = 86400000;
    OK(h5r_set_lazy(state->file, &lazy));
    options.interval_ms = 1;
    options.budget_us = 200;
    options.progress = on_progress;
    options.user_data = state;
    OK(h5r_set_incremental(state->file, &options));
}

static int calls_of(struct background *state) {
    pthread_mutex_lock(&state->lock);
    const int calls = state->calls;
    pthread_mutex_unlock(&state->lock);
    return calls;
}

static void end(struct background *state) {
    pthread_mutex_lock(&state->lock);
    state->ended = true;
    pthread_mutex_unlock(&state->lock);
    sleep_ms(20);
}

static void in_the_background(void) {
    struct background state;
    start(&state, "background.h5");
    thin_out(state.object);
    for (int i = 0; i < 1000 && calls_of(&state) == 0; i++) sleep_ms(5);
    CHECK(calls_of(&state) > 0);
    // Retuned while it works; then unset: no callback comes any more.
    h5r_incremental_options options = H5R_INCREMENTAL_OPTIONS_INIT;
    options.interval_ms = 2;
    options.progress = on_progress;
    options.user_data = &state;
    OK(h5r_set_incremental(state.file, &options));
    OK(h5r_set_none(state.file));
    end(&state);
    OK(h5r_check(state.file));
    OK(h5r_close(state.file));

    // Closed while it works.
    for (int round = 0; round < 10; round++) {
        start(&state, "background.h5");
        thin_out(state.object);
        OK(h5r_close(state.file));
        end(&state);
        h5r_file *file = old_file("background.h5");
        OK(h5r_check(file));
        for (int i = 0; i < MANY; i++) {
            char name[32];
            snprintf(name, sizeof name, "attribute_%06d", i);
            CHECK(attr_exists(h5r_root(file), name) == (i % 4 == 0));
            if (i % 4 == 0) CHECK(read_int(h5r_root(file), name) == i);
        }
        OK(h5r_close(file));
    }
}

struct changes {
    int calls;
    char reason[256];
    double confidence;
    size_t factors;
    int32_t selected;
    h5r_file *file;
};

static void on_mode_change(const h5r_mode_change *change, void *user_data) {
    struct changes *changes = (struct changes *)user_data;
    changes->calls++;
    changes->selected = change->selected_mode;
    changes->confidence = change->confidence;
    changes->factors = change->factor_count;
    snprintf(changes->reason, sizeof changes->reason, "%s", change->reason);
    CHECK(change->timestamp_ns > 0);
    for (size_t i = 0; i < change->factor_count; i++) CHECK(change->factors[i].name[0] != '\0');
    const h5r_status closing = h5r_close(changes->file);
    CHECK(closing == H5R_ERR_REENTRANT || closing == H5R_ERR_BAD_HANDLE);
}

static void mode_changes(void) {
    struct changes changes;
    h5r_smart_options options = H5R_SMART_OPTIONS_INIT;
    memset(&changes, 0, sizeof changes);
    changes.file = new_file("smart.h5");
    options.min_file_size = 0;
    options.reevaluate_ms = 1;
    options.min_confidence = 0.1;
    options.min_switch_interval_ms = 0;
    options.on_mode_change = on_mode_change;
    options.user_data = &changes;
    OK(h5r_set_smart(changes.file, &options));
    for (int round = 0; round < 20; round++) {
        fill(h5r_root(changes.file));
        thin_out(h5r_root(changes.file));
        sleep_ms(2);
    }
    OK(h5r_close(changes.file));
    printf("%d changes; the last to mode %d: %s\n", changes.calls, (int)changes.selected, changes.reason);
    CHECK(changes.calls > 0 && changes.reason[0] != '\0' && changes.factors > 0);
    CHECK(changes.confidence >= 0.1 && changes.confidence <= 1.0);
    CHECK(changes.selected >= H5R_MODE_NONE && changes.selected <= H5R_MODE_INCREMENTAL);
}

int main(void) {
    iterations();
    in_the_background();
    mode_changes();
    return 0;
}
