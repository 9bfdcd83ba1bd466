#include "hypervisor/qemu/qmp_reader.h"

#include <gtest/gtest.h>

#include "hypervisor/qemu/json_text.h"

namespace blixard::hypervisor {
namespace {

TEST(QmpReader, reads_greeting_return_error_and_event_however_they_are_cut) {
    const std::string bytes =
        "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
        "{\"return\": {\"status\": \"running\"}, \"id\": 7}\r\n"
        "{\"id\": 8, \"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no such "
        "command\"}}\r\n"
        "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"SHUTDOWN\", "
        "\"data\": {\"guest\": true, \"reason\": \"guest-shutdown\"}}\r\n";
    for (std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
        QmpReader reader;
        std::vector<QmpMessage> all;
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            const auto some = reader.feed(std::string_view(bytes).substr(at, step));
            ASSERT_TRUE(some);
            all.insert(all.end(), some->begin(), some->end());
        }
        ASSERT_EQ(all.size(), 4u);
        EXPECT_EQ(all[0].kind, QmpMessage::Kind::kGreeting);
        EXPECT_EQ(all[1].kind, QmpMessage::Kind::kReturn);
        EXPECT_EQ(all[1].id, 7u);
        EXPECT_EQ(all[1].json, "{\"status\":\"running\"}");
        EXPECT_EQ(all[2].text, "no such command");
        EXPECT_EQ(all[3].name, "SHUTDOWN");
        EXPECT_EQ(all[3].json, "{\"guest\":true,\"reason\":\"guest-shutdown\"}");
    }
}

TEST(QmpReader, gives_up_for_good_on_what_is_no_qmp) {
    QmpReader reader;
    EXPECT_FALSE(reader.feed("SSH-2.0-OpenSSH\n"));
    EXPECT_FALSE(reader.feed("{\"return\": {}}\n"));
    for (const char* wrong : {"[]\n", "{}\n", "{\"event\": 3}\n", "{\"error\": 1}\n"}) {
        EXPECT_FALSE(QmpReader().feed(wrong)) << wrong;
    }
    EXPECT_TRUE(QmpReader().feed("\r\n \n")->empty());
}

TEST(QmpReader, a_line_without_end_is_cut_off) {
    QmpReader reader;
    EXPECT_EQ(reader.feed(std::string(kQmpLineMax + 1, 'x')).error().code, ErrorCode::kTooLarge);
}

TEST(QmpCommand, is_one_line_of_json) {
    EXPECT_EQ(qmp_command(3, "query-status", ""), "{\"execute\":\"query-status\",\"id\":3}\n");
    EXPECT_EQ(qmp_command(4, "x", "{\"a\":1}"),
              "{\"execute\":\"x\",\"arguments\":{\"a\":1},\"id\":4}\n");
}

TEST(JsonText, escapes_what_must_be_and_mends_what_is_no_utf_8) {
    EXPECT_EQ(json_string("a\"b\\c\n\x01 ü"), "\"a\\\"b\\\\c\\n\\u0001 ü\"");
    EXPECT_EQ(json_string("x\xff\xed\xa0\x80"),
              "\"x\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    EXPECT_EQ(
        JsonObject().add("n", 7).add("b", true).add_json("l", json_strings({"a", "b"})).text(),
        "{\"n\":7,\"b\":true,\"l\":[\"a\",\"b\"]}");
}

}  // namespace
}  // namespace blixard::hypervisor
