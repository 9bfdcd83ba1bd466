#include "api/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/test_api.h"

namespace blixard::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The lines "id type name" of a stream, in order.
std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::string id, type;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = text.find('\n', at);
        const std::string line = text.substr(at, end - at);
        at = end + 1;
        if (line.starts_with("id: ")) id = line.substr(4);
        if (line.starts_with("event: ")) type = line.substr(7);
        if (!line.starts_with("data: ")) continue;
        const auto name = model::select_member(line.substr(6), "name");
        lines.push_back(id + " " + type + " " + (name ? *name : ""));
    }
    return lines;
}

std::string last_id(const std::string& text) {
    const std::size_t at = text.rfind("id: ");
    return text.substr(at + 4, text.find('\n', at) - at - 4);
}

class EventsTest : public testing::Test {
 protected:
    EventsTest() { t.add_image("debian", 100); }

    std::shared_ptr<TestClient> open(std::string query = {}, std::string last_event_id = {}) {
        Request request = TestApi::request("GET", "/v1/events" + query);
        request.last_event_id = std::move(last_event_id);
        const auto client = t.send(std::move(request));
        t.settle();
        return client;
    }
    void create(const std::string& name) {
        t.ask("POST", "/v1/vms", R"({"name":")" + name + R"(","spec":{"image":"debian"}})");
        t.settle();
    }
    TestApi t;
};

TEST_F(EventsTest, what_happens_is_told_with_its_document) {
    const auto client = open();
    EXPECT_EQ(client->answer->content_type, "text/event-stream");
    create("web");
    t.place("web", "n1");
    t.report("web", "n1", model::Phase::kRunning, "hello");
    const std::string made = t.ask("GET", "/v1/volumes/web-root").at("revision");
    EXPECT_THAT(lines_of(client->stream->text),
                ElementsAre(made + "-0 volume.created \"web-root\"", made + " vm.created \"web\"",
                            testing::EndsWith("vm.placement \"web\""),
                            testing::EndsWith("vm.status \"web\"")));
    EXPECT_THAT(client->stream->text,
                HasSubstr(R"("phase":"running","message":"hello","document":{)"));
    t.ask("DELETE", "/v1/vms/web?force=true");
    store::Transaction gone;
    for (const char* part : {"spec", "placement", "status"})
        gone.deletes.push_back(model::vm_key("default", "web", part));
    t.store.commit(gone, [](const Result<store::Committed>&) {});
    t.settle();
    EXPECT_THAT(lines_of(client->stream->text).back(), HasSubstr("vm.deleted"));
}

TEST_F(EventsTest, a_filter_lets_through_what_was_asked_for) {
    const auto vms = open("?type=vm.");
    const auto other = open("?name=other");
    t.put(model::project_key("q"), model::to_json(model::Project{}));
    const auto project = open("?project=q");
    create("web");
    create("other");
    EXPECT_EQ(lines_of(vms->stream->text).size(), 2u);
    EXPECT_EQ(lines_of(other->stream->text).size(), 1u);
    EXPECT_EQ(lines_of(project->stream->text).size(), 0u);
}

TEST_F(EventsTest, a_stream_that_could_only_be_silent_is_refused) {
    const std::string before = std::to_string(t.view.current()->revision);
    const Answer no_project = TestApi::read(*open("?project=nope")->answer);
    EXPECT_EQ(no_project.status, 404);
    EXPECT_THAT(no_project.body, HasSubstr(R"(there is no project \"nope\" here)"));
    EXPECT_EQ(open("?project=default")->answer->status, 200);
    EXPECT_EQ(open("?project=*")->answer->status, 200);
    // What was in a project that has gone can still be read.
    EXPECT_EQ(open("?project=nope", before)->answer->status, 200);

    const Answer no_type = TestApi::read(*open("?type=vms.")->answer);
    EXPECT_EQ(no_type.status, 400);
    EXPECT_THAT(no_type.body, HasSubstr("types are KIND.WHAT, as vm.status; kinds: vm, node"));
    for (const char* type : {"vm", "vm.", "node.lease", "node.lost", "failover.created", ""})
        EXPECT_EQ(open(std::string("?type=") + type)->answer->status, 200) << type;
}

