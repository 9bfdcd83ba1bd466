#include "cluster/ca.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/certificate.h"
#include "cluster/seal.h"

namespace blixard::cluster {
namespace {

constexpr WallTime kNow{1795232400000};
constexpr Millis kDay = seconds(24 * 3600);

Authority make_ca(std::string_view cluster = "c1") {
    return *create_authority(cluster, "aa", kNow);
}

std::string certificate_for(const Authority& ca, const std::string& name,
                            std::vector<std::string> addresses) {
    const auto request = make_certificate_request(name);
    return *issue_certificate(ca, request->request_pem,
                              {"c1", name, std::move(addresses), "1f", kNow});
}

TEST(Authority, signs_a_host_certificate_that_says_who_and_where_the_host_is) {
    const Authority ca = make_ca();
    const auto info =
        inspect_certificate(certificate_for(ca, "host-1", {"10.0.0.1", "host-1.example"}));
    ASSERT_TRUE(info);
    EXPECT_EQ(info->name, "host-1");
    EXPECT_EQ(info->cluster_id, "c1");
    EXPECT_EQ(info->serial, "1f");
    EXPECT_FALSE(info->authority);
    EXPECT_THAT(info->addresses, testing::ElementsAre("127.0.0.1", "::1", "10.0.0.1"));
    EXPECT_THAT(info->dns_names,
                testing::ElementsAre("host-1", "c1.blixard", "localhost", "host-1.example"));
    EXPECT_EQ(info->not_after, kNow + kDay * 90);
    EXPECT_EQ(info->fingerprint.size(), 64u);
}

TEST(Authority, is_one_itself_and_tells_its_own_certificates_from_another_clusters) {
    const Authority ours = make_ca();
    const Authority theirs = make_ca("c2");
    const std::string certificate = certificate_for(ours, "host-1", {});
    EXPECT_TRUE(inspect_certificate(ours.certificate_pem)->authority);
    EXPECT_TRUE(check_issued_by(certificate, ours.certificate_pem, kNow));
    const auto refused = check_issued_by(certificate, theirs.certificate_pem, kNow);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
    EXPECT_FALSE(check_issued_by(certificate, ours.certificate_pem, kNow + kDay * 91));
}

TEST(Authority, refuses_a_request_whose_sender_does_not_hold_the_key) {
    auto request = make_certificate_request("host-1")->request_pem;
    const auto at = request.size() / 2;
    request[at] = request[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(issue_certificate(make_ca(), request, {"c1", "host-1", {}, "1f", kNow}));
}

TEST(Authority, refuses_addresses_that_would_smuggle_in_other_names) {
    const auto request = make_certificate_request("host-1");
    for (const std::string address : {"10.0.0.1,DNS:host-2", "", "a b"}) {
        const auto made = issue_certificate(make_ca(), request->request_pem,
                                            {"c1", "host-1", {address}, "1f", kNow});
        ASSERT_FALSE(made) << address;
        EXPECT_EQ(made.error().code, ErrorCode::kInvalid);
    }
}

TEST(Authority, writes_a_revocation_list) {
    const auto list = issue_revocation_list(make_ca(), {"1f", "2e"}, kNow, kDay);
    ASSERT_TRUE(list);
    EXPECT_NE(list->find("BEGIN X509 CRL"), std::string::npos);
    EXPECT_FALSE(issue_revocation_list(make_ca(), {"not hex"}, kNow, kDay));
}

TEST(Certificate, is_renewed_after_two_thirds_of_its_life) {
    const WallTime end = kNow + kDay * 90;
    EXPECT_EQ(judge_renewal(kNow, end, kNow), Renewal::kNone);
    EXPECT_EQ(judge_renewal(kNow, end, kNow + kDay * 59), Renewal::kNone);
    EXPECT_EQ(judge_renewal(kNow, end, kNow + kDay * 60), Renewal::kDue);
    EXPECT_EQ(judge_renewal(kNow, end, end), Renewal::kExpired);
}

TEST(Certificate, refuses_what_is_none) {
    const auto info = inspect_certificate("hello");
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().code, ErrorCode::kInvalid);
}

TEST(Seal, opens_only_with_the_same_key_and_context) {
    const std::string key = *make_voter_key();
    const auto sealed = seal("the authority's key", key, "c1");
    ASSERT_TRUE(sealed);
    EXPECT_EQ(sealed->find("authority"), std::string::npos);
    EXPECT_EQ(*open_sealed(*sealed, key, "c1"), "the authority's key");
    EXPECT_EQ(open_sealed(*sealed, *make_voter_key(), "c1").error().code, ErrorCode::kDenied);
    EXPECT_EQ(open_sealed(*sealed, key, "c2").error().code, ErrorCode::kDenied);
    EXPECT_FALSE(open_sealed(*sealed, "short", "c1"));
    std::string changed = *sealed;
    changed[10] = changed[10] == 'A' ? 'B' : 'A';
    EXPECT_EQ(open_sealed(changed, key, "c1").error().code, ErrorCode::kDenied);
}

}  // namespace
}  // namespace blixard::cluster
