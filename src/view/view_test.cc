#include "view/view.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <span>

#include "model/documents.h"
#include "view/apply.h"

namespace blixard::view {
namespace {

struct Item {
    std::string key;
    int number = 0;
};

RC_GTEST_PROP(PersistentMap, behaves_like_a_map_and_old_copies_never_change,
              (const std::vector<std::pair<bool, std::uint16_t>>& changes)) {
    PersistentMap<Item> map;
    std::map<std::string, int> expected;
    std::vector<std::pair<PersistentMap<Item>, std::map<std::string, int>>> copies;
    const auto check = [](const PersistentMap<Item>& found,
                          const std::map<std::string, int>& wanted) {
        RC_ASSERT(found.size() == wanted.size());
        auto next = wanted.begin();
        found.for_each([&](const std::shared_ptr<const Item>& item) {
            RC_ASSERT(next != wanted.end());
            RC_ASSERT(item->key == next->first);
            RC_ASSERT(item->number == next->second);
            ++next;
        });
    };
    int number = 0;
    for (const auto& [erase, raw] : changes) {
        const std::string key = std::to_string(raw % 500);
        if (erase) {
            RC_ASSERT(map.erase(key) == (expected.erase(key) > 0));
        } else {
            map.put(std::make_shared<Item>(Item{key, ++number}));
            expected[key] = number;
        }
        if (number % 7 == 0 && copies.size() < 20) copies.emplace_back(map, expected);
    }
    check(map, expected);
    for (const auto& [copy, wanted] : copies) check(copy, wanted);
}

TEST(PersistentMap, holds_many_and_loses_many) {
    PersistentMap<Item> map;
    for (int i = 0; i < 20000; ++i)
        map.put(std::make_shared<Item>(Item{std::to_string(i * 7919 % 20000), i}));
    EXPECT_EQ(map.size(), 20000u);
    const PersistentMap<Item> full = map;
    for (int i = 0; i < 20000; ++i) {
        if (i % 100 != 0) {
            EXPECT_TRUE(map.erase(std::to_string(i)));
        }
    }
    EXPECT_EQ(map.size(), 200u);
    EXPECT_EQ(full.size(), 20000u);
    EXPECT_NE(full.find("19999"), nullptr);
    EXPECT_EQ(map.find("19999"), nullptr);
    EXPECT_NE(map.find("19900"), nullptr);
}

// Keys that share long beginnings, end within them, or differ far behind: all that a node's heads
// can be wrong about.
RC_GTEST_PROP(PersistentMap, finds_and_scans_keys_with_common_beginnings,
              (const std::vector<std::pair<bool, std::vector<std::uint8_t>>>& changes)) {
    PersistentMap<Item> map;
    std::set<std::string> expected;
    const auto key_of = [](const std::vector<std::uint8_t>& parts) {
        constexpr std::string_view kParts[] = {"a", "default/", "web-0000", "\xff\xff\xff\xff\xff",
                                               "b"};
        std::string key;
        for (const std::uint8_t part : parts) key += kParts[part % 5];
        return key;
    };
    for (const auto& [erase, parts] : changes)
        for (int i = 0; i < 40; ++i) {
            const std::string key = key_of(parts) + std::to_string(i * 37 % 40);
            if (erase) {
                RC_ASSERT(map.erase(key) == (expected.erase(key) > 0));
            } else {
                map.put(std::make_shared<Item>(Item{key, 0}));
                expected.insert(key);
            }
        }
    for (const auto& [erase, parts] : changes) {
        const std::string key = key_of(parts);
        RC_ASSERT((map.find(key) != nullptr) == expected.contains(key));
        std::vector<std::string> seen;
        map.scan(key, [&](const auto& item) { return seen.push_back(item->key), true; });
        RC_ASSERT(seen == std::vector<std::string>(expected.lower_bound(key), expected.end()));
    }
    for (const std::string& key : expected) RC_ASSERT(map.find(key)->key == key);
}

TEST(PersistentMap, scans_from_a_key_and_by_prefix) {
    PersistentMap<Item> map;
    for (const char* key : {"a/1", "a/2", "ab/1", "b/1"})
        map.put(std::make_shared<Item>(Item{key, 0}));
    std::string seen;
    map.scan_prefix("a/", [&](const auto& item) { return seen += item->key + " ", true; });
    EXPECT_EQ(seen, "a/1 a/2 ");
    seen.clear();
    map.scan("a/2", [&](const auto& item) { return seen += item->key + " ", true; });
    EXPECT_EQ(seen, "a/2 ab/1 b/1 ");
}

store::KeyValue item(std::string key, std::string value, Revision revision) {
    return {.key = std::move(key),
            .value = std::move(value),
            .create_revision = revision,
            .mod_revision = revision};
}

TEST(Apply, joins_the_document_of_a_vm_from_its_three_records) {
    Snapshot state;
    NullLog log;
    model::VmRecord record;
    record.uid = "u1";
    record.spec.image = "demo";
    apply_change(state, item("vms/default/web/spec", model::to_json(record), 3), false, log);
    const VmEntry* vm = state.vms.find("default/web");
    ASSERT_NE(vm, nullptr);
    EXPECT_EQ(vm->phase, model::Phase::kPending);
    EXPECT_TRUE(vm->document.starts_with(
        R"({"kind":"vm","project":"default","name":"web","revision":3,"phase":"pending","schema":1,"uid":"u1")"))
        << vm->document;

    apply_change(state,
                 item("vms/default/web/placement", R"({"uid":"u1","node":"n1","epoch":1})", 4),
                 false, log);
    apply_change(state,
                 item("vms/default/web/status",
                      R"({"uid":"u1","phase":"running","node":"n1","epoch":1})", 5),
                 false, log);
    vm = state.vms.find("default/web");
    EXPECT_EQ(vm->phase, model::Phase::kRunning);
    EXPECT_EQ(vm->slice(vm->status_bytes),
              R"({"uid":"u1","phase":"running","node":"n1","epoch":1})");
    EXPECT_TRUE(
        vm->document.ends_with(R"("placement":{"uid":"u1","node":"n1","epoch":1},"status":)" +
                               std::string(vm->slice(vm->status_bytes)) + "}"));
    int on_node = 0;
    state.for_each_vm_on("n1", [&](const VmEntry&) {
        ++on_node;
        return true;
    });
    EXPECT_EQ(on_node, 1);
    EXPECT_EQ(state.counts.by_phase[static_cast<int>(model::Phase::kRunning)], 1);

    for (const char* part : {"spec", "placement", "status"})
        apply_change(state, item(std::string("vms/default/web/") + part, "", 6), true, log);
    EXPECT_TRUE(state.vms.empty());
    EXPECT_TRUE(state.vms_by_node.empty());
    EXPECT_TRUE(state.vms_by_use.empty());
    EXPECT_TRUE(state.project_use.empty());
    EXPECT_EQ(state.counts.vms, 0);
}

TEST(Apply, vms_are_found_by_the_image_and_the_volumes_that_they_name) {
    Snapshot state;
    NullLog log;
    const auto put = [&](const std::string& name, const std::string& spec, store::Revision at) {
        apply_change(
            state, item("vms/default/" + name + "/spec", R"({"uid":"u","spec":)" + spec + "}", at),
            false, log);
    };
    const auto users = [&](const std::string& use) {
        std::string names;
        state.for_each_vm_using(use, [&](const VmEntry& vm) { names += vm.key + " "; });
        return names;
    };
    put("a", R"({"image":"demo","disks":[{"name":"data","volume":"shared"},{"name":"own"}]})", 1);
    put("b", R"({"image":"demo","disks":[{"name":"data","volume":"shared"}]})", 2);
    EXPECT_EQ(users("image/demo"), "default/a default/b ");
    EXPECT_EQ(users("volume/default/shared"), "default/a default/b ");
    EXPECT_EQ(users("volume/default/a-own"), "default/a ");
    EXPECT_EQ(users("volume/default/sha"), "") << "a name is not a prefix";

    put("a", R"({"image":"other","disks":[{"name":"own"}]})", 3);
    EXPECT_EQ(users("image/demo"), "default/b ");
    EXPECT_EQ(users("image/other"), "default/a ");
    EXPECT_EQ(users("volume/default/shared"), "default/b ");
    EXPECT_EQ(users("volume/default/a-own"), "default/a ");

    apply_change(state, item("vms/default/b/spec", "", 4), true, log);
    EXPECT_EQ(users("image/demo"), "");
    EXPECT_EQ(users("volume/default/shared"), "");
}

TEST(Apply, a_status_of_an_older_placement_does_not_count) {
    Snapshot state;
    NullLog log;
    apply_change(state, item("vms/default/web/spec", R"({"uid":"u1","spec":{"image":"demo"}})", 1),
                 false, log);
    apply_change(state,
                 item("vms/default/web/status",
                      R"({"uid":"u1","phase":"running","node":"n1","epoch":1})", 2),
                 false, log);
    apply_change(state,
                 item("vms/default/web/placement", R"({"uid":"u1","node":"n2","epoch":2})", 3),
                 false, log);
    EXPECT_EQ(state.vms.find("default/web")->phase, model::Phase::kScheduled);
}

// The state read anew has its keys in the order of their names, not of their revisions.
TEST(Apply, a_volumes_revision_does_not_depend_on_the_order_of_its_records) {
    const auto spec = item("volumes/default/v/spec", R"({"uid":"v1","size_mib":1})", 7);
    const auto status = item("volumes/default/v/status", R"({"uid":"v1","state":"ready"})", 5);
    NullLog log;
    Snapshot watched, read;
    apply_change(watched, status, false, log);
    apply_change(watched, spec, false, log);
    apply_change(read, spec, false, log);
    apply_change(read, status, false, log);
    EXPECT_EQ(watched.volumes.find("default/v")->revision, 7);
    EXPECT_EQ(read.volumes.find("default/v")->revision, 7);
}

TEST(Apply, a_host_that_has_a_lease_again_has_lost_none) {
    Snapshot state;
    NullLog log;
    apply_change(state, item("nodes/h1/spec", R"({"uid":"n1"})", 1), false, log);
    apply_change(state, item("nodes/h1/lease", R"({"uid":"n1"})", 2), false, log);
    apply_change(state, item("nodes/h1/lease", "", 3), true, log);
    EXPECT_EQ(state.nodes.find("h1")->lease_gone_revision, 3);
    apply_change(state, item("nodes/h1/lease", R"({"uid":"n1"})", 4), false, log);
    EXPECT_EQ(state.nodes.find("h1")->lease_gone_revision, 0);
}

// What a daemon reads at its start, whatever its pages cut apart, is what its watch would have
// told.
TEST(Apply, a_state_read_whole_is_as_one_that_was_told_key_by_key) {
    NullLog log;
    const std::vector<store::KeyValue> items = {
        item("images/demo", R"({"uid":"i1","name":"demo"})", 1),
        item("vms/default/a/note", "not of this version", 9),
        item("vms/default/a/placement", R"({"uid":"u1","node":"n1","epoch":1})", 4),
        item("vms/default/a/spec", R"({"schema":1,"uid":"u1","spec":{"image":"demo"}})", 3),
        item("vms/default/a/spec/more", "not of this version", 9),
        item("vms/default/a/status", R"({"uid":"u1","phase":"running","node":"n1","epoch":1})", 5),
        item("vms/default/ab/spec", R"({"schema":1,"uid":"u2","spec":{"image":"demo"}})", 6),
        item("vms/default/ab/status", "}", 7),
        item("vms/other/a/placement", R"({"uid":"u3","node":"n1","epoch":1})", 8),
    };
    Snapshot told;
    for (const store::KeyValue& one : items) apply_change(told, one, false, log);
    for (std::size_t cut = 0; cut <= items.size(); ++cut) {
        SCOPED_TRACE(cut);
        Snapshot read;
        apply_items(read, std::span(items).first(cut), log);
        apply_items(read, std::span(items).subspan(cut), log);
        ASSERT_EQ(read.vms.size(), 3u);
        told.vms.for_each([&](const std::shared_ptr<const VmEntry>& wanted) {
            const VmEntry* vm = read.vms.find(wanted->key);
            ASSERT_NE(vm, nullptr);
            EXPECT_EQ(vm->document, wanted->document);
            EXPECT_EQ(vm->slice(vm->record_bytes), wanted->slice(wanted->record_bytes));
            EXPECT_EQ(vm->not_understood, wanted->not_understood);
            EXPECT_EQ(vm->revision, wanted->revision);
        });
        EXPECT_EQ(read.vms_by_node.size(), 2u);
        EXPECT_EQ(read.vms_by_use.size(), 2u);
        EXPECT_EQ(*read.project_use.find("default"), *told.project_use.find("default"));
        EXPECT_TRUE(std::ranges::equal(read.counts.by_phase, told.counts.by_phase));
        EXPECT_EQ(read.images.size(), 1u);
    }
    EXPECT_TRUE(
        told.vms.find("default/a")
            ->document.starts_with(
                R"({"kind":"vm","project":"default","name":"a","revision":5,"phase":"running","schema":1,)"));
}

// A store that answers reads by two keys, when the test says so, and is asked for nothing else.
class TwoKeysAPage final : public store::Store {
 public:
    explicit TwoKeysAPage(std::vector<store::KeyValue> items) : items_(std::move(items)) {}