// Everything one client saw, over however many connections, is what an unbroken one saw.
TEST_F(EventsTest, a_client_that_comes_again_loses_and_repeats_nothing) {
    const auto unbroken = open();
    std::string seen, id = last_id(open()->stream->text);
    for (int round = 0; round < 12; ++round) {
        create("a-" + std::to_string(round));
        const auto client = open("", id);
        create("b-" + std::to_string(round));
        // Cut off in the middle: between any two events, also those of one transaction.
        std::string text = client->stream->text;
        const std::size_t events = lines_of(text).size();
        for (std::size_t cut = 1 + round % events; lines_of(text).size() > cut;)
            text.resize(text.rfind("\nid: ") + 1);
        client->stream->left();
        seen += text;
        id = last_id(text);
    }
    seen += open("", id)->stream->text;
    EXPECT_EQ(lines_of(seen), lines_of(unbroken->stream->text));
    EXPECT_EQ(lines_of(seen).size(), 48u);
}

TEST_F(EventsTest, what_the_ring_no_longer_has_comes_out_of_the_store) {
    const std::string id = std::to_string(t.view.current()->revision);
    for (int i = 0; i < 20; ++i) create("vm-" + std::to_string(i));  // nobody listens: no ring
    const auto client = open("?type=vm.", id);
    t.loop.run_for(seconds(1));
    create("last");
    EXPECT_EQ(lines_of(client->stream->text).size(), 21u);
    EXPECT_THAT(lines_of(client->stream->text).back(), HasSubstr("\"last\""));
}

TEST_F(EventsTest, what_is_no_longer_kept_is_said_before_the_stream_begins) {
    create("web");
    create("other");
    t.store.compact(t.view.current()->revision, [](const Result<store::Revision>&) {});
    t.settle();
    const Answer gone = TestApi::read(*open("?from=1")->answer);
    EXPECT_EQ(gone.status, 410);
    EXPECT_EQ(gone.at("code"), "\"compacted\"");
    EXPECT_THAT(gone.body, HasSubstr("read the lists anew"));
    EXPECT_EQ(TestApi::read(*open("?from=999999")->answer).status, 400);
    EXPECT_EQ(TestApi::read(*open("?from=x")->answer).status, 400);
}

TEST_F(EventsTest, a_slow_reader_is_dropped_and_the_others_go_on) {
    const auto slow = open();
    const auto quick = open();
    slow->stream->bound = slow->stream->text.size() + 10;
    create("web");
    EXPECT_EQ(t.api->event_streams(), 1u);
    create("other");
    EXPECT_EQ(lines_of(quick->stream->text).size(), 4u);
    quick->stream->left();
    t.settle();
    EXPECT_EQ(t.api->event_streams(), 0u);
}

TEST_F(EventsTest, a_quiet_stream_is_kept_alive) {
    const auto client = open("?name=nothing");
    create("web");
    t.loop.run_for(seconds(16));
    EXPECT_THAT(client->stream->text, HasSubstr(": keep-alive\n"));
    EXPECT_EQ(last_id(client->stream->text), std::to_string(t.view.current()->revision));
}

TEST(EventPlace, is_written_and_read_and_nothing_else_passes_for_one) {
    EXPECT_EQ(to_text({57}), "57");
    EXPECT_EQ(to_text({57, 2}), "57-2");
    EXPECT_EQ(parse_event_place("57-2"), (EventPlace{57, 2}));
    EXPECT_LT((EventPlace{57, 2}), (EventPlace{57}));
    for (const char* bad : {"", "-1", "57-", "57-x", "57 ", "x", "99999999999999999999"})
        EXPECT_EQ(parse_event_place(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace blixard::api
