#include "store/etcd/etcd_store.h"

#include "store/conformance.h"
#include "store/etcd/etcd_admin.h"
#include "store/etcd/etcd_cluster.h"

namespace blixard::store {
namespace {

// One member serves all the suite's tests; each begins with no keys.
class OneMember : public testing::Environment {
 public:
    void TearDown() override { cluster_.reset(); }
    static EtcdCluster& cluster() {
        if (!cluster_) cluster_ = std::make_unique<EtcdCluster>(1);
        return *cluster_;
    }

 private:
    static inline std::unique_ptr<EtcdCluster> cluster_;
};
const auto* const kOneMember = testing::AddGlobalTestEnvironment(new OneMember);

class Client {
 public:
    explicit Client(std::vector<std::string> endpoints, Millis timeout = seconds(3)) {
        auto connected = EtcdStore::connect(
            {.endpoints = std::move(endpoints), .request_timeout = timeout}, loop_, loop_, log_);
        EXPECT_TRUE(connected) << describe(connected.error());
        store_ = std::move(*connected);
    }
    ~Client() { close(); }
    void close() {
        if (!store_) return;
        store_.reset();
        loop_.run_for(Millis{0});
    }
    TestLoop& loop() { return loop_; }
    Store& store() { return *store_; }

    template <class T, class Call>
    Result<T> wait(Call call) {
        std::optional<Result<T>> answer;
        call([&answer](Result<T> result) { answer = std::move(result); });
        EXPECT_TRUE(loop_.run_until([&] { return answer.has_value(); }));
        return answer ? std::move(*answer) : fail(ErrorCode::kTimeout, "no answer");
    }
    Result<Committed> put(const std::string& key, const std::string& value) {
        return wait<Committed>([&](auto done) { store_->commit({.puts = {{key, value}}}, done); });
    }
    Result<RangeResult> read(Range range) {
        return wait<RangeResult>([&](auto done) { store_->read(range, done); });
    }
    // Until the cluster has come up.
    void wait_until_served() {
        for (int i = 0; i < 20; ++i) {
            if (put("served", "yes")) return;
        }
        FAIL() << "the cluster does not come up";
    }
    void delete_all() {
        auto all = read({});
        ASSERT_TRUE(all) << describe(all.error());
        for (std::size_t i = 0; i < all->items.size(); i += kMaxOperations) {
            Transaction transaction;
            for (std::size_t k = i; k < std::min(i + kMaxOperations, all->items.size()); ++k) {
                transaction.deletes.push_back(all->items[k].key);
            }
            ASSERT_TRUE(wait<Committed>([&](auto done) { store_->commit(transaction, done); }));
        }
    }

 private:
    TestLoop loop_{TestTime::kReal};
    NullLog log_;
    std::unique_ptr<Store> store_;
};

class EtcdSubject final : public Subject {
 public:
    EtcdSubject() {
        client_.wait_until_served();
        client_.delete_all();
    }
    TestLoop& loop() override { return client_.loop(); }
    Store& store() override { return client_.store(); }
    Millis shortest_ttl() const override { return seconds(2); }

