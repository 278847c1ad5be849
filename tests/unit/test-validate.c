/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules for domains: what is refused, what is warned about and what passes without a word. */
#include "core/domain.h"
#include "core/error.h"
#include "core/validate.h"

#include "translate-helper.h"

#define ON "<boot_zeroed_memory state='on'/>"
#define OFF "<boot_zeroed_memory state='off'/>"
#define DEVICES(what) "<devices>" what "</devices>"
#define BACKING(what) "<memoryBacking>" what "</memoryBacking>"

typedef struct {
    const char *name;
    const char *root;   /* attributes of <domain>; NULL: type='kvm' */
    const char *hyperv; /* <hyperv> with all in it; NULL: with ON */
    const char *more;
    const char *error;   /* NULL: allowed */
    const char *warning; /* NULL: none */
} Case;

static const Case cases[] = {
    {"plain"},
    {"launch-security-sev", .more = "<launchSecurity type='sev'/>",
     .error = "unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available with launchSecurity "
              "type='sev', whose guest does not read the host's zeros as zeros: remove the feature"},
    {"launch-security-snp", .more = "<launchSecurity type='sev-snp'/>",
     .error = "unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available with launchSecurity "
              "type='sev-snp', whose guest does not read the host's zeros as zeros: remove the feature"},
    {"launch-security-tdx", .more = "<launchSecurity type='tdx'/>",
     .error = "unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available with launchSecurity "
              "type='tdx', whose guest does not read the host's zeros as zeros: remove the feature"},
    {"launch-security-off", .hyperv = "<hyperv>" OFF "</hyperv>", .more = "<launchSecurity type='sev'/>"},
    {"tcg", .root = "type='qemu'",
     .error =
         "unsupported configuration: 'boot_zeroed_memory' hyperv feature needs KVM, and the domain has type='qemu': "
         "set type='kvm' or remove the feature"},
    {"tcg-off", .root = "type='qemu'", .hyperv = "<hyperv>" OFF "</hyperv>"},
    {"arch-aarch64", .more = "<os><type arch='aarch64'>hvm</type></os>",
     .error =
         "unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available for architecture 'aarch64': "
         "it needs 'x86_64' or 'i686'; remove the feature"},
    {"arch-i686", .more = "<os><type arch='i686'>hvm</type></os>"},
    {"extended-hypercalls-off", .hyperv = "<hyperv><ext_query_caps state='off'/>" ON "</hyperv>",
     .error = "unsupported configuration: 'boot_zeroed_memory' hyperv feature requires 'ext_query_caps': remove "
              "<ext_query_caps state='off'/> or set its state to 'on'"},
    {"passthrough", .hyperv = "<hyperv mode='passthrough'>" ON "</hyperv>",
     .error = "unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available with hyperv "
              "mode='passthrough', which overrides single features: use mode='custom' or remove the feature"},
    {"passthrough-alone", .hyperv = "<hyperv mode='passthrough'/>"},
    {"host-model", .hyperv = "<hyperv mode='host-model'>" ON "</hyperv>"},

    {"file", .more = BACKING("<source type='file'/>"),
     .error =
         "unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available with memoryBacking source "
         "type='file', whose old content the guest would read: use type='memfd' or 'anonymous' or remove the feature"},
    {"file-shared", .more = BACKING("<source type='file'/><access mode='shared'/>"),
     .error =
         "unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available with memoryBacking source "
         "type='file', whose old content the guest would read: use type='memfd' or 'anonymous' or remove the feature"},
    {"file-off", .hyperv = "<hyperv>" OFF "</hyperv>", .more = BACKING("<source type='file'/>")},
    {"anonymous", .more = BACKING("<source type='anonymous'/><access mode='private'/><allocation mode='ondemand'/>"
                                  "<nosharepages/><discard/>")},
    {"memfd", .more = BACKING("<source type='memfd'/>")},
    {"shared", .more = BACKING("<access mode='shared'/>")},
    {"shared-cell", .more = "<cpu><numa><cell id='0'/><cell id='1' memAccess='shared'/></numa></cpu>"},
    {"private-cell", .more = "<cpu><numa><cell id='0' memAccess='private'/></numa></cpu>"},
    {"hugepages", .more = BACKING("<hugepages><page size='2' unit='MiB'/></hugepages>"),
     .warning = "memoryBacking hugepages makes all of the guest's memory resident when it starts: boot_zeroed_memory "
                "saves the guest the time of zeroing it, and the host no memory"},
    {"hugepages-shared", .more = BACKING("<hugepages/><access mode='shared'/>"),
     .warning = "memoryBacking hugepages populates memory that other processes may write (memoryBacking access "
                "mode='shared'): boot_zeroed_memory reports none of it; use memory that is populated on demand, or that "
                "is not shared"},
    {"locked", .more = BACKING("<locked/>"),
     .warning = "memoryBacking locked makes all of the guest's memory resident: boot_zeroed_memory will find little to "
                "report; remove it to save memory"},
    {"immediate", .more = BACKING("<allocation mode='immediate' threads='8'/>"),
     .warning = "memoryBacking allocation mode='immediate' makes all of the guest's memory resident when it starts: "
                "boot_zeroed_memory saves the guest the time of zeroing it, and the host no memory"},
    {"backing-off", .hyperv = "<hyperv>" OFF "</hyperv>", .more = BACKING("<hugepages/><locked/>")},
    {"query-only", .hyperv = "<hyperv><ext_query_caps state='on'/></hyperv>", .more = BACKING("<locked/>")},

    {"nvdimm", .more = DEVICES("<memory model='nvdimm' access='private'/>"),
     .warning = "the guest has nvdimm memory, which must not be taken for boot memory: boot_zeroed_memory reports "
                "nothing above 4 GiB"},
    {"virtio-pmem", .more = DEVICES("<memory model='virtio-pmem'/>"),
     .warning = "the guest has virtio-pmem memory, which must not be taken for boot memory: boot_zeroed_memory reports "
                "nothing above 4 GiB"},
    {"dimm", .more = DEVICES("<memory model='dimm'/>")},
    {"virtio-mem", .more = DEVICES("<memory model='virtio-mem'/>"),
     .warning = "the guest has virtio-mem memory, which must not be taken for boot memory: boot_zeroed_memory reports "
                "nothing above 4 GiB"},
    {"shared-dimm", .more = DEVICES("<memory model='dimm' access='shared'/>")},
    {"vfio-pci", .more = DEVICES("<hostdev mode='subsystem' type='pci' managed='yes'/>"),
     .warning =
         "a passed-through PCI device makes all of the guest's memory resident: boot_zeroed_memory will find little to "
         "report; remove the device to save memory"},
    {"vfio-mdev", .more = DEVICES("<hostdev mode='subsystem' type='mdev' model='vfio-pci'/>"),
     .warning =
         "a mediated device makes all of the guest's memory resident: boot_zeroed_memory will find little to report; "
         "remove the device to save memory"},
    {"vfio-interface", .more = DEVICES("<interface type='hostdev'/>"),
     .warning =
         "a passed-through network interface makes all of the guest's memory resident: boot_zeroed_memory will find "
         "little to report; remove the device to save memory"},
    {"vdpa", .more = DEVICES("<interface type='vdpa'/>"),
     .warning =
         "a vDPA network interface makes all of the guest's memory resident: boot_zeroed_memory will find little to "
         "report; remove the device to save memory"},
    {"vdpa-disk", .more = DEVICES("<disk type='vhostvdpa'/>"),
     .warning =
         "a vDPA disk makes all of the guest's memory resident: boot_zeroed_memory will find little to report; remove "
         "the device to save memory"},
    {"nvme", .more = DEVICES("<disk type='nvme'/>"),
     .warning =
         "a passed-through NVMe disk makes all of the guest's memory resident: boot_zeroed_memory will find little to "
         "report; remove the device to save memory"},
    {"usb", .more = DEVICES("<hostdev mode='subsystem' type='usb'/><hostdev mode='subsystem' type='scsi'/>")},
    {"vhost-user-interface", .more = DEVICES("<interface type='vhostuser'/>")},
    {"vhost-user-disk", .more = DEVICES("<disk type='vhostuser'/>")},
    {"virtiofs", .more = DEVICES("<filesystem type='mount'><driver type='virtiofs'/></filesystem>")},
    {"virtio-9p",
     .more = DEVICES("<filesystem type='mount'><driver type='path'/></filesystem><disk><driver type='raw'/>"
                     "</disk>")},
};

