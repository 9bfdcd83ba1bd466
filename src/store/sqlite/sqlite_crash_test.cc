// A process that writes is killed at random moments; every write that it had acknowledged is found.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <set>

#include "base/random.h"
#include "store/sqlite/sqlite_store.h"
#include "store/temp_dir.h"
#include "store/test_loop.h"

namespace blixard::store {
namespace {

constexpr int kKills = 100;
constexpr int kWritesAtOnce = 8;

std::string key_of(int round, int number) {
    return "k/" + std::to_string(round) + "/" + std::to_string(number);
}

// Writes until killed, with some writes in flight; tells each acknowledged number through the pipe.
[[noreturn]] void write_until_killed(const std::string& path, int round, int pipe) {
    TestLoop loop(TestTime::kReal);
    auto store = SqliteStore::open(path, loop, loop);
    if (!store) ::_exit(1);
    int next = 0;
    std::function<void()> write_one = [&] {
        const int number = next++;
        Transaction transaction{
            .puts = {{key_of(round, number), std::string(100 + number % 900, 'v')},
                     {key_of(round, number) + "/twin", "v"}}};
        (*store)->commit(std::move(transaction), [&, number](Result<Committed> result) {
            if (!result || ::write(pipe, &number, sizeof number) != sizeof number) ::_exit(1);
            write_one();
        });
    };
    for (int i = 0; i < kWritesAtOnce; ++i) write_one();
    loop.run_until([] { return false; }, seconds(60));
    ::_exit(1);
}

// The acknowledged numbers of one writer that was killed after `patience` acknowledgements and
// `pause_us` more.
std::set<int> acknowledged_until_kill(const std::string& path, int round, std::uint64_t patience,
                                      std::uint64_t pause_us) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) write_until_killed(path, round, ends[1]);
    ::close(ends[1]);
    std::set<int> acknowledged;
    int number = 0;
    while (acknowledged.size() < patience &&
           ::read(ends[0], &number, sizeof number) == sizeof number) {
        acknowledged.insert(number);
    }
    ::usleep(static_cast<useconds_t>(pause_us));
    ::kill(child, SIGKILL);
    while (::read(ends[0], &number, sizeof number) == sizeof number) acknowledged.insert(number);
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
    return acknowledged;
}

std::set<std::string> stored_keys(const std::string& path, const std::string& prefix) {
    TestLoop loop(TestTime::kReal);
    auto store = SqliteStore::open(path, loop, loop);
    EXPECT_TRUE(store) << describe(store.error());
    std::optional<Result<RangeResult>> answer;
    (*store)->read({.prefix = prefix},
                   [&](Result<RangeResult> result) { answer = std::move(result); });
    EXPECT_TRUE(loop.run_until([&] { return answer.has_value(); }));
    std::set<std::string> keys;
    for (const KeyValue& item : (*answer)->items) keys.insert(item.key);
    return keys;
}

TEST(SqliteCrash, loses_no_acknowledged_write_and_halves_no_transaction) {
    TempDir dir;
    const std::string path = dir.file("store.db");
    SeededRandom random(20261121);
    std::size_t acknowledged_in_all = 0;
    for (int round = 0; round < kKills; ++round) {
        const auto acknowledged =
            acknowledged_until_kill(path, round, random.below(40), random.below(3000));
        const auto stored = stored_keys(path, "k/" + std::to_string(round) + "/");
        for (int number : acknowledged) {
            EXPECT_TRUE(stored.contains(key_of(round, number)))
                << "round " << round << " lost " << number;
        }
        EXPECT_EQ(stored.size() % 2, 0u) << "round " << round << ": a transaction was halved";
        acknowledged_in_all += acknowledged.size();
    }
    EXPECT_GT(acknowledged_in_all, 100u);
}

}  // namespace
}  // namespace blixard::store