 private:
    Client client_{OneMember::cluster().endpoints()};
};

INSTANTIATE_TEST_SUITE_P(etcd, StoreConformance, testing::Values(SubjectFactory([] {
                             return std::make_unique<EtcdSubject>();
                         })));

TEST(EtcdStore, refuses_an_endpoint_that_is_no_host_and_port) {
    TestLoop loop(TestTime::kReal);
    NullLog log;
    for (const char* endpoint : {"http://a:1", "a", "a:"}) {
        auto refused = EtcdStore::connect({.endpoints = {endpoint}}, loop, loop, log);
        ASSERT_FALSE(refused) << endpoint;
        EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
    }
    EXPECT_FALSE(EtcdStore::connect({}, loop, loop, log));
}

TEST(EtcdStore, says_unavailable_where_nobody_listens) {
    Client client({"127.0.0.1:" + std::to_string(free_port())}, Millis{300});
    auto refused = client.put("a", "1");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable) << "it was never sent";
    EXPECT_FALSE(client.read({}));
}

TEST(EtcdStore, answers_all_that_is_outstanding_when_it_is_closed) {
    Client client({"127.0.0.1:" + std::to_string(free_port())});
    Recorder recorder;
    client.store().watch("", 1, recorder);
    int answered = 0;
    for (int i = 0; i < 200; ++i) {
        client.store().commit({.puts = {{"k" + std::to_string(i % 50), "v"}}},
                              [&](Result<Committed> result) { answered += !result; });
    }
    client.store().read({}, [&](Result<RangeResult> result) { answered += !result; });
    client.store().current_revision([&](Result<Revision> result) { answered += !result; });
    client.store().renew_lease(1, [&](Result<LeaseGrant> result) { answered += !result; });
    client.close();
    client.loop().run_until([&] { return answered == 203; }, seconds(1));
    EXPECT_EQ(answered, 203);
    EXPECT_TRUE(recorder.end);
}

TEST(EtcdStore, a_watch_goes_on_without_gap_or_repeat_after_its_member_was_killed) {
    EtcdCluster cluster(1);
    Client client(cluster.endpoints());
    client.wait_until_served();
    const Revision base = client.put("a", "0")->revision;
    Recorder recorder;
    client.store().watch("a", base + 1, recorder);
    ASSERT_TRUE(client.put("a", "1"));
    ASSERT_TRUE(client.loop().run_until([&] { return recorder.changes.size() == 1; }));
    cluster.kill(0);
    cluster.start(0);
    std::size_t acknowledged = 1;
    for (int i = 2; i < 12; ++i) acknowledged += client.put("a", std::to_string(i)).has_value();
    EXPECT_TRUE(client.loop().run_until([&] { return recorder.changes.size() >= acknowledged; }));
    std::set<Revision> revisions;
    for (const Change& change : recorder.changes) revisions.insert(change.item.mod_revision);
    EXPECT_EQ(revisions.size(), recorder.changes.size()) << "nothing came twice";
    EXPECT_EQ(recorder.changes.back().item.value, "11");
}

Result<LeaseGrant> lease_of(Client& client) {
    return client.wait<LeaseGrant>(
        [&](auto done) { client.store().grant_lease(seconds(60), done); });
}

Result<LeaseGrant> renewed(Client& client, const LeaseGrant& lease) {
    return client.wait<LeaseGrant>([&](auto done) { client.store().renew_lease(lease.id, done); });
}

// The stream that carried the first renewal is kept, and has ended with the member.
TEST(EtcdStore, a_lease_is_renewed_again_after_its_member_was_restarted) {
    EtcdCluster cluster(1);
    Client client(cluster.endpoints());
    client.wait_until_served();
    const auto lease = lease_of(client);
    ASSERT_TRUE(lease) << describe(lease.error());
    const auto renew = [&] { return renewed(client, *lease); };
    EXPECT_TRUE(renew());
    EXPECT_TRUE(renew()) << "by the same stream";
    cluster.kill(0);
    cluster.start(0);
    client.wait_until_served();
    const auto renewed = renew();
    EXPECT_TRUE(renewed) << describe(renewed.error());
    const auto refused =
        client.wait<LeaseGrant>([&](auto done) { client.store().renew_lease(999, done); });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
}

TEST(EtcdStore, renewals_at_once_are_answered_each_for_its_own_lease) {
    Client client(OneMember::cluster().endpoints());
    client.wait_until_served();
    std::vector<LeaseId> leases;
    for (int i = 0; i < 40; ++i)
        leases.push_back(client
                             .wait<LeaseGrant>([&](auto done) {
                                 client.store().grant_lease(seconds(60 + i), done);
                             })
                             ->id);
    for (int round = 0; round < 3; ++round) {
        int answered = 0;
        for (std::size_t i = 0; i < leases.size(); ++i)
            client.store().renew_lease(leases[i], [&, i](Result<LeaseGrant> renewed) {
                ++answered;
                ASSERT_TRUE(renewed);
                EXPECT_EQ(renewed->ttl, seconds(60 + static_cast<std::int64_t>(i)));
            });
        ASSERT_TRUE(client.loop().run_until([&] { return answered == 40; }));
    }
}

TEST(EtcdStore, a_lease_not_found_by_one_is_no_matter_to_its_neighbours) {
    Client client(OneMember::cluster().endpoints());
    client.wait_until_served();
    client.delete_all();
    int succeeded = 0, refused = 0, answered = 0;
    for (int i = 0; i < 60; ++i) {
        const LeaseId lease = i % 10 == 0 ? 999 : 0;
        client.store().commit({.puts = {{"n" + std::to_string(i), "v", lease}}},
                              [&](Result<Committed> result) {
                                  ++answered;
                                  if (result && result->succeeded) ++succeeded;
                                  if (!result && result.error().code == ErrorCode::kNotFound)
                                      ++refused;
                              });
    }
    ASSERT_TRUE(client.loop().run_until([&] { return answered == 60; }));
    EXPECT_EQ(succeeded, 54);
    EXPECT_EQ(refused, 6);
}

// Enough for several bundles; every third compares what is not so, every fiftieth is large.
TEST(EtcdStore, of_hundreds_combined_each_has_its_own_answer) {
    Client client(OneMember::cluster().endpoints());
    client.wait_until_served();
    client.delete_all();
    constexpr int kAll = 600;
    int answered = 0, wrong = 0;
    for (int i = 0; i < kAll; ++i) {
        const std::string name = "n" + std::to_string(i);
        Transaction one{.compares = {{name, i % 3 == 0 ? 7 : 0}}, .puts = {{name, "v"}}};
        for (int more = 0; i % 50 == 0 && more < 90; ++more)
            one.puts.push_back({name + "-" + std::to_string(more), "v"});
        client.store().commit(std::move(one), [&, i](Result<Committed> result) {
            ++answered;
            if (!result || result->succeeded == (i % 3 == 0)) ++wrong;
        });
    }
    ASSERT_TRUE(client.loop().run_until([&] { return answered == kAll; }));
    EXPECT_EQ(wrong, 0);
    const auto all =
        client.wait<RangeResult>([&](auto done) { client.store().read({.prefix = "n"}, done); });
    ASSERT_TRUE(all);
    int names = 0;
    for (const KeyValue& item : all->items) {
        if (item.key.find('-') == std::string::npos) ++names;
        const int number = std::stoi(item.key.substr(1));
        EXPECT_NE(number % 3, 0) << item.key << " was written though its compare failed";
    }
    EXPECT_EQ(names, kAll * 2 / 3);
    EXPECT_EQ(all->items.size(), 400u + 8 * 90) << "of twelve large ones, eight";
}

class ThreeMembers : public testing::Test {
 protected:
    int leader() {
        for (int i = 0; i < 3; ++i) {
            auto status = admin_.status(cluster_.endpoint(i));
            if (status && status->id == status->leader) return i;
        }
        return -1;
    }
    // Writes k1.. until `count` were acknowledged; what is refused or unknown is written again
    // under the same key.
    void write(Client& client, int count) {
        int failures = 0;
        for (int i = 0; i < count && failures < 100; ++i) {
            if (client.put("k" + std::to_string(i), std::to_string(i))) continue;
            --i;
            ++failures;
        }
        EXPECT_LT(failures, 100) << "writing did not go on";
    }

