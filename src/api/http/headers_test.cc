#include "api/http/headers.h"

#include <gtest/gtest.h>

namespace blixard::api::http {
namespace {

TEST(AcceptEncoding, is_answered_with_the_best_we_speak) {
    EXPECT_EQ(negotiate_encoding(""), Encoding::kIdentity);
    EXPECT_EQ(negotiate_encoding("zstd, deflate"), Encoding::kIdentity);
    EXPECT_EQ(negotiate_encoding("gzip"), Encoding::kGzip);
    EXPECT_EQ(negotiate_encoding("gzip, deflate, br"), Encoding::kGzip);
    EXPECT_EQ(negotiate_encoding("BR"), Encoding::kBrotli);
    EXPECT_EQ(negotiate_encoding("gzip;q=0.5, br;q=0.8"), Encoding::kBrotli);
    EXPECT_EQ(negotiate_encoding("gzip;q=0, br;q=0"), Encoding::kIdentity);
    EXPECT_EQ(negotiate_encoding("*"), Encoding::kGzip);
    EXPECT_EQ(negotiate_encoding("gzip;q=0, *"), Encoding::kBrotli);
    EXPECT_EQ(negotiate_encoding("gzip;q=nonsense"), Encoding::kIdentity);
    EXPECT_EQ(negotiate_encoding(",;,;q=,gzip;q"), Encoding::kGzip);
}

TEST(LoopbackHost, is_a_name_that_no_stranger_can_own) {
    for (const char* host :
         {"localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.8.8.8", "[::1]:80", ""})
        EXPECT_TRUE(is_loopback_host(host)) << host;
    for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example",
                             "[::2]", "[::1", "10.0.0.1"})
        EXPECT_FALSE(is_loopback_host(host)) << host;
}

TEST(Origin, of_a_strange_page_is_told_from_ours) {
    EXPECT_TRUE(is_same_origin("", "localhost:8080"));
    EXPECT_TRUE(is_same_origin("http://localhost:8080", "localhost:8080"));
    EXPECT_FALSE(is_same_origin("http://localhost:9090", "localhost:8080"));
    EXPECT_FALSE(is_same_origin("https://evil.example", "localhost:8080"));
    EXPECT_FALSE(is_same_origin("null", "localhost:8080"));
}

TEST(RequestId, may_stand_in_a_log_line) {
    EXPECT_TRUE(is_request_id("9f3c-1_a.B"));
    EXPECT_FALSE(is_request_id(""));
    EXPECT_FALSE(is_request_id("a b"));
    EXPECT_FALSE(is_request_id(std::string(65, 'a')));
}

TEST(HttpDate, is_as_rfc_9110_writes_it) {
    EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace blixard::api::http