    void read(store::Range range, Callback<store::RangeResult> done) override {
        asked.push_back(range);
        waiting.push_back([this, range, done = std::move(done)] {
            store::RangeResult page{.revision = 7};
            for (const store::KeyValue& one : items_) {
                if (one.key <= range.after) continue;
                page.more = page.items.size() == 2;
                if (page.more) break;
                page.items.push_back(one);
            }
            done(std::move(page));
        });
    }
    store::WatchId watch(std::string, Revision from, store::WatchHandler&) override {
        watched_from = from;
        return 1;
    }
    void unwatch(store::WatchId) override {}
    void commit(store::Transaction, Callback<store::Committed>) override {}
    void current_revision(Callback<Revision>) override {}
    void grant_lease(Millis, Callback<store::LeaseGrant>) override {}
    void renew_lease(store::LeaseId, Callback<store::LeaseGrant>) override {}
    void revoke_lease(store::LeaseId, Callback<bool>) override {}
    void compact(Revision, Callback<Revision>) override {}

    std::vector<store::Range> asked;
    std::vector<std::function<void()>> waiting;
    Revision watched_from = 0;

 private:
    const std::vector<store::KeyValue> items_;
};

struct NoTime final : Executor, Clock {
    void post(std::function<void()> task) override { task(); }
    TimerId after(Millis, std::function<void()>) override { return 0; }
    void cancel(TimerId) override {}
    MonoTime mono() const override { return {}; }
    WallTime wall() const override { return {}; }
};

TEST(View, reads_its_state_page_after_page_at_one_revision_and_watches_from_there) {
    TwoKeysAPage store(
        {item("vms/default/a/placement", R"({"uid":"u1","node":"n1","epoch":1})", 4),
         item("vms/default/a/spec", R"({"uid":"u1","spec":{"image":"demo"}})", 3),
         item("vms/default/a/status", R"({"uid":"u1","phase":"running","node":"n1","epoch":1})", 5),
         item("vms/default/b/spec", R"({"uid":"u2","spec":{"image":"demo"}})", 6),
         item("vms/default/c/spec", R"({"uid":"u3","spec":{"image":"demo"}})", 7)});
    NoTime loop;
    NullLog log;
    View view(store, loop, loop, log);
    bool ready = false;
    view.start([&](const Status&) { ready = true; });
    for (std::size_t page = 0; page < store.waiting.size(); ++page) {
        EXPECT_FALSE(ready);
        const auto answer = store.waiting[page];  // asks for the next one meanwhile
        answer();
    }
    EXPECT_TRUE(ready);
    ASSERT_EQ(store.asked.size(), 3u);
    EXPECT_EQ(store.asked[0].at, 0);
    EXPECT_EQ(store.asked[1].after, "vms/default/a/spec");
    EXPECT_EQ(store.asked[1].at, 7);
    EXPECT_EQ(store.asked[2].after, "vms/default/b/spec");
    EXPECT_EQ(store.asked[2].at, 7);
    EXPECT_EQ(store.watched_from, 8);
    EXPECT_EQ(view.current()->revision, 7);
    EXPECT_EQ(view.current()->vms.size(), 3u);
    EXPECT_EQ(view.current()->vms.find("default/a")->phase, model::Phase::kRunning);
}

}  // namespace
}  // namespace blixard::view
