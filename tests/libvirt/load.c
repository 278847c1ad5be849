/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Clients of one libvirtd, all at once, with calls of every kind and their errors:
 *
 *   load URI CLIENTS CALLS SEED
 *
 * Each client is a process with a connection and domains of its own, and looks at those of the others. CALLS is the number
 * of calls of all clients. What each call gives is known, by its kind: anything else ends the program with status 1.
 */
#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ON "<boot_zeroed_memory state='on'/>"
#define OFF "<boot_zeroed_memory state='off'/>"
#define MARKER_URI "urn:bootzero:domain:1"
#define OWN_URI "urn:load:1"

/* Domains of each client, which come and go. */
#define DOMAINS 3

typedef struct {
    virConnectPtr connection;
    unsigned int number, clients;
    GRand *random;
    virDomainPtr domains[DOMAINS]; /* NULL: not defined */
    const char *elements[DOMAINS]; /* what it was defined with */
} Client;

static G_GNUC_NORETURN void die(const Client *client, const char *what, const char *detail)
{
    const virError *error = virGetLastError();

    fprintf(stderr, "client %u: %s: %s: %s\n", client->number, what, detail, error != NULL ? error->message : "no error");
    exit(1);
}

static char *domain_name(unsigned int client, unsigned int domain)
{
    return g_strdup_printf("load-%u-%u", client, domain);
}

static char *domain_xml(const char *type, const char *name, const char *elements)
{
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_MD5, name, -1);

    return g_strdup_printf("<domain type='%s'>\n  <name>%s</name>\n"
                           "  <uuid>%.8s-%.4s-4%.3s-8%.3s-%.12s</uuid>\n  <memory unit='KiB'>65536</memory>\n"
                           "  <os>\n    <type arch='x86_64' machine='pc'>hvm</type>\n  </os>\n"
                           "  <features>\n    <acpi/>\n    <hyperv mode='custom'>\n      <relaxed state='on'/>\n      %s\n"
                           "    </hyperv>\n  </features>\n  <devices>\n"
                           "    <emulator>/usr/bin/qemu-system-x86_64</emulator>\n"
                           "    <controller type='usb' index='0' model='none'/>\n    <memballoon model='none'/>\n"
                           "  </devices>\n</domain>\n",
                           type, name, digest, digest + 8, digest + 13, digest + 17, digest + 20, elements);
}

/* The call failed, with that in its message. */
static void failed(const Client *client, gboolean is_failed, const char *text)
{
    const virError *error = virGetLastError();

    if (!is_failed)
        die(client, "not refused", text);
    if (error == NULL || error->message == NULL || strstr(error->message, text) == NULL)
        die(client, "another error", text);
    virResetLastError();
}

/* One that is defined, which is defined if it has to be. */
static unsigned int some_domain(Client *client)
{
    static const char *const elements[] = {ON, OFF, ""};
    unsigned int i = g_rand_int_range(client->random, 0, DOMAINS);
    g_autofree char *name = domain_name(client->number, i);
    g_autofree char *xml = NULL;

    if (client->domains[i] != NULL)
        return i;
    client->elements[i] = elements[g_rand_int_range(client->random, 0, G_N_ELEMENTS(elements))];
    xml = domain_xml("kvm", name, client->elements[i]);
    client->domains[i] = virDomainDefineXMLFlags(client->connection, xml, 0);
    if (client->domains[i] == NULL)
        die(client, "define", xml);
    return i;
}

/* xml shows the element as it was written (elements; NULL: not known here), and nothing of what is stored. */
static void check_shown(const Client *client, const char *xml, const char *elements)
{
    if (xml == NULL)
        die(client, "no XML", "");
    if (strstr(xml, "bootzero") != NULL || strstr(xml, "qemu:") != NULL)
        die(client, "the stored form", xml);
    if (elements == NULL)
        return;
    if (*elements == '\0' ? strstr(xml, "boot_zeroed_memory") != NULL : strstr(xml, elements) == NULL)
        die(client, "wrong XML", xml);
}

