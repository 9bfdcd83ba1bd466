#include "recorder/redact.h"

#include <gtest/gtest.h>

namespace blixard::recorder {
namespace {

TEST(Redact, what_is_given_to_cloud_init_is_not_kept_and_the_rest_is_byte_for_byte) {
    EXPECT_EQ(
        without_secrets(
            R"({"uid":"u1","spec":{"image":"debian","cloud_init":{"user_data":"#cloud-config\npassword: hunter2"},"cpus":2}})"),
        R"({"uid":"u1","spec":{"image":"debian","cloud_init":{"user_data":"[removed]"},"cpus":2}})");
}

TEST(Redact, tokens_passwords_keys_and_certificates_go_at_any_depth) {
    EXPECT_EQ(
        without_secrets(
            R"({"token":"blixard1.abc","list":[{"db_password":"x","port":5432}],"tls":{"private_key":["a","b"],"certificate":"c"}})"),
        R"({"token":"[removed]","list":[{"db_password":"[removed]","port":5432}],"tls":{"private_key":["[removed]","[removed]"],"certificate":"[removed]"}})");
}

TEST(Redact, a_secret_number_becomes_nought_and_an_empty_text_stays) {
    EXPECT_EQ(without_secrets(R"({"secret_pin":1234,"token":"","secret_on":true})"),
              R"({"secret_pin":0,"token":"","secret_on":true})");
}

TEST(Redact, a_name_written_with_escapes_hides_nothing) {
    EXPECT_EQ(without_secrets(R"({"pass\u0077ord":"x"})"), R"({"pass\u0077ord":"[removed]"})");
}

TEST(Redact, what_is_no_json_is_not_kept_at_all) {
    EXPECT_EQ(without_secrets("password=hunter2"), "[removed]");
    EXPECT_EQ(without_secrets(R"({"a":"b)"), "[removed]");
    EXPECT_EQ(without_secrets(R"({"a":1} {"token":"x"})"), "[removed]");
    EXPECT_EQ(without_secrets(std::string(1000, '[')), "[removed]");
}

TEST(Redact, a_kernel_command_line_keeps_all_but_the_secret_words) {
    EXPECT_EQ(line_without_secrets("console=ttyS0 root_password=hunter2 quiet"),
              "console=ttyS0 root_password=[removed] quiet");
    EXPECT_EQ(without_secrets(R"({"spec":{"command_line":"a=1 api_key=zzz"}})"),
              R"({"spec":{"command_line":"a=1 api_key=[removed]"}})");
}

// A replay starts from what is left, and must come to the same as the daemon, whose output is
// cleaned afterwards.
TEST(Redact, removing_twice_is_removing_once_and_joins_of_lines_come_out_the_same) {
    const std::string json =
        R"({"cloud_init":{"user_data":"x","meta_data":""},"command_line":"token=1 b"})";
    const std::string once = without_secrets(json);
    EXPECT_EQ(without_secrets(once), once);
    const std::string image = "console=ttyS0 token=abc", own = "password=p x";
    EXPECT_EQ(line_without_secrets(line_without_secrets(image) + " " + line_without_secrets(own)),
              line_without_secrets(image + " " + own));
}

}  // namespace
}  // namespace blixard::recorder
