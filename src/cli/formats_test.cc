// Values, YAML, units, tables, diffs: what people read and write.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "cli/diff.h"
#include "cli/logs.h"
#include "cli/progress.h"
#include "cli/screen.h"
#include "cli/table.h"
#include "cli/units.h"
#include "cli/value.h"
#include "cli/yaml.h"

namespace blixard::cli {
namespace {

Value yaml(std::string_view text) { return parse_yaml(text).value().at(0); }

TEST(Value, keeps_the_order_of_members_and_reads_paths) {
    Value value = parse_json(R"({"b":1,"a":{"c":[true,null,"x"],"d":2.5}})").value();
    EXPECT_EQ(to_json(value), R"({"b":1,"a":{"c":[true,null,"x"],"d":2.5}})");
    EXPECT_EQ(value.number("b"), 1);
    EXPECT_EQ(value.real("a.d"), 2.5);
    EXPECT_EQ(value.items("a.c").size(), 3u);
    EXPECT_EQ(value.text("a.nothing"), "");
    EXPECT_EQ(value.at("a.c.x"), nullptr);
}

TEST(Value, refuses_what_is_not_json) {
    EXPECT_FALSE(parse_json("{"));
    EXPECT_FALSE(parse_json(""));
    EXPECT_FALSE(parse_json(std::string(300, '[') + std::string(300, ']')));
}

TEST(Value, is_written_pretty_with_two_spaces) {
    EXPECT_EQ(to_json_pretty(parse_json(R"({"a":[1,{}],"b":"x\ny"})").value()),
              "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": \"x\\ny\"\n}\n");
}

TEST(Yaml, plain_scalars_follow_the_core_schema) {
    EXPECT_EQ(
        to_json(yaml("cpus: 2\nratio: 1.5\nname: web\non: yes\nrun: off\nready: true\nnone: "
                     "~\nhex: 0x1F\nversion: \"1.10\"\nip: 10.0.0.1\nneg: -3\ntime: 12:30\n")),
        R"({"cpus":2,"ratio":1.5,"name":"web","on":"yes","run":"off","ready":true,"none":null,"hex":31,"version":"1.10","ip":"10.0.0.1","neg":-3,"time":"12:30"})");
    EXPECT_EQ(resolve_scalar("+5").as_int() != nullptr, true);
    EXPECT_TRUE(resolve_scalar("+-5").as_string());
    EXPECT_TRUE(resolve_scalar(".").as_string());
    EXPECT_TRUE(resolve_scalar("1e").as_string());
    EXPECT_TRUE(resolve_scalar("99999999999999999999").as_double());
}

TEST(Yaml, several_documents_and_json_are_read) {
    auto documents =
        parse_yaml("kind: vm\n---\n{\"kind\": \"volume\", \"size_mib\": 5}\n---\n").value();
    ASSERT_EQ(documents.size(), 2u);
    EXPECT_EQ(documents[1].number("size_mib"), 5);
}

TEST(Yaml, errors_name_the_line) {
    auto twice = parse_yaml("a: 1\nb: 2\na: 3\n");
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().message, "line 3, column 1: \"a\" is there twice");
    auto broken = parse_yaml("a: [1, 2\nb: 3\n");
    ASSERT_FALSE(broken);
    EXPECT_NE(broken.error().message.find("line "), std::string::npos);
}

TEST(Yaml, a_document_bomb_is_refused) {
    std::string bomb = "a: &a [1,1,1,1,1,1,1,1,1,1]\n";
    for (char c = 'b'; c < 'k'; ++c) {
        bomb += std::string(1, c) + ": &" + c + " [";
        for (int i = 0; i < 10; ++i)
            bomb += (i ? ",*" : "*") + std::string(1, static_cast<char>(c - 1));
        bomb += "]\n";
    }
    auto read = parse_yaml(bomb);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::kTooLarge);
}

TEST(Yaml, looks_as_people_would_write_it) {
    Value value =
        parse_json(
            R"({"name":"web-1","labels":{"tier":"1","on":"no"},"disks":[{"name":"root","size_mib":10240},{"name":"data"}],"user_data":"#cloud-config\nusers: []\n","empty":[],"none":{},"text":""})")
            .value();
    EXPECT_EQ(to_yaml(value),
              "name: web-1\n"
              "labels:\n"
              "  tier: \"1\"\n"
              "  \"on\": \"no\"\n"
              "disks:\n"
              "- name: root\n"
              "  size_mib: 10240\n"
              "- name: data\n"
              "user_data: |\n"
              "  #cloud-config\n"
              "  users: []\n"
              "empty: []\n"
              "none: {}\n"
              "text: \"\"\n");
}

rc::Gen<Value> values(int depth) {
    auto text = rc::gen::map(rc::gen::container<std::string>(rc::gen::elementOf(
                                 std::string("ab1 :#-\n'\"{}[],&*!|>%@`0.~e\ttrue"))),
                             [](std::string s) { return Value(std::move(s)); });
    auto number =
        rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t n) { return Value(n); });
    auto flag = rc::gen::map(rc::gen::arbitrary<bool>(), [](bool b) { return Value(b); });
    if (depth == 0) return rc::gen::oneOf(text, number, flag, rc::gen::just(Value{}));
    auto array =
        rc::gen::map(rc::gen::resize(4, rc::gen::container<std::vector<Value>>(values(depth - 1))),
                     [](std::vector<Value> items) { return Value(std::move(items)); });
    auto object = rc::gen::map(
        rc::gen::resize(
            4, rc::gen::container<std::map<std::string, Value>>(
                   rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab:- #1"))),
                   values(depth - 1))),
        [](std::map<std::string, Value> members) {
            Value value = Value::object();
            for (auto& [name, member] : members) value.set(name, member);
            return value;
        });
    return rc::gen::oneOf(text, number, flag, array, object);
}

