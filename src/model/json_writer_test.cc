#include "model/json_writer.h"

#include <gtest/gtest.h>

namespace blixard::model::json {
namespace {

TEST(JsonWriter, puts_the_commas) {
    std::string text;
    Writer writer(text);
    writer.begin_object()
        .member("a", 1)
        .member("b")
        .begin_array()
        .value(true)
        .value("x")
        .begin_object()
        .end_object();
    writer.end_array()
        .member("c")
        .begin_object()
        .member("d", 0.5)
        .end_object()
        .member("e")
        .raw("[]")
        .end_object();
    EXPECT_EQ(text, R"({"a":1,"b":[true,"x",{}],"c":{"d":0.5},"e":[]})");
}

std::string written(std::string_view text) {
    std::string out;
    append_string(text, out);
    return out;
}

TEST(JsonWriter, escapes_what_json_wants_escaped) {
    EXPECT_EQ(written("a\"b\\c\n\t\x01\x7f/"), "\"a\\\"b\\\\c\\n\\t\\u0001\x7f/\"");
    EXPECT_EQ(written("\xC3\xA9\xF0\x9F\xA6\x8E"), "\"\xC3\xA9\xF0\x9F\xA6\x8E\"");
}

TEST(JsonWriter, replaces_what_is_no_text) {
    const std::string bad = "\xEF\xBF\xBD";
    EXPECT_EQ(written("\xC3"), "\"" + bad + "\"") << "cut off";
    EXPECT_EQ(written("\xC0\x80"), "\"" + bad + bad + "\"") << "too long a form";
    EXPECT_EQ(written("\xED\xA0\x80"), "\"" + bad + bad + bad + "\"") << "a surrogate";
    EXPECT_EQ(written("\xF4\x90\x80\x80"), "\"" + bad + bad + bad + bad + "\"")
        << "beyond U+10FFFF";
    EXPECT_EQ(written(std::string_view("a\0b", 3)), "\"a" + bad + "b\"");
}

TEST(JsonWriter, writes_numbers_that_read_back_the_same) {
    std::string text;
    append_number(std::numeric_limits<std::int64_t>::min(), text);
    text += ' ';
    append_number(0.1, text);
    text += ' ';
    append_number(1e300, text);
    EXPECT_EQ(text, "-9223372036854775808 0.1 1e+300");
}

}  // namespace
}  // namespace blixard::model::json
