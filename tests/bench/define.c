/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the plugin costs a management application: define and dumpxml, through libvirt's API, of one daemon over another.
 *
 *   define-bench STOCK_URI PLUGIN_URI
 *
 * Both daemons get the same calls in turn, so that whatever else the machine does slows both. The domain XML is about
 * 8 KB; with the element on the plugin's side, another enlightenment stands in its place on the stock side. Prints ratios
 * of medians as JSON: [{"name", "value", "unit", "goal"}], the goal being the most it may be.
 */
#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Enough for a median that differs by less than one percent from run to run. */
#define DEFINITIONS 500
#define DUMPS 4000
#define WARM_UP 20

/* With what libvirt adds, they bring the domain to about 8 KB. */
#define DISKS 11

typedef struct {
    virConnectPtr connection;
    virDomainPtr domain;
    char *xml;
} Side;

static void die(const char *what)
{
    const virError *error = virGetLastError();

    fprintf(stderr, "define-bench: %s: %s\n", what, error ? error->message : "unknown error");
    exit(1);
}

static char *make_xml(const char *name, const char *enlightenment)
{
    GString *xml = g_string_new(NULL);

    g_string_printf(xml,
                    "<domain type='kvm'>\n"
                    "  <name>%s</name>\n"
                    "  <uuid>%s</uuid>\n"
                    "  <memory unit='KiB'>4194304</memory>\n"
                    "  <vcpu placement='static'>4</vcpu>\n"
                    "  <os>\n    <type arch='x86_64' machine='q35'>hvm</type>\n  </os>\n"
                    "  <features>\n    <acpi/>\n    <apic/>\n"
                    "    <hyperv mode='custom'>\n"
                    "      <relaxed state='on'/>\n      <vapic state='on'/>\n      <spinlocks state='on' retries='8191'/>\n"
                    "%s"
                    "    </hyperv>\n  </features>\n"
                    "  <devices>\n    <emulator>/usr/bin/qemu-system-x86_64</emulator>\n",
                    name, "3e7b2f6a-0a59-4c39-8a34-0e5cf1b0a001", enlightenment);
    for (int i = 0; i < DISKS; i++) {
        g_string_append_printf(xml,
                               "    <disk type='file' device='disk'>\n"
                               "      <driver name='qemu' type='qcow2' cache='none' discard='unmap'/>\n"
                               "      <source file='/var/lib/libvirt/images/%s-disk-number-%d.qcow2'/>\n"
                               "      <target dev='vd%c' bus='virtio'/>\n"
                               "    </disk>\n",
                               name, i, 'a' + i);
    }
    g_string_append(xml, "    <controller type='usb' model='qemu-xhci'/>\n    <memballoon model='none'/>\n"
                         "  </devices>\n</domain>\n");
    return g_string_free(xml, FALSE);
}

static double now(void) /* nanoseconds */
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static double define(Side *side)
{
    double start = now();
    virDomainPtr domain = virDomainDefineXMLFlags(side->connection, side->xml, 0);
    double spent = now() - start;

    if (domain == NULL)
        die("define");
    if (side->domain != NULL)
        virDomainFree(side->domain);
    side->domain = domain;
    return spent;
}

static double dump(Side *side)
{
    double start = now();
    char *xml = virDomainGetXMLDesc(side->domain, VIR_DOMAIN_XML_INACTIVE);
    double spent = now() - start;

    if (xml == NULL)
        die("dumpxml");
    free(xml);
    return spent;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, int n)
{
    qsort(values, n, sizeof(*values), compare);
    return (values[n / 2] + values[(n - 1) / 2]) / 2;
}

/* Calls both sides n times, in turn, and who is first in turn too. Ratio of the medians, second over first. */
static double ratio(const char *name, double (*call)(Side *), Side sides[2], int n)
{
    g_autofree double *values[2] = {g_new(double, n), g_new(double, n)};
    double medians[2];

    for (int i = -WARM_UP; i < n; i++) {
        for (int j = 0; j < 2; j++) {
            int side = (i + j) & 1;
            double spent = call(&sides[side]);

            if (i >= 0)
                values[side][i] = spent;
        }
    }
    for (int side = 0; side < 2; side++)
        medians[side] = median(values[side], n);
    fprintf(stderr, "%s: %.1f us stock, %.1f us with the plugin\n", name, medians[0] / 1e3, medians[1] / 1e3);
    return medians[1] / medians[0];
}

static void set_xml(Side *side, const char *enlightenment)
{
    g_free(side->xml);
    side->xml = make_xml("bench", enlightenment);
}

/*
 * Defines the domain, and takes what libvirt made of it as the XML to define from then on: the full form, as an editor
 * has it. The figures mean nothing if the wrong daemon answers, so the element has to be in it, or not.
 */
static void settle(Side *side, const char *element, gboolean wanted)
{
    define(side);
    g_free(side->xml);
    side->xml = virDomainGetXMLDesc(side->domain, VIR_DOMAIN_XML_INACTIVE);
    if (side->xml == NULL)
        die("dumpxml");
    if ((strstr(side->xml, element) != NULL) != wanted) {
        fprintf(stderr, "define-bench: wrong XML, with or without %s:\n%s", element, side->xml);
        exit(1);
    }
    fprintf(stderr, "domain XML: %zu bytes\n", strlen(side->xml));
}

static void print(double value, const char *name, double goal, const char *separator)
{
    printf("  {\"name\": \"%s\", \"value\": %.4f, \"unit\": \"ratio\", \"goal\": %.2f}%s\n", name, value, goal, separator);
}

int main(int argc, char **argv)
{
    Side sides[2] = {{0}};

    if (argc != 3) {
        fprintf(stderr, "usage: define-bench STOCK_URI PLUGIN_URI\n");
        return 2;
    }
    for (int i = 0; i < 2; i++) {
        sides[i].connection = virConnectOpen(argv[1 + i]);
        if (sides[i].connection == NULL)
            die(argv[1 + i]);
    }

    printf("[\n");
    set_xml(&sides[0], "      <tlbflush state='on'/>\n");
    set_xml(&sides[1], "      <boot_zeroed_memory state='on'/>\n");
    settle(&sides[0], "<tlbflush state='on'/>", TRUE);
    settle(&sides[1], "<boot_zeroed_memory state='on'/>", TRUE);
    print(ratio("define", define, sides, DEFINITIONS), "define-ratio", 1.10, ",");
    print(ratio("dumpxml", dump, sides, DUMPS), "dumpxml-ratio", 1.25, ",");

    for (int i = 0; i < 2; i++) {
        set_xml(&sides[i], "      <tlbflush state='on'/>\n");
        settle(&sides[i], "boot_zeroed_memory", FALSE);
    }
    print(ratio("define, plain", define, sides, DEFINITIONS), "define-plain-ratio", 1.01, ",");
    print(ratio("dumpxml, plain", dump, sides, DUMPS), "dumpxml-plain-ratio", 1.01, "");
    printf("]\n");

    for (int i = 0; i < 2; i++) {
        virDomainUndefine(sides[i].domain);
        virDomainFree(sides[i].domain);
        virConnectClose(sides[i].connection);
        g_free(sides[i].xml);
    }
    return 0;
}
