#include "cluster/join_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "cluster/base64.h"

namespace blixard::cluster {
namespace {

constexpr WallTime kNow{1795232400000};

JoinToken make_token() {
    SeededRandom random(7);
    return make_join_token("c1", std::string(64, 'f'), {"10.0.0.1:7420", "10.0.0.2:7420"},
                           kNow + seconds(3600), random);
}

TEST(JoinToken, says_the_same_after_a_trip_through_text) {
    const JoinToken token = make_token();
    const std::string text = write_join_token(token);
    EXPECT_TRUE(text.starts_with("blixard1."));
    EXPECT_EQ(text.find_first_of(" \n\"'"), std::string::npos);
    EXPECT_EQ(*parse_join_token(text), token);
    EXPECT_EQ(*parse_join_token(text + "\n"), token);
}

TEST(JoinToken, that_was_mistyped_or_cut_is_told_from_a_wrong_one) {
    std::string text = write_join_token(make_token());
    for (const std::string& broken :
         {text.substr(0, text.size() - 1), text + "A", std::string("hello"), std::string()})
        EXPECT_EQ(parse_join_token(broken).error().code, ErrorCode::kInvalid) << broken;
    text[20] = text[20] == 'x' ? 'y' : 'x';
    EXPECT_THAT(parse_join_token(text).error().message, testing::HasSubstr("mistyped"));
}

TEST(JoinToken, is_good_once_and_until_it_expires) {
    const JoinToken token = make_token();
    TokenRecord record = record_of(token, kNow);
    EXPECT_EQ(record.secret_sha256.find(token.secret), std::string::npos);
    EXPECT_TRUE(check_token(&record, token.secret, kNow));

    const auto expired = check_token(&record, token.secret, kNow + seconds(3600));
    EXPECT_EQ(expired.error().code, ErrorCode::kUnauthenticated);
    EXPECT_THAT(expired.error().message, testing::HasSubstr("expired at"));

    record.used_by = "host-2";
    record.used_at = "2026-11-21T03:40:00.000Z";
    const auto used = check_token(&record, token.secret, kNow);
    EXPECT_EQ(used.error().code, ErrorCode::kConflict);
    EXPECT_THAT(used.error().message, testing::HasSubstr("used by host \"host-2\""));

    EXPECT_THAT(check_token(&record, "guess", kNow).error().message, testing::HasSubstr("wrong"));
    EXPECT_THAT(check_token(nullptr, token.secret, kNow).error().message,
                testing::HasSubstr("wrong"));
}

TEST(Base64, gives_back_any_bytes) {
    EXPECT_EQ(encode_base64("hello?>"), "aGVsbG8_Pg");
    EXPECT_TRUE(rc::check([](const std::string& bytes) {
        RC_ASSERT(*decode_base64(encode_base64(bytes)) == bytes);
    }));
    EXPECT_FALSE(decode_base64("a"));
    EXPECT_FALSE(decode_base64("a=b"));
}

}  // namespace
}  // namespace blixard::cluster
