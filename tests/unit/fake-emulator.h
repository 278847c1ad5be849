/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shell programs that stand for emulators, good and bad. */
#pragma once

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}"

/* A program that answers the probe. prologue is run first; version and properties are JSON. */
#define FAKE_EMULATOR(prologue, version, arch, properties)                                                             \
    "#!/bin/sh\n" prologue "\n"                                                                                        \
    "echo '" GREETING "'\n"                                                                                            \
    "while read -r line; do case $line in\n"                                                                           \
    "*qmp_capabilities*) echo '{\"timestamp\": {}, \"event\": \"RESUME\"} {\"return\": {}}';;\n"                       \
    "*query-version*) echo '{\"return\": {\"qemu\": " version ", \"package\": \"\"}}';;\n"                             \
    "*query-target*) echo '{\"return\": {\"arch\": \"" arch "\"}}';;\n"                                                \
    "*device-list-properties*max-" arch "-cpu*) echo '{\"return\": " properties "}';;\n"                               \
    "*) echo '{\"error\": {\"class\": \"GenericError\", \"desc\": \"what?\"}}';;\n"                                    \
    "esac; done\n"

#define VERSION_9_1 "{\"major\": 9, \"minor\": 1, \"micro\": 3}"
#define VERSION_6_2 "{\"major\": 6, \"minor\": 2, \"micro\": 0}"
#define PROPERTIES_STOCK "[{\"name\": \"hv-vapic\", \"type\": \"bool\"}, {\"name\": \"hv-relaxed\", \"type\": \"bool\"}]"
#define PROPERTIES_FIRST "[{\"name\": \"hv-boot-zeroed-mem\"}, {\"name\": \"hv-relaxed\"}]"
#define PROPERTIES_BOTH "[{\"name\": \"hv-boot-zeroed-mem\"}, {\"name\": \"hv-ext-query-caps\"}]"

#define FAKE_STOCK FAKE_EMULATOR("", VERSION_9_1, "x86_64", PROPERTIES_STOCK)