TEST(Yaml, what_is_written_is_read_back_the_same) {
    rc::check([] {
        Value value = Value::object({{"v", *values(3)}});
        std::string text = to_yaml(value);
        auto read = parse_yaml(text);
        if (!read) RC_FAIL(text + read.error().message);
        RC_ASSERT(read->size() == 1u);
        if (!(read->front() == value)) RC_FAIL(text + to_json(value) + to_json(read->front()));
    });
}

TEST(Json, what_is_written_is_read_back_the_same) {
    rc::check([] {
        Value value = *values(3);
        RC_ASSERT(parse_json(to_json(value)).value() == value);
        RC_ASSERT(parse_json(to_json_pretty(value)).value() == value);
    });
}

TEST(Sizes, are_binary_and_whole_mib) {
    EXPECT_EQ(parse_size_mib("512M").value(), 512);
    EXPECT_EQ(parse_size_mib("512").value(), 512);
    EXPECT_EQ(parse_size_mib("2G").value(), 2048);
    EXPECT_EQ(parse_size_mib("1.5G").value(), 1536);
    EXPECT_EQ(parse_size_mib("1T").value(), 1048576);
    EXPECT_EQ(parse_size_mib("2GiB").value(), 2048);
    EXPECT_EQ(parse_size_mib("2gb").value(), 2048);
    EXPECT_EQ(parse_size_mib("2048K").value(), 2);
    for (std::string_view bad :
         {"", "G", "12X", "-1G", "0", "1.0001M", "1e3", "999999999T", "1 G", "nan"})
        EXPECT_FALSE(parse_size_mib(bad)) << bad;
}

TEST(Sizes, are_shown_short) {
    EXPECT_EQ(mib_text(96), "96M");
    EXPECT_EQ(mib_text(1536), "1.5G");
    EXPECT_EQ(mib_text(2048), "2G");
    EXPECT_EQ(mib_text(3 * 1024 * 1024), "3T");
    EXPECT_EQ(bytes_text(0), "0B");
    EXPECT_EQ(bytes_text(1536), "1.5K");
    EXPECT_EQ(bytes_text(80 << 20), "80M");
}

