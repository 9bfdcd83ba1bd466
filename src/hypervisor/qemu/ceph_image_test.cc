// What is said to Ceph's programs and what their answers mean; as Ceph 16.2.15 gave them.
#include "hypervisor/qemu/ceph_image.h"

#include <gtest/gtest.h>

#include "hypervisor/qemu/ceph_lock.h"

namespace blixard::hypervisor {
namespace {

const CephPool kPool{"vms", "blixard", "/etc/ceph/b.conf"};
const CephImage kImage{kPool, "uid-1"};

TEST(CephImage, a_path_names_pool_image_user_and_configuration) {
    const auto image = parse_ceph_image("rbd:vms/uid-1:id=blixard:conf=/etc/ceph/b.conf");
    ASSERT_TRUE(image) << describe(image.error());
    EXPECT_EQ(image->pool, kPool);
    EXPECT_EQ(image->text(), "vms/uid-1");
    EXPECT_EQ(parse_ceph_image("rbd:vms/a")->pool, (CephPool{"vms", "", ""}));
    EXPECT_EQ(parse_ceph_pool("rbd:vms:conf=/a:id=b"), (CephPool{"vms", "b", "/a"}));
}

TEST(CephImage, what_it_does_not_understand_is_refused_before_anything_is_asked) {
    for (const char* text : {"", "rbd:", "vms", "rbd::id=a", "rbd:-x", "rbd:vms/a", "rbd:vms:id=",
                             "rbd:vms:conf=b.conf", "rbd:vms:key=secret", "rbd:v ms", "rbd:vms:"}) {
        const auto pool = parse_ceph_pool(text);
        ASSERT_FALSE(pool) << text;
        EXPECT_EQ(pool.error().code, ErrorCode::kInvalid);
        EXPECT_FALSE(pool.error().help.empty());
    }
    for (const char* path : {"rbd:vms", "rbd:vms/", "rbd:/a", "/vms/a", "rbd:vms/-a",
                             "rbd:vms/a@snap", "rbd:vms:conf=/a/b"})
        EXPECT_FALSE(parse_ceph_image(path)) << path;
}

TEST(CephImage, a_machines_client_keeps_its_lock_and_qemu_img_gives_it_back) {
    EXPECT_EQ(machine_disk_name({{"vms", "b", "/etc/a=b.conf"}, "uid-1"}),
              "rbd:vms/uid-1:id=b:conf=/etc/a\\=b.conf:client_mount_timeout=10:"
              "rbd_auto_exclusive_lock_until_manual_request=false");
    EXPECT_EQ(qemu_img_name({{"vms", "", ""}, "uid-1"}), "rbd:vms/uid-1:client_mount_timeout=10");
}

TEST(CephImage, a_command_says_who_asks_and_ends_by_itself) {
    EXPECT_EQ(ceph_command(kPool, "rados", {"listomapkeys", "x"}),
              (std::vector<std::string>{"rados",
                                        "--conf",
                                        "/etc/ceph/b.conf",
                                        "--id",
                                        "blixard",
                                        "--no-mon-config",
                                        "--client-mount-timeout",
                                        "10",
                                        "--rados-mon-op-timeout",
                                        "10",
                                        "--rados-osd-op-timeout",
                                        "20",
                                        "--rbd-blocklist-on-break-lock",
                                        "true",
                                        "--rbd-blocklist-expire-seconds",
                                        "604800",
                                        "--pool",
                                        "vms",
                                        "listomapkeys",
                                        "x"}));
}

TEST(CephImage, errors_say_what_was_found_and_what_helps) {
    struct Case {
        int status;
        const char* said;
        ErrorCode code;
        const char* message;
        const char* help;
    };
    for (const Case& each : {
             Case{2, "rbd: error opening pool 'vms': (2) No such file or directory\n",
                  ErrorCode::kNotFound, "Ceph has no pool \"vms\"", "ceph osd pool create vms"},
             Case{1, "error opening pool vms: (2) No such file or directory", ErrorCode::kNotFound,
                  "Ceph has no pool", "pool create"},
             Case{13, "rbd: couldn't connect to the cluster!\n", ErrorCode::kDenied,
                  "does not let client.blixard in", "keyring"},
             Case{110, "rbd: couldn't connect to the cluster!\n", ErrorCode::kUnavailable,
                  "no monitor of Ceph answers", "ceph --conf"},
             Case{1, "couldn't connect to cluster: (110) Connection timed out\n",
                  ErrorCode::kUnavailable, "no monitor", "status"},
             Case{1, "couldn't connect to cluster: (13) Permission denied\n", ErrorCode::kDenied,
                  "does not let client.blixard in", "keyring"},
             Case{1, "couldn't connect to cluster: (2) No such file or directory\n",
                  ErrorCode::kNotFound, "no key of client.blixard", "keyring"},
             Case{1, "error setting omap value vms/c.x/k: (110) Connection timed out\n",
                  ErrorCode::kUnavailable, "does not answer in time", "full"},
             Case{kTimeoutStatus, "", ErrorCode::kUnavailable, "does not answer in time", "full"},
             Case{1, "global_init: unable to open config file from search list /etc/ceph/b.conf\n",
                  ErrorCode::kNotFound, "there is no /etc/ceph/b.conf", "conf=FILE"},
             Case{1, "rbd: create error: (1) Operation not permitted\n", ErrorCode::kDenied,
                  "lacks the right",
                  "ceph auth caps client.blixard mon 'profile rbd' osd 'profile rbd pool=vms'"},
             Case{13, "rbd: releasing lock failed: (13) Permission denied\n", ErrorCode::kDenied,
                  "lacks the right", "profile rbd"},
             Case{28, "rbd: create error: (28) No space left on device\n", ErrorCode::kExhausted,
                  "is full", "ceph df"},
             Case{122, "rbd: create error: (122) Disk quota exceeded\n", ErrorCode::kExhausted,
                  "is full", "get-quota"},
             Case{16, "rbd: error: image still has watchers\n", ErrorCode::kConflict, "has it open",
                  "rbd status"},
             Case{116, "rbd: delete error: (116) Stale file handle\n", ErrorCode::kConflict,
                  "another host removes it", "nothing"},
             Case{39, "rbd: image has snapshots - these must be deleted\n", ErrorCode::kConflict,
                  "snapshots", "snap purge"},
             Case{2, "rbd: error opening image nope: (2) No such file or directory\n",
                  ErrorCode::kNotFound, "error opening image", ""},
             Case{17, "rbd: create error: (17) File exists\n", ErrorCode::kExists, "File exists",
                  ""},
             Case{22, "first\nrbd: odd\n", ErrorCode::kInternal, "rbd: odd", ""},
         }) {
        const Error error = ceph_error(kPool, "make image vms/a", each.status, each.said);
        EXPECT_EQ(error.code, each.code) << each.said;
        EXPECT_TRUE(error.message.starts_with("make image vms/a: ")) << error.message;
        EXPECT_NE(error.message.find(each.message), std::string::npos) << error.message;
        EXPECT_NE(error.help.find(each.help), std::string::npos) << error.help;
        // By an empty help it is told that the image itself is not there.
        EXPECT_EQ(error.help.empty(), *each.help == '\0');
    }
}

TEST(CephImage, answers_are_read) {
    const auto locks = parse_locks(
        R"([{"id":"auto 139955200332688","locker":"client.4179","address":"127.0.0.1:0/2238406024"}])");
    ASSERT_EQ(locks->size(), 1u);
    EXPECT_EQ(locks->front().client, "client.4179");
    EXPECT_EQ(locks->front().id, "auto 139955200332688");
    EXPECT_TRUE(parse_locks("[]\n")->empty());
    EXPECT_EQ(
        parse_watchers(
            R"({"watchers":[{"address":"127.0.0.1:0/1","client":4187,"cookie":1},{"address":"a","client":12,"cookie":2}]})"),
        (std::set<CephClient>{"client.4187", "client.12"}));
    EXPECT_FALSE(parse_watchers("no"));
    const auto info = parse_image_info(
        R"({"name":"x","size":67108864,"features":["layering","exclusive-lock"]})");
    EXPECT_EQ(info->size_bytes, 67108864);
    EXPECT_TRUE(info->has_exclusive_lock);
    EXPECT_FALSE(parse_image_info(R"({"size":1,"features":["layering"]})")->has_exclusive_lock);
}

TEST(CephImage, claims_are_kept_in_the_order_of_their_epochs) {
    const Claim claim{3, 17, "host-1"};
    EXPECT_EQ(claim_key(claim), "00000000000000000003.00000000000000000017.host-1");
    EXPECT_EQ(parse_claim_key(claim_key(claim)), claim);
    EXPECT_LT(claim_key({3, 9, "z"}), claim_key({3, 10, "a"}));
    EXPECT_LT(claim_key({3, 99, "z"}), claim_key({4, 1, "a"}));
    EXPECT_FALSE(parse_claim_key("note"));
    EXPECT_FALSE(parse_claim_key("0000000000000000000x.00000000000000000017.host-1"));
    EXPECT_EQ(parse_claims(claim_key(claim) + "\nnote\n" + claim_key({1, 2, "b"}) + "\n"),
              (std::vector<Claim>{claim, {1, 2, "b"}}));
    EXPECT_EQ(claims_object(kImage), "blixard_claims.uid-1");
}

TEST(Claims, a_lower_pair_is_refused_and_the_same_of_another_host) {
    const Claim held{2, 5, "host-1"};
    EXPECT_TRUE(check_claim({}, {0, 1, "host-1"}, "d"));
    EXPECT_TRUE(check_claim(held, held, "d"));
    EXPECT_TRUE(check_claim(held, {2, 6, "host-2"}, "d"));
    EXPECT_TRUE(check_claim(held, {3, 1, "host-2"}, "d"));
    EXPECT_FALSE(check_claim(held, {2, 4, "host-1"}, "d"));
    EXPECT_FALSE(check_claim(held, {1, 9, "host-1"}, "d"));
    EXPECT_FALSE(check_claim(held, {2, 5, "host-2"}, "d"));
}

TEST(CephOwner, the_lock_is_of_the_one_client_that_came) {
    const std::set<CephClient> before{"client.1"};
    EXPECT_TRUE(check_owner(kImage, before, {{"client.2", "auto 1"}}, {"client.1", "client.2"}));
    EXPECT_TRUE(
        check_owner(kImage, before, {{"client.2", "auto 1"}}, {"client.2"}));  // one that was dead
    EXPECT_FALSE(check_owner(kImage, before, {}, {"client.2"}));  // QEMU did not get it
    EXPECT_FALSE(check_owner(kImage, before, {{"client.1", "auto 1"}}, {"client.1", "client.2"}));
    // Two came: which of them is ours is not known.
    EXPECT_FALSE(check_owner(kImage, before, {{"client.2", "auto 1"}}, {"client.2", "client.3"}));
    EXPECT_FALSE(check_owner(kImage, {}, {{"client.9", "auto 1"}}, {"client.2"}));
}

TEST(CephLock, a_disks_size_is_as_qemu_sees_it_now) {
    const char* blocks = R"([{"device":"","inserted":{"image":{"virtual-size":1}}},
        {"device":"disk1","inserted":{"image":{"virtual-size":67108864}}},{"device":"disk0"}])";
    EXPECT_EQ(size_of_device(blocks, "disk1"), 67108864);
    EXPECT_FALSE(size_of_device(blocks, "disk0"));
    EXPECT_FALSE(size_of_device("[]", "disk1"));
}

}  // namespace
}  // namespace blixard::hypervisor