static void call_define(Client *client)
{
    unsigned int i = some_domain(client);
    g_autofree char *name = domain_name(client->number, i);
    g_autofree char *xml = NULL;
    virDomainPtr defined;

    client->elements[i] = client->elements[i][0] == '\0' ? ON : client->elements[i];
    xml = domain_xml("kvm", name, client->elements[i]);
    defined = virDomainDefineXML(client->connection, xml);
    if (defined == NULL)
        die(client, "define", xml);
    virDomainFree(defined);
}

static void call_dumpxml(Client *client)
{
    unsigned int i = some_domain(client);
    g_autofree char *xml = virDomainGetXMLDesc(client->domains[i], VIR_DOMAIN_XML_INACTIVE);

    check_shown(client, xml, client->elements[i]);
}

static void call_undefine(Client *client)
{
    unsigned int i = some_domain(client);

    if (virDomainUndefineFlags(client->domains[i], VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA) < 0)
        die(client, "undefine", client->elements[i]);
    virDomainFree(client->domains[i]);
    client->domains[i] = NULL;
}

/* Of another client, which may take it away at any time. */
static void call_other(Client *client)
{
    g_autofree char *name = domain_name((client->number + 1) % client->clients, g_rand_int_range(client->random, 0, DOMAINS));
    virDomainPtr domain = virDomainLookupByName(client->connection, name);
    g_autofree char *xml = domain != NULL ? virDomainGetXMLDesc(domain, 0) : NULL;

    if (xml != NULL)
        check_shown(client, xml, NULL);
    else
        failed(client, TRUE, "Domain not found: ");
    if (domain != NULL)
        virDomainFree(domain);
}

static void call_metadata(Client *client)
{
    unsigned int i = some_domain(client);
    g_autofree char *got = NULL;

    if (virDomainSetMetadata(client->domains[i], VIR_DOMAIN_METADATA_ELEMENT, "<mine/>", "load", OWN_URI,
                             VIR_DOMAIN_AFFECT_CONFIG) < 0)
        die(client, "metadata", OWN_URI);
    got = virDomainGetMetadata(client->domains[i], VIR_DOMAIN_METADATA_ELEMENT, OWN_URI, VIR_DOMAIN_AFFECT_CONFIG);
    if (got == NULL || strstr(got, "mine") == NULL)
        die(client, "metadata", "not as set");
}

static void call_marker(Client *client)
{
    unsigned int i = some_domain(client);

    failed(client,
           virDomainSetMetadata(client->domains[i], VIR_DOMAIN_METADATA_ELEMENT, "<features/>", "b", MARKER_URI,
                                VIR_DOMAIN_AFFECT_CONFIG) < 0,
           "follow the domain's <features><hyperv>");
    failed(client,
           virDomainGetMetadata(client->domains[i], VIR_DOMAIN_METADATA_ELEMENT, MARKER_URI, VIR_DOMAIN_AFFECT_CONFIG) == NULL,
           "Requested metadata element is not present");
}

static void call_native(Client *client)
{
    g_autofree char *xml = domain_xml("kvm", "native", ON);
    g_autofree char *native = virConnectDomainXMLToNative(client->connection, "qemu-argv", xml, 0);

    if (native == NULL || strstr(native, "hv-xmm-input=on") == NULL)
        die(client, "native", native != NULL ? native : "");
}