    EtcdCluster cluster_{3, false, {"--heartbeat-interval", "50", "--election-timeout", "500"}};
    EtcdAdmin admin_{{.endpoints = cluster_.endpoints(), .request_timeout = Millis{500}}};
};

TEST_F(ThreeMembers, writes_and_watches_survive_the_leaders_kill_and_its_hanging) {
    Client client(cluster_.endpoints(), Millis{1500});
    client.wait_until_served();
    Recorder recorder;
    client.store().watch("k", 1, recorder);
    write(client, 20);
    const int first = leader();
    ASSERT_GE(first, 0);
    cluster_.kill(first);
    write(client, 40);
    cluster_.start(first);
    int second = -1;
    client.loop().run_until([&] { return (second = leader()) >= 0; });
    ASSERT_GE(second, 0);
    cluster_.signal(second, SIGSTOP);
    write(client, 60);
    EXPECT_TRUE(client.loop().run_until([&] {
        return !recorder.changes.empty() && recorder.changes.back().item.key == "k59";
    })) << "the watch goes on at another member";
    cluster_.signal(second, SIGCONT);
    EXPECT_EQ(client.read({.prefix = "k"})->items.size(), 60u);
    for (std::size_t i = 1; i < recorder.changes.size(); ++i) {
        EXPECT_LT(recorder.changes[i - 1].item.mod_revision, recorder.changes[i].item.mod_revision);
    }
}

class RenewalAndLeader : public ThreeMembers, public testing::WithParamInterface<bool> {
 protected:
    // A renewal by a follower whose leader hangs from then on.
    Result<LeaseGrant> renew_as_the_leader_hangs(bool has_renewed) {
        int hanging = -1;
        Client any(cluster_.endpoints());
        any.wait_until_served();
        any.loop().run_until([&] { return (hanging = leader()) >= 0; });
        Client client({cluster_.endpoint((hanging + 1) % 3)}, seconds(5));
        const auto lease = lease_of(client);
        if (!lease) return lease;
        const auto renew = [&] { return renewed(client, *lease); };
        if (has_renewed) {
            EXPECT_TRUE(renew());
        }
        cluster_.signal(hanging, SIGSTOP);
        auto renewed = renew();
        cluster_.signal(hanging, SIGCONT);
        return renewed;
    }
};

// A follower passes renewals on to the leader, and asks one that hangs for six seconds: longer than
// this client has. An election whose votes are split time and again may take that long by itself,
// so another one is looked at then.
TEST_P(RenewalAndLeader, a_renewal_under_way_does_not_go_down_with_the_leader_that_hangs) {
    Result<LeaseGrant> renewed = renew_as_the_leader_hangs(GetParam());
    for (int more = 0; !renewed && more < 3; ++more)
        renewed = renew_as_the_leader_hangs(GetParam());
    EXPECT_TRUE(renewed) << describe(renewed.error());
}
INSTANTIATE_TEST_SUITE_P(by_a_new_stream_and_by_a_kept_one, RenewalAndLeader, testing::Bool());

// Where the leader is known, renewals go to it directly.
TEST_F(ThreeMembers, a_renewal_does_not_go_down_with_the_leader_that_is_asked_directly) {
    int hanging = -1;
    Client any(cluster_.endpoints());
    any.wait_until_served();
    any.loop().run_until([&] { return (hanging = leader()) >= 0; });
    ASSERT_GE(hanging, 0);
    Client client({cluster_.endpoint((hanging + 1) % 3), cluster_.endpoint((hanging + 2) % 3),
                   cluster_.endpoint(hanging)},
                  seconds(5));
    client.wait_until_served();
    const auto lease = lease_of(client);
    ASSERT_TRUE(lease) << describe(lease.error());
    const auto renew = [&] { return renewed(client, *lease); };
    client.loop().run_for(seconds(1));  // until its probes have found the leader
    EXPECT_TRUE(renew());
    cluster_.signal(hanging, SIGSTOP);
    for (int i = 0; i < 3; ++i) {
        const auto renewed = renew();
        EXPECT_TRUE(renewed) << describe(renewed.error());
    }
    cluster_.signal(hanging, SIGCONT);
    EXPECT_TRUE(renew());
    cluster_.kill(hanging);
    for (int i = 0; i < 3; ++i) {
        const auto renewed = renew();
        EXPECT_TRUE(renewed) << describe(renewed.error());
    }
}

TEST_F(ThreeMembers, the_member_in_use_may_hang_and_a_majority_may_be_lost) {
    Client client(cluster_.endpoints(), Millis{1500});
    client.wait_until_served();
    cluster_.signal(0, SIGSTOP);
    write(client, 5);
    cluster_.signal(0, SIGCONT);
    cluster_.kill(1);
    cluster_.kill(2);
    for (int i = 0; i < 3; ++i) {
        auto lost = client.put("minority", "1");
        ASSERT_FALSE(lost);
        EXPECT_THAT(lost.error().code,
                    testing::AnyOf(ErrorCode::kUnavailable, ErrorCode::kUnknownOutcome));
    }
    cluster_.start(1);
    cluster_.start(2);
    write(client, 10);
    EXPECT_EQ(client.read({.prefix = "k"})->items.size(), 10u);
}

TEST(EtcdAdmin, grows_a_cluster_by_a_learner_and_shrinks_it_again) {
    EtcdCluster cluster(1);
    Client client(cluster.endpoints());
    client.wait_until_served();
    EtcdAdmin admin({.endpoints = {cluster.endpoint(0)}});
    const int added = cluster.reserve();
    auto learner = admin.add_learner(cluster.peer_url(added));
    ASSERT_TRUE(learner) << describe(learner.error());
    EXPECT_TRUE(learner->learner);
    EXPECT_EQ(admin.promote(learner->id).error().code, ErrorCode::kConflict)
        << "it was not even started";
    cluster.start_joining(added);
    EXPECT_TRUE(client.loop().run_until([&] { return admin.promote(learner->id).has_value(); }));
    auto members = admin.members();
    ASSERT_TRUE(members);
    EXPECT_EQ(members->size(), 2u);
    // A member says what it has applied itself, which may be a moment after the leader.
    auto status = admin.status(cluster.endpoint(added));
    EXPECT_TRUE(client.loop().run_until([&] {
        status = admin.status(cluster.endpoint(added));
        return status && !status->learner;
    }));
    ASSERT_TRUE(status) << describe(status.error());
    EXPECT_EQ(status->version, "3.4.23");
    ASSERT_TRUE(admin.move_leader(cluster.endpoint(0), learner->id));
    auto first = admin.status(cluster.endpoint(0));
    ASSERT_TRUE(first);
    EXPECT_EQ(first->leader, learner->id);
    ASSERT_TRUE(admin.move_leader(cluster.endpoint(added), first->id));
    // etcd calls a cluster unhealthy until its members have been connected for five seconds.
    EXPECT_TRUE(client.loop().run_until([&] { return admin.remove(learner->id).has_value(); }));
    // Nor does one say who is a member while its leader is new.
    EXPECT_TRUE(client.loop().run_until([&] {
        const auto again = admin.remove(learner->id);
        return !again && again.error().code == ErrorCode::kNotFound;
    }));
}

TEST(EtcdAdmin, saves_a_snapshot_defragments_and_sees_no_alarm) {
    auto& cluster = OneMember::cluster();
    Client client(cluster.endpoints());
    client.wait_until_served();
    EtcdAdmin admin({.endpoints = cluster.endpoints()});
    const std::string path = cluster.directory() + "/snapshot.db";
    auto saved = admin.save_snapshot(cluster.endpoint(0), path);
    ASSERT_TRUE(saved) << describe(saved.error());
    EXPECT_GT(std::filesystem::file_size(path), 10'000u);
    EXPECT_FALSE(std::filesystem::exists(path + ".part"));
    EXPECT_TRUE(admin.answers_reads(cluster.endpoint(0)));
    EXPECT_TRUE(admin.defragment(cluster.endpoint(0)));
    EXPECT_THAT(*admin.alarms(), IsEmpty());
    EXPECT_FALSE(admin.save_snapshot(cluster.endpoint(0), "/does/not/exist"));
}

TEST(EtcdStore, a_full_quota_is_said_clearly_and_over_when_there_is_room) {
    EtcdCluster cluster(1, false, {"--quota-backend-bytes", "16777216"});
    Client client(cluster.endpoints());
    client.wait_until_served();
    EtcdAdmin admin({.endpoints = cluster.endpoints()});
    std::optional<Error> refused;
    for (int i = 0; i < 100 && !refused; ++i) {
        auto result = client.put("big", std::string(500'000, 'v'));
        if (!result) refused = result.error();
    }
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, ErrorCode::kExhausted) << describe(*refused);
    auto revision =
        client.wait<Revision>([&](auto done) { client.store().current_revision(done); });
    ASSERT_TRUE(revision);
    ASSERT_TRUE(client.wait<Revision>([&](auto done) { client.store().compact(*revision, done); }));
    auto alarms = admin.alarms();
    ASSERT_TRUE(alarms && alarms->size() == 1);
    EXPECT_EQ(alarms->front().kind, EtcdAlarmKind::kNoSpace);
    // Compaction removes the old versions in the background; then defragmenting brings the file
    // below the quota.
    EXPECT_TRUE(client.loop().run_until([&] {
        return admin.defragment(cluster.endpoint(0)) && admin.disarm(alarms->front()) &&
               client.put("small", "1");
    }));
}

}  // namespace
}  // namespace blixard::store
