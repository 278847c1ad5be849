/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the plugin costs a management application: define and dumpxml, through libvirt's API, of one daemon over another.
 *
 *   define-bench STOCK_URI PLUGIN_URI [STOCK_URI PLUGIN_URI]...
 *
 * The two daemons of a pair get the same call right after each other, so that whatever else the machine does slows both,
 * and the ratio of such calls is taken. A figure is the median of many, and that of several rounds and pairs again: where
 * things happen to be in a daemon's memory also makes a percent or two. The domain XML is about 8 KB; with the element on the plugin's side,
 * another enlightenment stands in its place on the stock side. Prints JSON: [{"name", "value", "unit", "goal",
 * "anchor"}], the goal being the most it may be.
 */
#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Rounds over all pairs, and calls of each kind to each daemon in a round: what else the machine does comes in bursts. */
#define ROUNDS 5
#define DEFINITIONS 80
#define DUMPS 1200
#define WARM_UP 5

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

/* Calls both sides n times, in turn, and who is first in turn too. */
static double ratio(const char *name, double (*call)(Side *), Side sides[2], int n)
{
    double *spent[2] = {g_new(double, n), g_new(double, n)};
    g_autofree double *ratios = g_new(double, n);
    double result;

    for (int i = -WARM_UP; i < n; i++) {
        for (int j = 0; j < 2; j++) {
            int side = (i + j) & 1;
            double time = call(&sides[side]);

            if (i >= 0)
                spent[side][i] = time;
        }
        if (i >= 0)
            ratios[i] = spent[1][i] / spent[0][i];
    }
    result = median(ratios, n);
    fprintf(stderr, "%s: %.1f us stock, %.1f us with the plugin, ratio %.4f\n", name, median(spent[0], n) / 1e3,
            median(spent[1], n) / 1e3, result);
    g_free(spent[0]);
    g_free(spent[1]);
    return result;
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
}

enum { DEFINE, DUMP, DEFINE_PLAIN, DUMP_PLAIN, FIGURES };

static const struct {
    const char *name;
    double goal;
    const char *anchor;
} figures[FIGURES] = {
    [DEFINE] = {"define-ratio", 1.10, "stock libvirtd, another enlightenment"},
    [DUMP] = {"dumpxml-ratio", 1.25, "stock libvirtd, another enlightenment"},
    [DEFINE_PLAIN] = {"define-plain-ratio", 1.01, "stock libvirtd, same XML"},
    [DUMP_PLAIN] = {"dumpxml-plain-ratio", 1.01, "stock libvirtd, same XML"},
};

static void measure(const char *stock, const char *plugin, double results[FIGURES])
{
    const char *uris[2] = {stock, plugin};
    Side sides[2] = {{0}};

    for (int i = 0; i < 2; i++) {
        sides[i].connection = virConnectOpen(uris[i]);
        if (sides[i].connection == NULL)
            die(uris[i]);
    }

    set_xml(&sides[0], "      <tlbflush state='on'/>\n");
    set_xml(&sides[1], "      <boot_zeroed_memory state='on'/>\n");
    settle(&sides[0], "<tlbflush state='on'/>", TRUE);
    settle(&sides[1], "<boot_zeroed_memory state='on'/>", TRUE);
    fprintf(stderr, "domain XML of %zu bytes\n", strlen(sides[1].xml));
    results[DEFINE] = ratio("define", define, sides, DEFINITIONS);
    results[DUMP] = ratio("dumpxml", dump, sides, DUMPS);

    for (int i = 0; i < 2; i++) {
        set_xml(&sides[i], "      <tlbflush state='on'/>\n");
        settle(&sides[i], "boot_zeroed_memory", FALSE);
    }
    results[DEFINE_PLAIN] = ratio("define, plain", define, sides, DEFINITIONS);
    results[DUMP_PLAIN] = ratio("dumpxml, plain", dump, sides, DUMPS);

    for (int i = 0; i < 2; i++) {
        virDomainUndefine(sides[i].domain);
        virDomainFree(sides[i].domain);
        virConnectClose(sides[i].connection);
        g_free(sides[i].xml);
    }
}

int main(int argc, char **argv)
{
    int pairs = (argc - 1) / 2;
    double *results[FIGURES];

    if (argc < 3 || argc % 2 != 1) {
        fprintf(stderr, "usage: define-bench STOCK_URI PLUGIN_URI [STOCK_URI PLUGIN_URI]...\n");
        return 2;
    }
    for (int figure = 0; figure < FIGURES; figure++)
        results[figure] = g_new(double, pairs * ROUNDS);
    for (int i = 0; i < pairs * ROUNDS; i++) {
        char **uris = argv + 1 + i % pairs * 2;
        double one[FIGURES];

        measure(uris[0], uris[1], one);
        for (int figure = 0; figure < FIGURES; figure++)
            results[figure][i] = one[figure];
    }
    for (int figure = 0; figure < FIGURES; figure++) {
        printf("%s{\"name\": \"%s\", \"value\": %.4f, \"unit\": \"ratio\", \"goal\": %.2f, \"anchor\": \"%s\"}%s\n",
               figure == 0 ? "[" : " ", figures[figure].name, median(results[figure], pairs * ROUNDS), figures[figure].goal,
               figures[figure].anchor, figure == FIGURES - 1 ? "]" : ",");
        g_free(results[figure]);
    }
    return 0;
}