static void call_snapshot(Client *client)
{
    unsigned int i = some_domain(client);
    g_autofree char *name = domain_name(client->number, i);
    g_autofree char *domain = domain_xml("kvm", name, client->elements[i]);
    g_autofree char *xml = g_strdup_printf("<domainsnapshot><name>s</name><state>shutoff</state>"
                                           "<creationTime>1700000000</creationTime>%s</domainsnapshot>", domain);
    virDomainSnapshotPtr snapshot =
        virDomainSnapshotCreateXML(client->domains[i], xml, VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE);
    g_autofree char *shown = snapshot != NULL ? virDomainSnapshotGetXMLDesc(snapshot, 0) : NULL;

    check_shown(client, shown, client->elements[i]);
    if (virDomainSnapshotDelete(snapshot, VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY) < 0)
        die(client, "snapshot", "delete");
    virDomainSnapshotFree(snapshot);
}

static void call_capabilities(Client *client)
{
    g_autofree char *xml = virConnectGetDomainCapabilities(client->connection, NULL, "x86_64", "pc", "kvm", 0);

    if (xml == NULL || strstr(xml, "<value>boot_zeroed_memory</value>") == NULL)
        die(client, "capabilities", xml != NULL ? xml : "");
}

static void refused_xml(Client *client, const char *xml, const char *text)
{
    failed(client, virDomainDefineXML(client->connection, xml) == NULL, text);
    failed(client, virDomainCreateXML(client->connection, xml, 0) == NULL, text);
}

static void call_wrong_state(Client *client)
{
    g_autofree char *xml = domain_xml("kvm", "wrong", "<boot_zeroed_memory state='maybe'/>");

    refused_xml(client, xml, "XML error: Invalid value for attribute 'state' in element 'boot_zeroed_memory': 'maybe'.");
}

static void call_wrong_type(Client *client)
{
    g_autofree char *xml = domain_xml("qemu", "wrong", ON);

    refused_xml(client, xml, "unsupported configuration: 'boot_zeroed_memory' hyperv feature needs KVM");
}

static void call_malformed(Client *client)
{
    refused_xml(client, "<domain><features><hyperv>" ON "</domain>", "mismatch");
}

/* libvirt's own refusal, of what was translated */
static void call_unknown_machine(Client *client)
{
    g_autofree char *good = domain_xml("kvm", "wrong", ON);
    g_autoptr(GString) xml = g_string_new(good);

    g_string_replace(xml, "hvm", "strange", 1);
    refused_xml(client, xml->str, "strange");
}

static void (*const calls[])(Client *) = {
    call_define,   call_define,      call_dumpxml,    call_dumpxml,    call_dumpxml,   call_undefine,  call_other,
    call_metadata, call_marker,      call_native,     call_snapshot,   call_capabilities, call_wrong_state,
    call_wrong_type, call_malformed, call_unknown_machine,
};

static void be_quiet(void *data, virErrorPtr error)
{
}

static int run_client(const char *uri, unsigned int number, unsigned int clients, unsigned int n_calls, guint32 seed)
{
    Client client = {.number = number, .clients = clients, .random = g_rand_new_with_seed(seed + number)};

    virSetErrorFunc(NULL, be_quiet);
    client.connection = virConnectOpen(uri);
    if (client.connection == NULL)
        die(&client, "connect", uri);
    for (unsigned int i = 0; i < n_calls; i++)
        calls[g_rand_int_range(client.random, 0, G_N_ELEMENTS(calls))](&client);
    for (int i = 0; i < DOMAINS; i++) {
        if (client.domains[i] != NULL && virDomainUndefine(client.domains[i]) < 0)
            die(&client, "undefine", "at the end");
        if (client.domains[i] != NULL)
            virDomainFree(client.domains[i]);
    }
    virConnectClose(client.connection);
    g_rand_free(client.random);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned int clients = argc == 5 ? atoi(argv[2]) : 0;
    int status = 0, result = 0;

    if (clients == 0) {
        fprintf(stderr, "usage: load URI CLIENTS CALLS SEED\n");
        return 2;
    }
    for (unsigned int i = 0; i < clients; i++)
        if (fork() == 0)
            exit(run_client(argv[1], i, clients, atoi(argv[3]) / clients, atoi(argv[4])));
    while (wait(&status) > 0)
        result |= status != 0;
    return result;
}
