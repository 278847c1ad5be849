/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tells the thread sanitizer what GLib does between threads. GLib is not instrumented, and its locks are its own, so that
 * the sanitizer would see none of them. These come before GLib's for the plugin's calls, and do what GLib's do.
 */
#include <dlfcn.h>
#include <glib.h>
#include <sanitizer/tsan_interface.h>

#define EXPORT __attribute__((visibility("default")))

#define GLIB(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

EXPORT void g_mutex_lock(GMutex *mutex)
{
    static __typeof__(&g_mutex_lock) next;

    if (__atomic_load_n(&next, __ATOMIC_RELAXED) == NULL)
        __atomic_store_n(&next, GLIB(g_mutex_lock), __ATOMIC_RELAXED);
    next(mutex);
    __tsan_acquire(mutex);
}

EXPORT void g_mutex_unlock(GMutex *mutex)
{
    static __typeof__(&g_mutex_unlock) next;

    if (__atomic_load_n(&next, __ATOMIC_RELAXED) == NULL)
        __atomic_store_n(&next, GLIB(g_mutex_unlock), __ATOMIC_RELAXED);
    __tsan_release(mutex);
    next(mutex);
}

EXPORT void g_cond_wait(GCond *cond, GMutex *mutex)
{
    __tsan_release(mutex);
    GLIB(g_cond_wait)(cond, mutex);
    __tsan_acquire(mutex);
}

/* What a reference counted box's users did comes before it is cleared. */
static _Thread_local GDestroyNotify clear_box;

static void clear(gpointer box)
{
    __tsan_acquire(box);
    clear_box(box);
}

EXPORT void g_atomic_rc_box_release_full(gpointer box, GDestroyNotify clear_function)
{
    GDestroyNotify outer = clear_box;

    clear_box = clear_function;
    __tsan_release(box);
    GLIB(g_atomic_rc_box_release_full)(box, clear);
    clear_box = outer;
}
