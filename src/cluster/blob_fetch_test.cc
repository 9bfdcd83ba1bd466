#include "cluster/blob_fetch.h"

#include <gtest/gtest.h>

#include "cluster/test_cluster_files.h"
#include "os/event_loop.h"

namespace blixard::cluster {
namespace {

// sha256sum of 10,000,000 times "x".
constexpr const char* kSha = "0c9a42b3d065a64063eca67e98c932fa2e9a077bc7973a421a964a11304c998c";
constexpr std::size_t kBlobBytes = 10'000'000;  // three parts

// Hosts that answer from memory, counted.
struct Hosts {
    std::map<std::string, std::string> blob;  // by host; absent: it lacks it
    std::set<std::string> down;
    std::map<std::string, int> asked;
    int parts_until_down = -1;  // then everybody is down

    void answer(const std::string& name, std::uint64_t offset, std::uint64_t length,
                const Callback<BlobPart>& done) {
        ++asked[name];
        if (parts_until_down == 0) return done(fail(ErrorCode::kDenied, "the line broke"));
        if (parts_until_down > 0) --parts_until_down;
        if (down.contains(name)) return done(fail(ErrorCode::kDenied, "it is down"));
        const auto found = blob.find(name);
        if (found == blob.end()) return done(fail(ErrorCode::kNotFound, "no such blob"));
        done(BlobPart{found->second.substr(offset, length), found->second.size()});
    }
};

class BlobFetchTest : public testing::Test {
 protected:
    BlobFetchTest() { make_fetcher(); }

    void make_fetcher() {
        fetcher_ = std::make_unique<BlobFetcher>(
            BlobFetcher::Deps{
                .executor = loop_,
                .clock = clock_,
                .log = log_,
                .workers = workers_,
                .ask =
                    [this](const std::string& name, const std::string&, std::uint64_t offset,
                           std::uint64_t length, Callback<BlobPart> done) {
                        loop_.post([this, name, offset, length, done] {
                            hosts_.answer(name, offset, length, done);
                        });
                    },
                .keep = [this](const std::string& path,
                               const std::string& sha) -> Result<std::string> {
                    RETURN_IF_ERROR(os::rename_file(path, directory_ / sha));
                    return directory_ / sha;
                },
                .progress = [this](const BlobProgress& progress) { progress_ = progress; }},
            directory_ / "fetches");
    }

    Result<std::string> fetch(std::vector<std::string> hosts) {
        std::optional<Result<std::string>> result;
        fetcher_->fetch(sha_, std::move(hosts), [&](Result<std::string> path) { result = path; });
        EXPECT_TRUE(loop_.run_until([&] { return result.has_value(); }, seconds(60)));
        return result.value_or(fail(ErrorCode::kTimeout, "never answered"));
    }
    std::size_t files_under_way() { return os::list_directory(directory_ / "fetches")->size(); }

    TestDirectory directory_;
    os::EventLoop loop_;
    os::SystemClock clock_;
    NullLog log_;
    os::WorkerPool workers_{2, 64};
    const std::string good_ = std::string(kBlobBytes, 'x');
    const std::string sha_ = kSha;
    Hosts hosts_;
    BlobProgress progress_;
    std::unique_ptr<BlobFetcher> fetcher_;
};

TEST_F(BlobFetchTest, a_file_comes_from_several_hosts_at_once_and_is_kept_when_it_is_whole) {
    hosts_.blob = {{"a", good_}, {"c", good_}};
    const auto path = fetch({"a", "b", "c"});
    ASSERT_TRUE(path) << path.error().message;
    EXPECT_EQ(*os::read_file(*path, kBlobBytes + 1), good_);
    EXPECT_EQ(files_under_way(), 0u);
    EXPECT_EQ(progress_.bytes_done, kBlobBytes);
    EXPECT_EQ(progress_.bytes_total, kBlobBytes);
    EXPECT_FALSE(progress_.from.contains("b"));
    EXPECT_EQ(hosts_.asked["a"] + hosts_.asked["c"], 3);
}

TEST_F(BlobFetchTest, two_who_ask_at_once_share_one_fetch) {
    hosts_.blob = {{"a", good_}};
    int answered = 0;
    for (int i = 0; i < 2; ++i)
        fetcher_->fetch(sha_, {"a"}, [&](const Result<std::string>& path) {
            EXPECT_TRUE(path);
            ++answered;
        });
    EXPECT_EQ(fetcher_->under_way(), 1u);
    ASSERT_TRUE(loop_.run_until([&] { return answered == 2; }, seconds(60)));
    EXPECT_EQ(hosts_.asked["a"], 3);
}

TEST_F(BlobFetchTest, a_break_costs_only_what_was_under_way_also_after_a_restart) {
    hosts_.blob = {{"a", good_}};
    hosts_.parts_until_down = 1;
    EXPECT_FALSE(fetch({"a"}));
    const std::string have = directory_ / "fetches/" + sha_ + ".have";
    ASSERT_TRUE(loop_.run_until([&] { return os::path_exists(have); }, seconds(60)));
    hosts_.parts_until_down = -1;
    hosts_.asked.clear();
    make_fetcher();
    const auto path = fetch({"a"});
    ASSERT_TRUE(path) << path.error().message;
    EXPECT_EQ(hosts_.asked["a"], 2);
    EXPECT_EQ(*os::read_file(*path, kBlobBytes + 1), good_);
}

TEST_F(BlobFetchTest, a_damaged_copy_is_refused_and_another_hosts_is_taken) {
    std::string damaged = good_;
    damaged[7'000'000] = 'y';
    hosts_.blob = {{"a", damaged}, {"b", good_}};
    const auto path = fetch({"a", "b"});
    ASSERT_TRUE(path) << path.error().message;
    EXPECT_EQ(*os::read_file(*path, kBlobBytes + 1), good_);
    EXPECT_EQ(progress_.from, std::set<std::string>{"b"});
}

TEST_F(BlobFetchTest, where_every_copy_is_damaged_nothing_is_kept_and_each_host_is_named) {
    std::string damaged = good_;
    damaged[0] = 'y';
    hosts_.blob = {{"a", damaged}, {"b", damaged}};
    const auto path = fetch({"a", "b"});
    ASSERT_FALSE(path);
    EXPECT_EQ(path.error().message,
              "no host could give the file: a has a damaged copy; b has a damaged copy");
    EXPECT_FALSE(os::path_exists(directory_ / sha_));
    EXPECT_EQ(files_under_way(), 0u);
}

TEST_F(BlobFetchTest, a_host_that_is_down_is_no_obstacle) {
    hosts_.blob = {{"a", good_}, {"b", good_}};
    hosts_.down = {"a"};
    EXPECT_TRUE(fetch({"a", "b"}));
    EXPECT_EQ(progress_.from, std::set<std::string>{"b"});
}

}  // namespace
}  // namespace blixard::cluster
