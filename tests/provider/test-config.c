/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/config.h"

#include "check.h"

static void accept(const char *text, bool caps, bool zeroed)
{
    struct bz_config config = { !caps, !zeroed, "x" };
    char message[512] = "";

    CHECK(bz_config_parse(text, &config, message, sizeof message));
    CHECK_EQUAL(config.ext_query_caps, caps);
    CHECK_EQUAL(config.boot_zeroed_mem, zeroed);
    CHECK_TEXT(message, "");
}

static void refuse(const char *text, const char *expected)
{
    struct bz_config config = { true, true, "x" };
    char message[512] = "";

    CHECK(!bz_config_parse(text, &config, message, sizeof message));
    CHECK_TEXT(message, expected);
    CHECK(!config.ext_query_caps);
    CHECK(!config.boot_zeroed_mem);
}

static void good(void)
{
    accept(NULL, false, false);
    accept("", false, false);
    accept("ext-query-caps=on,boot-zeroed-mem=on", true, true);
    accept("boot-zeroed-mem=on,ext-query-caps=on", true, true);
    accept("boot-zeroed-mem=on", true, true);
    accept("ext-query-caps=on", true, false);
    accept("ext-query-caps=on,boot-zeroed-mem=off", true, false);
    accept("ext-query-caps=off,boot-zeroed-mem=off", false, false);
    accept("boot-zeroed-mem=off", false, false);
}

static void bad(void)
{
    refuse("boot-zeroed-mem=maybe",
           "BOOTZERO: 'boot-zeroed-mem' has the value 'maybe': allowed values are 'on' and 'off'");
    refuse("boot-zeroed-mem=", "BOOTZERO: 'boot-zeroed-mem' has the value '': allowed values are 'on' and 'off'");
    refuse("boot-zeroed-mem", "BOOTZERO: 'boot-zeroed-mem' has the value '': allowed values are 'on' and 'off'");
    refuse("boot-zeroed-mem=ON", "BOOTZERO: 'boot-zeroed-mem' has the value 'ON': allowed values are 'on' and 'off'");
    refuse("boot-zeroed-mem=on ", "BOOTZERO: 'boot-zeroed-mem' has the value 'on ': allowed values are 'on' and 'off'");
    refuse("mp=/run/x", "BOOTZERO: unknown key 'mp' with the value '/run/x': "
                        "allowed keys are 'ext-query-caps', 'boot-zeroed-mem', 'qmp' and 'track-seconds'");
    refuse("boot-zeroed-mem=on,", "BOOTZERO: unknown key '' with the value '': "
                                  "allowed keys are 'ext-query-caps', 'boot-zeroed-mem', 'qmp' and 'track-seconds'");
    refuse("boot-zeroed-mem=on,boot-zeroed-mem=on", "BOOTZERO: 'boot-zeroed-mem' is given twice: give it once");
    refuse("ext-query-caps=off,boot-zeroed-mem=on",
           "BOOTZERO: 'boot-zeroed-mem=on' needs 'ext-query-caps=on': remove 'ext-query-caps=off'");
}

static void path(const char *text, const char *expected)
{
    struct bz_config config;
    char message[512] = "";

    CHECK(bz_config_parse(text, &config, message, sizeof message));
    CHECK_TEXT(config.qmp, expected);
    CHECK(config.boot_zeroed_mem);
}

static void paths(void)
{
    const char *must = "': it has to be an absolute path of at most 107 bytes";
    char text[256], expected[512], longest[109] = "/";

    path("boot-zeroed-mem=on", "");
    path("boot-zeroed-mem=on,qmp=/run/bootzero/", "/run/bootzero/");
    path("qmp=/run/a=b.qmp,boot-zeroed-mem=on", "/run/a=b.qmp");
    memset(longest + 1, 'a', 106);
    snprintf(text, sizeof text, "boot-zeroed-mem=on,qmp=%s", longest);
    path(text, longest);
    longest[107] = 'a';
    snprintf(text, sizeof text, "qmp=%s", longest);
    snprintf(expected, sizeof expected, "BOOTZERO: 'qmp' has the value '%s%s", longest, must);
    refuse(text, expected);
    snprintf(expected, sizeof expected, "BOOTZERO: 'qmp' has the value 'run/x%s", must);
    refuse("qmp=run/x", expected);
    snprintf(expected, sizeof expected, "BOOTZERO: 'qmp' has the value '%s", must);
    refuse("qmp=", expected);
    refuse("qmp=/a,qmp=/a", "BOOTZERO: 'qmp' is given twice: give it once");
}

static void track(const char *text, unsigned expected)
{
    struct bz_config config;
    char message[512] = "";

    CHECK(bz_config_parse(text, &config, message, sizeof message));
    CHECK_EQUAL(config.track_seconds, expected);
    CHECK_TEXT(config.qmp, strstr(text ? text : "", "qmp=") ? "/x" : "");
}

static void seconds(void)
{
    static const char *const wrong[] = { "", "0", "86401", "x", "1x", "-1", "+1", " 1", "1.5", "99999999999999999999" };

    track(NULL, 300);
    track("boot-zeroed-mem=on", 300);
    track("boot-zeroed-mem=on,track-seconds=1,qmp=/x", 1);
    track("track-seconds=00060", 60);
    track("qmp=/x,track-seconds=86400", 86400);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[100], expected[200];
        snprintf(text, sizeof text, "track-seconds=%s,qmp=/x", wrong[i]);
        snprintf(expected, sizeof expected, "BOOTZERO: 'track-seconds' has the value '%s': allowed are whole seconds "
                                            "from 1 to 86400", wrong[i]);
        refuse(text, expected);
    }
    refuse("track-seconds=1,track-seconds=1", "BOOTZERO: 'track-seconds' is given twice: give it once");
}

/* A value of any length makes one message that fits. */
static void long_values(void)
{
    static char text[100000];
    struct bz_config config;
    char message[512];

    memset(text, 'a', sizeof text - 1);
    CHECK(!bz_config_parse(text, &config, message, sizeof message));
    CHECK_CONTAINS(message, "allowed keys are 'ext-query-caps', 'boot-zeroed-mem', 'qmp' and 'track-seconds'");
    memcpy(text, "boot-zeroed-mem=", 16);
    CHECK(!bz_config_parse(text, &config, message, sizeof message));
    CHECK_CONTAINS(message, "allowed values are 'on' and 'off'");
}

CHECK_MAIN(CASE(good), CASE(bad), CASE(paths), CASE(seconds), CASE(long_values))