static char *parse_and_validate(const char *xml, GPtrArray **warnings)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BzDomain) domain = bz_domain_parse(xml, &test_configuration, &error);

    if (!domain || !bz_validate(domain, warnings, &error))
        return g_strdup_printf("%s: %s", bz_error_prefix(error), error->message);
    return NULL;
}

static void test_case(gconstpointer data)
{
    const Case *test = data;
    g_autofree char *xml =
        g_strdup_printf("<domain %s><features>%s</features>%s</domain>", test->root ? test->root : "type='kvm'",
                        test->hyperv ? test->hyperv : "<hyperv>" ON "</hyperv>", test->more ? test->more : "");
    g_autoptr(GPtrArray) warnings = NULL;
    g_autofree char *error = parse_and_validate(xml, &warnings);

    g_assert_cmpstr(error, ==, test->error);
    if (error)
        return;
    g_assert_cmpuint(warnings->len, ==, test->warning ? 1 : 0);
    if (test->warning)
        g_assert_cmpstr(warnings->pdata[0], ==, test->warning);
}

/* One after the other, and all of them. */
static void test_several(void)
{
    g_autoptr(GPtrArray) warnings = NULL;
    g_autofree char *error = parse_and_validate(
        "<domain type='kvm'><features><hyperv>" ON
        "</hyperv></features>" BACKING("<hugepages/><locked/><allocation mode='immediate'/><access mode='shared'/>")
            DEVICES("<hostdev type='pci'/><memory model='nvdimm'/>") "</domain>",
        &warnings);

    g_assert_null(error);
    g_assert_cmpuint(warnings->len, ==, 4);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/validate/", cases[i].name, NULL);

        g_test_add_data_func(path, &cases[i], test_case);
    }
    g_test_add_func("/validate/several", test_several);
    return g_test_run();
}
