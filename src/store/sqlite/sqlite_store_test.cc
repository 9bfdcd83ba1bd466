#include "store/sqlite/sqlite_store.h"

#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "store/conformance.h"
#include "store/temp_dir.h"

namespace blixard::store {
namespace {

class SqliteSubject final : public Subject {
 public:
    SqliteSubject() {
        auto opened = SqliteStore::open(dir_.file("store.db"), loop_, loop_);
        EXPECT_TRUE(opened) << describe(opened.error());
        if (opened) store_ = std::move(*opened);
    }
    ~SqliteSubject() override {
        store_.reset();
        loop_.run_for(Millis{0});
    }
    TestLoop& loop() override { return loop_; }
    Store& store() override { return *store_; }

 private:
    TempDir dir_;
    TestLoop loop_{TestTime::kReal};
    std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(sqlite, StoreConformance, testing::Values(SubjectFactory([] {
                             return std::make_unique<SqliteSubject>();
                         })));

class SqliteFile : public testing::Test {
 protected:
    Result<std::unique_ptr<Store>> try_open() { return SqliteStore::open(path_, loop_, loop_); }
    void open() {
        store_.reset();
        auto opened = try_open();
        ASSERT_TRUE(opened) << describe(opened.error());
        store_ = std::move(*opened);
    }
    template <class T, class Call>
    Result<T> wait(Call call) {
        std::optional<Result<T>> answer;
        call([&answer](Result<T> result) { answer = std::move(result); });
        EXPECT_TRUE(loop_.run_until([&] { return answer.has_value(); }));
        return answer ? std::move(*answer) : fail(ErrorCode::kTimeout, "no answer");
    }
    Result<Committed> put(std::string key, std::string value, LeaseId lease = 0) {
        return wait<Committed>(
            [&](auto done) { store_->commit({.puts = {{key, value, lease}}}, done); });
    }
    void put_many(int count, const std::function<Put(int)>& make) {
        int answered = 0;
        for (int i = 0; i < count; ++i) {
            store_->commit({.puts = {make(i)}},
                           [&](Result<Committed> result) { answered += result.has_value(); });
        }
        EXPECT_TRUE(loop_.run_until([&] { return answered == count; }));
    }
    std::vector<KeyValue> all() {
        auto result = wait<RangeResult>([&](auto done) { store_->read({}, done); });
        EXPECT_TRUE(result) << describe(result.error());
        return result ? result->items : std::vector<KeyValue>{};
    }
    void in_file(const char* sql) {
        sqlite3* handle = nullptr;
        ASSERT_EQ(sqlite3_open(path_.c_str(), &handle), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(handle);
    }

    TempDir dir_;
    std::string path_ = dir_.file("store.db");
    TestLoop loop_{TestTime::kReal};
    std::unique_ptr<Store> store_;
};

TEST_F(SqliteFile, is_as_it_was_after_it_is_opened_again) {
    open();
    put("a", "1");
    const Revision last = put("a", "2")->revision;
    open();
    ASSERT_EQ(all().size(), 1u);
    EXPECT_EQ(all()[0], (KeyValue{"a", "2", last - 1, last, 0}));
    EXPECT_EQ(put("b", "1")->revision, last + 1);
    Recorder recorder;
    store_->watch("", 1, recorder);
    loop_.run_until([&] { return recorder.changes.size() == 3; });
    EXPECT_THAT(recorder.story(0), ElementsAre("a=1@1", "a=2@2", "b=1@3"));
    store_.reset();
    ASSERT_TRUE(loop_.run_until([&] { return recorder.end.has_value(); }));
    EXPECT_EQ(recorder.end->code, ErrorCode::kUnavailable);
}

TEST_F(SqliteFile, is_for_its_owner_alone_also_one_that_was_for_all) {
    const mode_t before = ::umask(022);
    const auto modes = [this] {
        std::vector<unsigned> found;
        for (const char* companion : {"", "-wal", "-shm", ".lock"}) {
            struct stat facts{};
            EXPECT_EQ(::stat((path_ + companion).c_str(), &facts), 0) << companion;
            found.push_back(facts.st_mode & 0777);
        }
        return found;
    };
    open();
    put("a", "secret");
    EXPECT_THAT(modes(), ElementsAre(0600, 0600, 0600, 0600));
    ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
    open();
    put("a", "another");
    EXPECT_THAT(modes(), ElementsAre(0600, 0600, 0600, 0600));
    ::umask(before);
}

TEST_F(SqliteFile, is_open_in_one_place_at_a_time) {
    open();
    auto second = try_open();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(second.error().message, testing::HasSubstr("locked by another process"));
}

TEST_F(SqliteFile, of_another_program_is_refused_untouched) {
    in_file("CREATE TABLE theirs (x); PRAGMA application_id = 7");
    auto refused = try_open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(describe(refused.error()), testing::HasSubstr("another program"));
}

TEST_F(SqliteFile, of_a_newer_version_is_refused) {
    open();
    store_.reset();
    in_file("PRAGMA user_version = 99");
    auto refused = try_open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(describe(refused.error()), testing::HasSubstr("schema version 99"));
}

TEST_F(SqliteFile, that_is_no_database_is_refused) {
    std::ofstream(path_) << std::string(8192, 'x');
    auto refused = try_open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInternal);
    EXPECT_THAT(describe(refused.error()), testing::HasSubstr("not a database"));
}

TEST_F(SqliteFile, in_a_directory_that_is_not_there_is_refused) {
    path_ = dir_.file("missing/store.db");
    EXPECT_EQ(try_open().error().code, ErrorCode::kUnavailable);
}

TEST_F(SqliteFile, leases_get_their_whole_time_after_it_is_opened_again) {
    open();
    auto lease = wait<LeaseGrant>([&](auto done) { store_->grant_lease(Millis{400}, done); });
    ASSERT_TRUE(lease);
    put("a", "1", lease->id);
    loop_.run_for(Millis{300});
    open();
    const MonoTime opened = loop_.mono();
    Recorder recorder;
    store_->watch("", 2, recorder);
    ASSERT_TRUE(loop_.run_until([&] { return !recorder.changes.empty(); }));
    EXPECT_GE((loop_.mono() - opened).count, 399);
    EXPECT_THAT(recorder.story(0), ElementsAre("-a@2"));
    auto next = wait<LeaseGrant>([&](auto done) { store_->grant_lease(seconds(9), done); });
    EXPECT_GT(next->id, lease->id) << "a lease's id never comes back";
}

TEST_F(SqliteFile, compaction_makes_room_and_survives_a_restart) {
    open();
    put_many(1200, [](int i) { return Put{"k" + std::to_string(i % 3), std::to_string(i)}; });
    put("last", "1");
    auto compacted = wait<Revision>([&](auto done) { store_->compact(1200, done); });
    ASSERT_TRUE(compacted);
    open();
    EXPECT_EQ(all().size(), 4u);
    auto early = wait<RangeResult>([&](auto done) { store_->read({.at = 600}, done); });
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().code, ErrorCode::kCompacted);
    EXPECT_TRUE(wait<RangeResult>([&](auto done) { store_->read({.at = 1200}, done); }));
}

TEST_F(SqliteFile, with_a_lease_on_many_keys_loses_them_in_one_transaction) {
    open();
    auto lease = wait<LeaseGrant>([&](auto done) { store_->grant_lease(seconds(60), done); });
    put_many(300, [&](int i) { return Put{"k" + std::to_string(i), "v", lease->id}; });
    Recorder recorder;
    store_->watch("", 301, recorder);
    wait<bool>([&](auto done) { store_->revoke_lease(lease->id, done); });
    ASSERT_TRUE(loop_.run_until([&] { return recorder.changes.size() == 300; }));
    EXPECT_EQ(recorder.changes.front().item.mod_revision,
              recorder.changes.back().item.mod_revision);
    store_.reset();
    loop_.run_for(Millis{0});
}

// A tmpfs of 3 MiB; needs root.
class SmallDisk : public SqliteFile {
 protected:
    void SetUp() override {
        if (::mount("none", dir_.path().c_str(), "tmpfs", 0, "size=3m") != 0) {
            GTEST_SKIP() << "mounting a small disk needs root";
        }
        mounted_ = true;
    }
    void TearDown() override {
        store_.reset();
        if (mounted_) ::umount2(dir_.path().c_str(), MNT_DETACH);
    }
    bool mounted_ = false;
};

TEST_F(SmallDisk, full_is_said_clearly_and_over_when_there_is_room) {
    std::ofstream(dir_.file("ballast")) << std::string(1024 * 1024, 'x');
    open();
    int acknowledged = 0;
    std::optional<Error> refused;
    while (!refused && acknowledged < 1000) {
        auto result = put("k" + std::to_string(acknowledged), std::string(10'000, 'v'));
        result ? void(++acknowledged) : void(refused = result.error());
    }
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, ErrorCode::kExhausted) << describe(*refused);
    EXPECT_THAT(refused->help, testing::HasSubstr("make room"));
    EXPECT_EQ(all().size(), static_cast<std::size_t>(acknowledged)) << "reads go on";
    std::filesystem::remove(dir_.file("ballast"));
    EXPECT_TRUE(put("after", "1"));
    open();
    EXPECT_EQ(all().size(), static_cast<std::size_t>(acknowledged) + 1);
}

TEST_F(SmallDisk, full_for_one_is_not_full_for_its_smaller_neighbours) {
    std::ofstream(dir_.file("ballast")) << std::string(2'200'000, 'x');
    open();
    int answered = 0, small = 0, large = 0;
    for (int i = 0; i < 8; ++i) {
        store_->commit({.puts = {{"large" + std::to_string(i), std::string(1'000'000, 'v')}}},
                       [&](Result<Committed> result) { ++answered, large += result.has_value(); });
        store_->commit({.puts = {{"small" + std::to_string(i), "v"}}},
                       [&](Result<Committed> result) { ++answered, small += result.has_value(); });
    }
    ASSERT_TRUE(loop_.run_until([&] { return answered == 16; }));
    EXPECT_EQ(small, 8);
    EXPECT_EQ(large, 0);
    EXPECT_EQ(all().size(), static_cast<std::size_t>(small + large));
}

}  // namespace
}  // namespace blixard::store
