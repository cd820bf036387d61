// 32 threads on one file, on many files, opening and closing the same handles, and closing under everyone's feet.
#include "check.h"
#include <pthread.h>

enum { THREADS = 32, ROUNDS = 150 };

struct worker {
    pthread_t thread;
    int number;
    h5r_file *file;
    h5r_object *object;
};

static void run_all(struct worker *workers, void *(*body)(void *)) {
    for (int i = 0; i < THREADS; i++) {
        workers[i].number = i;
        CHECK(pthread_create(&workers[i].thread, NULL, body, &workers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) CHECK(pthread_join(workers[i].thread, NULL) == 0);
}

// Each thread has its own names on the same object.
static void work(struct worker *self, h5r_object *object) {
    char name[48];
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(name, sizeof name, "thread_%02d_round_%04d", self->number, i);
        write_int(object, name, self->number * 10000 + i);
        CHECK(read_int(object, name) == self->number * 10000 + i);
        if (i % 2 == 1) OK(h5r_attr_delete(object, name));
        FAILS(H5R_ERR_NOT_FOUND, h5r_attr_delete(object, "absent"));
        SAYS("absent");
        if (i % 50 == 49) OK(h5r_flush(self->file));
    }
}

static void check_work(h5r_object *object, int number) {
    char name[48];
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(name, sizeof name, "thread_%02d_round_%04d", number, i);
        CHECK(attr_exists(object, name) == (i % 2 == 0));
        if (i % 2 == 0) CHECK(read_int(object, name) == number * 10000 + i);
    }
}

static void *on_one(void *argument) {
    struct worker *self = (struct worker *)argument;
    char path[32];
    h5r_object *own = NULL;
    snprintf(path, sizeof path, "groups/of_%d", self->number);
    OK(h5r_group_create(h5r_root(self->file), path, NULL, &own));
    work(self, self->object);
    write_int(own, "done", self->number);
    OK(h5r_object_close(own));
    return NULL;
}

static void one_file(void) {
    static struct worker workers[THREADS];
    h5r_incremental_options options = H5R_INCREMENTAL_OPTIONS_INIT;
    h5r_file *file = new_file("one.h5");
    options.interval_ms = 1;
    options.budget_us = 500;
    OK(h5r_set_lazy(file, NULL));
    OK(h5r_set_incremental(file, &options));
    h5r_object *object = NULL;
    OK(h5r_group_create(h5r_root(file), "shared", NULL, &object));
    for (int i = 0; i < THREADS; i++) {
        workers[i].file = file;
        workers[i].object = object;
    }
    run_all(workers, on_one);
    CHECK(attr_count(object) == THREADS * ROUNDS / 2);
    OK(h5r_check(file));
    OK(h5r_close(file));
    file = old_file("one.h5");
    OK(h5r_object_open(h5r_root(file), "shared", &object));
    for (int i = 0; i < THREADS; i++) check_work(object, i);
    uint64_t groups = 0;
    h5r_object *parent = NULL;
    OK(h5r_object_open(h5r_root(file), "groups", &parent));
    OK(h5r_link_count(parent, &groups));
    CHECK(groups == THREADS);
    OK(h5r_check(file));
    OK(h5r_close(file));
}

static void *on_own(void *argument) {
    struct worker *self = (struct worker *)argument;
    char path[32];
    snprintf(path, sizeof path, "own_%d.h5", self->number);
    self->file = new_file(path);
    work(self, h5r_root(self->file));
    OK(h5r_close(self->file));
    self->file = old_file(path);
    check_work(h5r_root(self->file), self->number);
    OK(h5r_close(self->file));
    return NULL;
}

static h5r_object *contested[THREADS];

// All threads open, use and close the same handles: each close succeeds once.
static void *on_handles(void *argument) {
    struct worker *self = (struct worker *)argument;
    intptr_t closed = 0;
    for (int i = 0; i < THREADS; i++) {
        uint64_t count = 0;
        const h5r_status used = h5r_attr_count(contested[i], &count);
        CHECK((used == H5R_OK && count == 1) || used == H5R_ERR_BAD_HANDLE);
        const h5r_status status = h5r_object_close(contested[i]);
        CHECK(status == H5R_OK || status == H5R_ERR_BAD_HANDLE);
        closed += status == H5R_OK;
    }
    self->number = (int)closed;
    return NULL;
}

static void contested_handles(void) {
    static struct worker workers[THREADS];
    h5r_file *file = new_file("contested.h5");
    h5r_object *group = NULL;
    OK(h5r_group_create(h5r_root(file), "g", NULL, &group));
    write_int(group, "a", 1);
    for (int round = 0; round < 20; round++) {
        int closed = 0;
        for (int i = 0; i < THREADS; i++) OK(h5r_object_open(h5r_root(file), "g", &contested[i]));
        run_all(workers, on_handles);
        for (int i = 0; i < THREADS; i++) closed += workers[i].number;
        CHECK(closed == THREADS);
    }
    OK(h5r_close(file));
}

// One thread closes the file while the others use it: they end with BAD_HANDLE, and nobody crashes.
static void *until_closed(void *argument) {
    struct worker *self = (struct worker *)argument;
    char name[48];
    for (int i = 0;; i++) {
        if (self->number == 0 && i == 100) {
            OK(h5r_close(self->file));
            return NULL;
        }
        int32_t value = i;
        h5r_object *opened = NULL;
        snprintf(name, sizeof name, "thread_%02d_%d", self->number, i % 40);
        const h5r_status statuses[] = {h5r_attr_write(self->object, name, H5R_I32, 0, NULL, &value),
                                       h5r_object_open(h5r_root(self->file), "g", &opened), h5r_flush(self->file)};
        for (int k = 0; k < 3; k++) {
            if (statuses[k] == H5R_ERR_BAD_HANDLE) return NULL;
            CHECK(statuses[k] == H5R_OK);
        }
    }
}

static void closed_meanwhile(void) {
    static struct worker workers[THREADS];
    for (int round = 0; round < 5; round++) {
        h5r_file *file = new_file("closed.h5");
        h5r_object *object = NULL;
        OK(h5r_group_create(h5r_root(file), "g", NULL, &object));
        OK(h5r_set_lazy(file, NULL));
        for (int i = 0; i < THREADS; i++) {
            workers[i].file = file;
            workers[i].object = object;
        }
        run_all(workers, until_closed);
        FAILS(H5R_ERR_BAD_HANDLE, h5r_close(file));
        FAILS(H5R_ERR_BAD_HANDLE, h5r_object_close(object));
        file = old_file("closed.h5");
        OK(h5r_check(file));
        OK(h5r_close(file));
    }
}

// Everyone closes the same file: one succeeds.
static void *closes(void *argument) {
    struct worker *self = (struct worker *)argument;
    const h5r_status status = h5r_close(self->file);
    CHECK(status == H5R_OK || status == H5R_ERR_BAD_HANDLE);
    self->number = status == H5R_OK;
    return NULL;
}

static void closed_by_all(void) {
    static struct worker workers[THREADS];
    for (int round = 0; round < 20; round++) {
        int closed = 0;
        h5r_file *file = new_file("all.h5");
        write_int(h5r_root(file), "a", round);
        for (int i = 0; i < THREADS; i++) workers[i].file = file;
        run_all(workers, closes);
        for (int i = 0; i < THREADS; i++) closed += workers[i].number;
        CHECK(closed == 1);
    }
}

int main(void) {
    static struct worker workers[THREADS];
    one_file();
    run_all(workers, on_own);
    contested_handles();
    closed_meanwhile();
    closed_by_all();
    return 0;
}