TEST(Durations, are_read_in_the_usual_units) {
    EXPECT_EQ(parse_duration("90").value().count, 90'000);
    EXPECT_EQ(parse_duration("1h30m").value().count, 5'400'000);
    EXPECT_EQ(parse_duration("250ms").value().count, 250);
    EXPECT_EQ(parse_duration("0").value().count, 0);
    for (std::string_view bad : {"", "s", "-1s", "5x", "1h-3m"})
        EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Ages, are_one_unit) {
    WallTime now = *parse_rfc3339("2026-11-21T12:00:00Z");
    EXPECT_EQ(age_text("2026-11-21T11:59:57.500Z", now), "2s");
    EXPECT_EQ(age_text("2026-11-21T11:57:00Z", now), "3m");
    EXPECT_EQ(age_text("2026-11-21T07:00:00Z", now), "5h");
    EXPECT_EQ(age_text("2026-11-11T12:00:00Z", now), "10d");
    EXPECT_EQ(age_text("2023-11-11T12:00:00Z", now), "3y");
    EXPECT_EQ(age_text("2026-11-21T14:00:00+02:00", now), "0s");
    EXPECT_EQ(age_text("2026-11-21T13:00:00Z", now), "0s");
    EXPECT_EQ(age_text("", now), "-");
    EXPECT_EQ(age_text("yesterday", now), "-");
    EXPECT_EQ(parse_rfc3339("2026-11-21T03:40:00.123Z")->ms, 1795232400123);
}

TEST(Ports, name_host_and_guest) {
    EXPECT_EQ(parse_port("8080:80").value(), (PortPair{"", 8080, 80, "tcp"}));
    EXPECT_EQ(parse_port("0.0.0.0:8080:80").value(), (PortPair{"0.0.0.0", 8080, 80, "tcp"}));
    EXPECT_EQ(parse_port("[::1]:53:53/udp").value(), (PortPair{"::1", 53, 53, "udp"}));
    EXPECT_EQ(parse_port("80").value(), (PortPair{"", 0, 80, "tcp"}));
    EXPECT_EQ(parse_port(":80").value(), (PortPair{"", 0, 80, "tcp"}));
    for (std::string_view bad : {"", ":", "80:0", "70000:80", "80:80/sctp", "a:80"})
        EXPECT_FALSE(parse_port(bad)) << bad;
}

TEST(Table, aligns_its_columns) {
    Table table({{"NAME"}, {"CPUS", true}, {"NOTE", false, true}, {"PHASE"}});
    table.row({"web-1", "2", "x", {"running", Tint::kGood}});
    table.row({"größer", "16", "", "failed"});
    EXPECT_EQ(table.render(false, Colours(false)),
              "NAME    CPUS  PHASE\n"
              "web-1      2  running\n"
              "größer    16  failed\n");
    EXPECT_EQ(table.render(true, Colours(false)),
              "NAME    CPUS  NOTE  PHASE\n"
              "web-1      2  x     running\n"
              "größer    16  -     failed\n");
    EXPECT_NE(table.render(false, Colours(true)).find("\033[32mrunning\033[0m"), std::string::npos);
}

TEST(Table, text_of_a_guest_cannot_drive_the_terminal) {
    Table table({{"MESSAGE"}});
    table.row({"\033]0;owned\007 gone\nwrong"});
    EXPECT_EQ(table.render(false, Colours(false)), "MESSAGE\n?]0;owned? gone wrong\n");
}

TEST(Diff, shows_changed_lines_in_their_surroundings) {
    auto lines = diff_lines("a\nb\nc\nd\ne\nf\ng\nh\n", "a\nb\nc\nd\nE\nf\ng\nh\ni\n", 1);
    EXPECT_EQ(render_diff(lines, Colours(false)), "  d\n- e\n+ E\n  f\n  ...\n  h\n+ i\n");
    EXPECT_TRUE(diff_lines("same\n", "same\n").empty());
    EXPECT_EQ(render_diff(diff_lines("", "x\n"), Colours(true)), "\033[32m+ x\033[0m\n");
}

TEST(Logs, the_last_lines_are_found) {
    EXPECT_EQ(last_lines("a\nb\nc\n", 2), "b\nc\n");
    EXPECT_EQ(last_lines("a\nb\nc", 1), "c");
    EXPECT_EQ(last_lines("a\n", 5), "a\n");
    EXPECT_EQ(last_lines("", 5), "");
    EXPECT_EQ(last_lines("a\nb\n", 0), "");
    EXPECT_EQ(last_lines("\n\n", 1), "\n");
}

TEST(Logs, following_shows_each_byte_once) {
    EXPECT_EQ(new_part("abc", "abcdef"), "def");
    EXPECT_EQ(new_part("abc", "abc"), "");
    EXPECT_EQ(new_part("abcdef", "defghi"),
              "defghi");  // the log was cut and goes on elsewhere: shown again rather than lost
    EXPECT_EQ(new_part("", "abc"), "abc");
    std::string long_log(10'000, 'x');
    for (std::size_t i = 0; i < long_log.size(); ++i)
        long_log[i] = static_cast<char>('a' + (i * i) % 23);
    EXPECT_EQ(new_part(long_log, long_log.substr(3000) + "new"), "new");
}

TEST(Logs, a_guest_does_not_drive_the_terminal) {
    EXPECT_EQ(printable_page("a\tb\r\n\033[1;31mred\033[0m\b"), "a\tb\r\n\033[1;31mred\033[0m\b");
    EXPECT_EQ(printable_page("/ # \033[6n"), "/ # ");  // what is the cursor's place?
    EXPECT_EQ(printable_page("\033]0;title\a-\033]0;t\033\\-"), "--");  // the window's title
    EXPECT_EQ(printable_page("\033]0;no end\nnext line"), "\nnext line");
    EXPECT_EQ(printable_page("\033[2J\033c\033P1$r\033\\x\a\x7f"), "x");
    EXPECT_EQ(printable_page("\xc2\x9b"
                             "6n \xc3\xa4"),
              "6n \xc3\xa4");  // CSI in one character
    EXPECT_EQ(printable_page("cut \033["), "cut ");
    EXPECT_EQ(printable_page("cut \033"), "cut ");
    EXPECT_EQ(printable_page("cut \xc2"), "cut ");  // the next page begins with "\x9b"
    EXPECT_EQ(printable("\033[6n\xc2\x9b"
                        "6n\tä"),
              "?[6n?6n ä");
}

TEST(Progress, fits_its_line) {
    EXPECT_EQ(progress_line("demo.qcow2", 512 << 20, 1 << 30, seconds(8), 80),
              "demo.qcow2  [####################....................]   50%  512M/1G  64M/s");
    EXPECT_EQ(progress_line("a-very-long-name-of-a-disk.qcow2", 0, 100, seconds(0), 50),
              "a-very-long-name-of-a-disk.qcow2    0%  0B/100B  0B/s");
}

}  // namespace
}  // namespace blixard::cli
